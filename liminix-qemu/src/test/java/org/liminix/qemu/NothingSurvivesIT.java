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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
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
      assertThat(files.map(path -> path.getFileName().toString())).containsExactly("qemu.log");
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
          System.out.println(held());
        }
        try (Vm vm = TinyGuest.boots(directory, true).network(LAN).spec().start(segments)) {
          vm.console().expect("OK");
        }
      }
      System.out.println(held());
      System.exit(0);
    }

    private static String held() throws IOException, InterruptedException {
      // A thread that is ending is not one that was left behind.
      for (Thread thread : Thread.getAllStackTraces().keySet()) {
        if (thread.getName().matches("liminix-(qmp|console).*")) {
          thread.join();
        }
      }
      long threads =
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> thread.getName().startsWith("liminix"))
              .count();
      long children = ProcessHandle.current().descendants().count();
      long sockets = 0;
      long files = 0;
      try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
        for (Path descriptor : descriptors.toList()) {
          String target = Files.isSymbolicLink(descriptor) ? read(descriptor) : "";
          if (target.startsWith("socket:")) {
            sockets++;
          } else if (!target.isEmpty()) {
            files++;
          }
        }
      }
      return "threads %d, processes %d, sockets %d, files %d"
          .formatted(threads, children, sockets, files);
    }

    private static String read(Path link) {
      try {
        return Files.readSymbolicLink(link).toString();
      } catch (IOException e) {
        return ""; // that of the listing itself
      }
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
