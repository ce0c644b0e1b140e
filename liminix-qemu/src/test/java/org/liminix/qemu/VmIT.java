package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.console.ConsoleClosedException;
import org.liminix.console.KernelException;
import org.liminix.console.Match;
import org.liminix.net.Segments;
import org.liminix.process.UnixSocket;
import org.liminix.test.ChildJvm;

@Timeout(120)
class VmIT {
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void losesNothingOfWhatTheGuestSaysFirst(boolean bigEndian) throws IOException {
    try (Vm vm = TinyGuest.boots(directory, bigEndian).start()) {
      assertThat(vm.console().expect("OK\n", LONG).before()).isEmpty();
      vm.console().send("ping.");
      vm.console().expect("ping.", LONG);
    }
  }

  @Test
  void keepsSocketsAndPidInItsRunDirectoryWhileItRuns() throws Exception {
    Path runDirectory;
    try (Vm vm = TinyGuest.boots(directory, false).name("router").start()) {
      runDirectory = vm.runDirectory();
      assertThat(runDirectory).hasFileName("router");
      try (var files = Files.list(runDirectory)) {
        assertThat(files.map(path -> path.getFileName().toString()))
            .containsExactlyInAnyOrder(
                "console", "monitor", "qmp", "pid", "console.log", "console.txt", "qemu.log");
      }
      assertThat(ProcessHandle.of(vm.pid())).isPresent();
      assertThat(readUntil(runDirectory.resolve("monitor"), "info status\n", "VM status: running"))
          .contains("QEMU 7");
      assertThat(readUntil(runDirectory.resolve("qmp"), "", "QMP")).contains("version");
      vm.console().expect("OK", LONG);
      assertThat(readUntil(runDirectory.resolve("console"), "typed.", "typed.")).isNotEmpty();
      vm.console().expect("typed.", LONG);
    }
    assertThat(runDirectory).doesNotExist();
  }

  @Test
  void keepsItsLogsInADirectoryTheCallerChose() throws IOException {
    Path runDirectory = Path.of("/tmp").resolve("liminix-test-" + ProcessHandle.current().pid());
    try {
      try (Vm vm = TinyGuest.boots(directory, false).runDirectory(runDirectory).start()) {
        vm.console().expect("OK", LONG);
      }
      try (var files = Files.list(runDirectory)) {
        assertThat(files.map(path -> path.getFileName().toString()))
            .containsExactlyInAnyOrder("console.log", "console.txt", "qemu.log");
      }
      assertThat(runDirectory.resolve("console.log")).hasContent("OK\n");
      assertThat(runDirectory.resolve("console.txt"))
          .content()
          .matches("\\S+Z +\\d+\\.\\d{3}  OK\n");
    } finally {
      for (String log : List.of("console.log", "console.txt", "qemu.log", "")) {
        Files.deleteIfExists(runDirectory.resolve(log));
      }
    }
  }

  @Test
  void saysWhichFileIsMissing() throws IOException {
    assertThatExceptionOfType(VmException.class)
        .isThrownBy(() -> Vm.mips().kernel(directory.resolve("vmlinux")).start())
        .withMessageContainingAll("kernel", directory.resolve("vmlinux").toString(), "not exist");
    VmBuilder tiny = TinyGuest.boots(directory, true);
    assertThatExceptionOfType(VmException.class)
        .isThrownBy(() -> tiny.rootfs(directory).start())
        .withMessageContainingAll("rootfs", directory.toString(), "not a regular file");
  }

  @Test
  void quotesAQemuThatDiesAtOnce() throws IOException {
    VmBuilder builder = TinyGuest.boots(directory, true).qemuArgument("-device", "no-such-card");
    assertThatExceptionOfType(VmException.class)
        .isThrownBy(builder::start)
        .withMessageContainingAll(
            "exit status 1", "'no-such-card' is not a valid device model name", "qemu-system-mips");
  }

  @Test
  void refusesARunDirectoryTooLongForItsSockets() throws IOException {
    Path runDirectory = directory.resolve("x".repeat(100));
    VmBuilder builder = TinyGuest.boots(directory, true).runDirectory(runDirectory);
    assertThatExceptionOfType(org.liminix.process.LiminixException.class)
        .isThrownBy(builder::start)
        .withMessageContainingAll("107", "shorter run directory");
  }

  @Test
  void endsAWaitWhenQemuIsKilledAndSaysSo() throws Exception {
    try (Vm vm = TinyGuest.boots(directory, true).start()) {
      vm.console().expect("OK", LONG);
      CompletableFuture<Match> match =
          CompletableFuture.supplyAsync(() -> vm.console().expect("never", LONG));
      ProcessHandle.of(vm.pid()).orElseThrow().destroyForcibly();
      assertThatExceptionOfType(ExecutionException.class)
          .isThrownBy(match::get)
          .withCauseInstanceOf(ConsoleClosedException.class)
          .withMessageContainingAll("QEMU has ended", "killed by signal 9");
    }
  }

  @Test
  void saysThatTheGuestShutDown() throws Exception {
    try (Vm vm = TinyGuest.boots(directory, true).start()) {
      vm.qmp().execute("system_reset");
      vm.console().expect("OK", LONG);
      vm.qmp().execute("quit");
      assertThat(vm.exit().get(60, TimeUnit.SECONDS)).isZero();
      assertThatExceptionOfType(ConsoleClosedException.class)
          .isThrownBy(() -> vm.console().expect("never", LONG))
          .withMessageContaining("after host-qmp-quit");
    }
  }

  @Test
  void endsWaitsOnlyOnTheFailuresOfItsKernelThatItIsToldOf() throws IOException {
    String panic = "[    1.000000] Kernel panic - not syncing: for a test\n";
    try (Vm vm = TinyGuest.boots(directory, true).start()) {
      vm.console().expect("OK\n", LONG);
      vm.console().send(panic);
      assertThatExceptionOfType(KernelException.Panic.class)
          .isThrownBy(() -> vm.console().expect("never", LONG));
    }
    try (Vm vm = TinyGuest.boots(directory, true).failOn(Set.of()).start()) {
      vm.console().expect("OK\n", LONG);
      vm.console().send(panic + "end of the test");
      vm.console().expect("end of the test", LONG);
    }
  }

  @Test
  void givesACommandItRefusesAsAnError() throws IOException {
    try (Vm vm = TinyGuest.boots(directory, true).start()) {
      assertThatExceptionOfType(QmpException.class)
          .isThrownBy(() -> vm.qmp().execute("no-such-command"))
          .withMessageContaining("no-such-command")
          .satisfies(e -> assertThat(e.errorClass()).isEqualTo("CommandNotFound"));
    }
  }

  @Test
  void leavesNoProcessWhenItIsClosedEvenByAnInterruptedThread() throws IOException {
    Vm vm = TinyGuest.boots(directory, true).start();
    ProcessHandle qemu = ProcessHandle.of(vm.pid()).orElseThrow();
    Thread.currentThread().interrupt();
    vm.close();
    vm.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(qemu.isAlive()).isFalse();
    assertThat(vm.runDirectory()).doesNotExist();
  }

  @Test
  void leavesNothingWhenTheJvmIsKilled() throws Exception {
    try (ChildJvm jvm = ChildJvm.run(StarterMain.class, directory.toString())) {
      Path runDirectory = Path.of(jvm.line());
      ProcessHandle qemu = ProcessHandle.of(Long.parseLong(jvm.line())).orElseThrow();
      ProcessHandle supervisor = qemu.parent().orElseThrow();
      assertThat(runDirectory.resolve("console")).exists();

      jvm.kill();

      qemu.onExit().get(60, TimeUnit.SECONDS);
      supervisor.onExit().get(60, TimeUnit.SECONDS);
      ChildJvm.awaitGone(runDirectory.resolve("..").normalize());
    }
  }

  /** Starts a machine on two networks and waits to be killed. */
  public static final class StarterMain {
    private StarterMain() {}

    public static void main(String[] arguments) throws IOException {
      Segments segments = Segments.isolated();
      Vm vm =
          TinyGuest.boots(Path.of(arguments[0]), true).network(LAN, ACCESS).spec().start(segments);
      vm.console().expect("OK", LONG);
      System.out.println(vm.runDirectory());
      System.out.println(vm.pid());
      System.exit(System.in.read());
    }
  }

  @Test
  void plugsItsNetworkCardsIntoThePrivateSegments() throws IOException {
    try (Segments segments = Segments.isolated();
        Vm vm = TinyGuest.boots(directory, false).network(LAN, ACCESS).spec().start(segments)) {
      assertThat(vm.qmp().execute("query-rx-filter").getAsJsonArray()).hasSize(2);
      assertThat(vm.commandLine())
          .contains("-netdev stream,id=net0,server=off,addr.type=unix", "-serial mon:stdio")
          .doesNotContain(" -S ");
    }
  }

  @Test
  void joinsTheMulticastConventionWhenNothingElseIsSaid() throws IOException {
    try (Vm vm = TinyGuest.boots(directory, false).network(LAN).start()) {
      assertThat(vm.commandLine())
          .contains("-netdev socket,id=net0,mcast=230.0.0.1:1235,localaddr=127.0.0.1");
    }
  }

  @Test
  void startsAgainWithThePrintedCommandLine() throws Exception {
    String commandLine;
    try (Vm vm = TinyGuest.boots(directory, false).commandLine("it's quoted").start()) {
      commandLine = vm.commandLine();
    }
    Process pasted = new ProcessBuilder("/bin/sh", "-c", "exec " + commandLine).start();
    try {
      assertThat(pasted.inputReader().readLine()).isEqualTo("OK");
    } finally {
      pasted.destroyForcibly();
    }
  }

  /** Connects to a socket, types the input and returns what is said up to that text. */
  private static String readUntil(Path path, String input, String until) throws IOException {
    try (UnixSocket socket = UnixSocket.connect(path)) {
      socket.write(ByteBuffer.wrap(input.getBytes(StandardCharsets.UTF_8)));
      StringBuilder said = new StringBuilder();
      ByteBuffer buffer = ByteBuffer.allocate(4096);
      while (said.indexOf(until) < 0 && socket.read(buffer.clear()) > 0) {
        said.append(StandardCharsets.UTF_8.decode(buffer.flip()));
      }
      return said.toString();
    }
  }
}
