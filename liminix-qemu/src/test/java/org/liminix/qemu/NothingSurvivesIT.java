package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.net.Segments;
import org.liminix.test.ChildJvm;

/** Each in a JVM of its own, where nothing else runs that could be counted. */
@Timeout(180)
class NothingSurvivesIT {
  @TempDir Path directory;

  @Test
  void twoHundredStartsAndStopsLeaveNothingBehind() throws Exception {
    try (ChildJvm jvm = ChildJvm.run(RepeatMain.class, directory.toString())) {
      String before = jvm.line();
      assertThat(jvm.line()).isEqualTo(before);
    }
  }

  @Test
  void leavesNothingWhenTheJvmExits() throws Exception {
    try (ChildJvm jvm = ChildJvm.run(ExitMain.class, directory.toString())) {
      Path runDirectory = Path.of(jvm.line());
      ProcessHandle qemu = ProcessHandle.of(Long.parseLong(jvm.line())).orElseThrow();
      jvm.finish();
      qemu.onExit().get(60, TimeUnit.SECONDS);
      ChildJvm.awaitGone(runDirectory.resolve("..").normalize());
    }
  }

  @Test
  void aHundredStartsAtOnceAllSucceed() throws Exception {
    VmBuilder tiny = TinyGuest.boots(directory, true).memory(16);
    VmSpec spec = tiny.timeout(Duration.ofSeconds(150)).spec();
    ExecutorService threads = Executors.newFixedThreadPool(100);
    try {
      List<CompletableFuture<Void>> starts = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        starts.add(
            CompletableFuture.runAsync(
                () -> {
                  try (Segments segments = Segments.isolated();
                      Vm vm = spec.start(segments)) {
                    vm.console().expect("OK");
                  }
                },
                threads));
      }
      for (CompletableFuture<Void> start : starts) {
        start.get();
      }
    } catch (ExecutionException e) {
      throw new AssertionError("One of a hundred did not start", e);
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void aStartThatFailsLeavesNothing() throws IOException {
    Path runDirectory = directory.resolve("run");
    VmBuilder broken =
        TinyGuest.boots(directory, true)
            .runDirectory(runDirectory)
            .qemuArgument("-device", "no-such-card");
    assertThatExceptionOfType(VmException.class).isThrownBy(broken::start);
    try (Stream<Path> files = Files.list(runDirectory)) {
      assertThat(files.map(path -> path.getFileName().toString()))
          .isSubsetOf("qemu.log", "console.log", "console.txt");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 400})
  void leavesNothingWhenTheJvmExitsWhileMachinesStart(int millis) throws Exception {
    assertNothingSurvives(List.of(), "exit", millis);
  }

  @ParameterizedTest
  @ValueSource(ints = {100, 400})
  void leavesNothingWhenTheJvmIsKilledWhileMachinesStart(int millis) throws Exception {
    assertNothingSurvives(List.of(), "be killed", millis);
  }

  @ParameterizedTest
  @ValueSource(strings = {"-XX:+ExitOnOutOfMemoryError", "-XX:-ExitOnOutOfMemoryError"})
  void leavesNothingWhenTheMemoryIsExhaustedWhileMachinesRunAndStart(String option)
      throws Exception {
    assertNothingSurvives(List.of("-Xmx32m", option), "exhaust memory", 300);
  }

  /**
   * Runs a program that ends like that, and one more, which sweeps behind those that are killed.
   */
  private void assertNothingSurvives(List<String> options, String end, int millis)
      throws Exception {
    TinyGuest.boots(directory, true); // skips where there is no QEMU
    // A directory whose path is short enough for sockets.
    Path runtime = Files.createTempDirectory(Path.of("/tmp"), "liminix-test");
    try {
      Map<String, String> environment = Map.of("XDG_RUNTIME_DIR", runtime.toString());
      String[] arguments = {directory.toString(), end, Integer.toString(millis)};
      try (ChildJvm jvm = ChildJvm.run(options, environment, BusyMain.class, arguments)) {
        assertThat(jvm.line()).isEqualTo("ends");
        if (end.equals("be killed")) {
          jvm.kill();
        }
        jvm.awaitExit();
      }
      Held.awaitNoProcess(directory.toString());
      try (ChildJvm jvm =
          ChildJvm.run(List.of(), environment, BusyMain.class, directory.toString(), "return")) {
        assertThat(jvm.line()).isEqualTo("ends");
        assertThat(jvm.awaitExit()).isZero();
      }
      try (Stream<Path> left = Files.list(runtime.resolve("liminix"))) {
        assertThat(left).containsExactly(runtime.resolve("liminix/lock"));
      }
    } finally {
      Files.deleteIfExists(runtime.resolve("liminix/lock"));
      Files.deleteIfExists(runtime.resolve("liminix"));
      Files.deleteIfExists(runtime);
    }
  }

  /** Has one machine run while two threads start and close others, and ends as it is told. */
  public static final class BusyMain {
    private static final List<byte[]> HOARD = new ArrayList<>();

    private BusyMain() {}

    public static void main(String[] arguments) throws Exception {
      VmSpec tiny = TinyGuest.boots(Path.of(arguments[0]), true).network(LAN).spec();
      Segments segments = Segments.isolated();
      Vm running = tiny.start(segments);
      if (arguments[1].equals("return")) {
        System.out.println("ends");
        running.close();
        segments.close();
        return;
      }
      Runnable startAndClose = () -> startAndCloseForever(tiny, segments);
      Thread other = new Thread(startAndClose);
      Thread starter = new Thread(startAndClose);
      for (Thread thread : new Thread[] {other, starter}) {
        thread.setDaemon(true);
        thread.start();
      }
      starter.join(Integer.parseInt(arguments[2]));
      System.out.println("ends");
      switch (arguments[1]) {
        case "exit" -> System.exit(0);
        case "exhaust memory" -> hoard();
        default -> starter.join();
      }
    }

    private static void startAndCloseForever(VmSpec spec, Segments segments) {
      while (true) {
        try {
          spec.start(segments).close();
        } catch (RuntimeException | OutOfMemoryError e) {
          // what an exhausted or an exiting JVM has them do
        }
      }
    }

    private static void hoard() {
      while (true) {
        HOARD.add(new byte[10_000]);
      }
    }
  }

  /** Counts what this JVM holds before and after. */
  public static final class RepeatMain {
    private static final int WARM_UP = 10;
    private static final int ROUNDS = 200;

    private RepeatMain() {}

    public static void main(String[] arguments) throws Exception {
      Path directory = Path.of(arguments[0]);
      Segments segments = Segments.isolated();
      for (int round = 0; round < WARM_UP + ROUNDS; round++) {
        if (round == WARM_UP) {
          System.out.println(Held.byThisJvm());
        }
        try (Vm vm = TinyGuest.boots(directory, true).network(LAN).spec().start(segments)) {
          vm.console().expect("OK");
        }
      }
      System.out.println(Held.byThisJvm());
      System.exit(0);
    }
  }

  /** Starts a machine and exits without closing it. */
  public static final class ExitMain {
    private ExitMain() {}

    public static void main(String[] arguments) throws IOException {
      Vm vm = TinyGuest.boots(Path.of(arguments[0]), true).start();
      System.out.println(vm.runDirectory());
      System.out.println(vm.pid());
      System.exit(System.in.read() < 0 ? 0 : 1);
    }
  }
}
