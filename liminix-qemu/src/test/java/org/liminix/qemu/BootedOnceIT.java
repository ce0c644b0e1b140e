package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.test.ChildJvm;

/** The smallest guest, which goes on from where it said OK. */
@Timeout(180)
class BootedOnceIT {
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir Path directory;

  /** Skips where there is no QEMU, and makes the kernel, which those at the same time share. */
  @BeforeEach
  void makeKernel() throws IOException {
    TinyGuest.boots(directory, true);
  }

  private static VmBuilder machine(Path directory) {
    Path boots = directory.resolve("boots");
    Path kill = directory.resolve("kill");
    return Vm.mips()
        .kernel(directory.resolve("tiny.elf"))
        .memory(16)
        .timeout(LONG)
        .cache(directory)
        .bootedOnce(
            vm -> {
              vm.console().expect("OK");
              append(boots, "booted\n");
              tellIfThereIs(kill);
            });
  }

  private static void append(Path file, String text) {
    try {
      Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Tells where this process is going to save the guest, and waits for a word to go on. */
  private static void tellIfThereIs(Path file) {
    if (Files.exists(file)) {
      try (Stream<Path> files = Files.list(file.resolveSibling("booted"))) {
        System.out.println(
            files.filter(path -> path.toString().endsWith(".new")).findFirst().orElseThrow());
        assertThat(System.in.read()).isPositive();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** A guest that was booted would say OK before it echoes. */
  private static void startAndUse(Path directory) {
    try (Vm vm = machine(directory).start()) {
      vm.console().send("ping.");
      assertThat(vm.console().expect("ping.", LONG).before()).isEmpty();
    }
  }

  @Test
  void bootsOnceForThreadsAndProcessesThatStartAtTheSameTime() throws Exception {
    List<ChildJvm> jvms = new ArrayList<>();
    try {
      for (int i = 0; i < 2; i++) {
        jvms.add(ChildJvm.run(UserMain.class, directory.toString()));
      }
      for (ChildJvm jvm : jvms) {
        assertThat(jvm.line()).isEqualTo("ready");
      }
      for (ChildJvm jvm : jvms) {
        jvm.type("go");
      }
      for (ChildJvm jvm : jvms) {
        assertThat(jvm.awaitExit()).isZero();
      }
    } finally {
      jvms.forEach(ChildJvm::close);
    }
    assertThat(directory.resolve("boots")).hasContent("booted");
  }

  /** Uses the guest in three threads when it is told to. */
  public static final class UserMain {
    private UserMain() {}

    public static void main(String[] arguments) throws IOException {
      System.out.println("ready");
      int read = System.in.read();
      Stream.of(read, read, read).parallel().forEach(again -> startAndUse(Path.of(arguments[0])));
      System.exit(0);
    }
  }

  @Test
  void bootsAgainWhenWhatWasKeptIsDamaged() throws IOException {
    startAndUse(directory);
    byte[] state = Files.readAllBytes(state());
    state[state.length / 2] ^= 1;
    Files.write(state(), state);
    startAndUse(directory);
    Files.write(state(), new byte[100]);
    startAndUse(directory);
    Files.delete(state());
    startAndUse(directory);
    startAndUse(directory);
    assertThat(directory.resolve("boots")).hasContent("booted\n".repeat(4));
  }

  @Test
  void bootsAgainWhenQemuDoesNotTakeWhatWasKept() throws IOException {
    startAndUse(directory);
    Files.writeString(state(), "what another QEMU has kept");
    Files.delete(state().resolveSibling("sums"));
    BootedGuest.seal(Objects.requireNonNull(state().getParent()));
    startAndUse(directory);
    startAndUse(directory);
    assertThat(directory.resolve("boots")).hasContent("booted\n".repeat(2));
  }

  @Test
  void goesOnFromNothingThatWasHalfSaved() throws Exception {
    Files.createFile(directory.resolve("kill"));
    try (ChildJvm jvm = ChildJvm.run(KilledMain.class, directory.toString())) {
      Path unfinished = Path.of(jvm.line());
      try (WatchService watch = unfinished.getFileSystem().newWatchService()) {
        unfinished.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
        jvm.type("go");
        assertThat(watch.poll(LONG.toSeconds(), TimeUnit.SECONDS)).isNotNull();
        jvm.kill();
      }
    }
    Files.delete(directory.resolve("kill"));
    startAndUse(directory);
    startAndUse(directory);
    try (Stream<Path> files = Files.list(directory.resolve("booted"))) {
      assertThat(files).noneMatch(path -> path.toString().endsWith(".new"));
    }
  }

  /** Boots the guest, to be killed while it saves it. */
  public static final class KilledMain {
    private KilledMain() {}

    public static void main(String[] arguments) {
      machine(Path.of(arguments[0])).start();
    }
  }

  @Test
  void saysWhyTheGuestWasNotMadeReady() {
    VmBuilder builder =
        Vm.mips()
            .kernel(directory.resolve("tiny.elf"))
            .cache(directory)
            .bootedOnce(vm -> vm.console().expect("never", Duration.ofMillis(10)));
    assertThatExceptionOfType(org.liminix.console.ConsoleTimeoutException.class)
        .isThrownBy(builder::start)
        .withMessageContaining("never");
  }

  private Path state() throws IOException {
    try (Stream<Path> files = Files.walk(directory.resolve("booted"))) {
      return files
          .filter(path -> path.getFileName().toString().equals("state"))
          .findFirst()
          .orElseThrow();
    }
  }
}
