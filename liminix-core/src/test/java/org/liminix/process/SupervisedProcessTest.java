package org.liminix.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.test.ChildJvm;

@Timeout(60)
class SupervisedProcessTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir Path directory;

  @Test
  void passesOnExitStatusAndOutput() {
    try (SupervisedProcess process = start("echo out; echo err >&2; exit 3")) {
      assertThat(process.awaitExit(LONG)).isEqualTo(3);
      assertThat(process.lastOutput()).isEqualTo("out\nerr");
    }
  }

  @Test
  void passesOnTheSignalThatEndedIt() {
    try (SupervisedProcess process = start("kill -TERM $$")) {
      assertThat(process.awaitExit(LONG)).isEqualTo(128 + 15);
    }
  }

  @Test
  void reportsAProgramThatDoesNotExist() {
    try (SupervisedProcess process =
        SupervisedProcess.of(List.of("/nonexistent/qemu"))
            .directory(RunDirectory.at(directory))
            .start()) {
      assertThat(process.awaitExit(LONG)).isEqualTo(127);
      assertThat(process.lastOutput()).contains("/nonexistent/qemu");
    }
  }

  @Test
  void killsWhatStillRunsWhenClosed() throws Exception {
    SupervisedProcess process = start("echo $$; exec sleep 1000");
    ProcessHandle sleeper = handleOf(pidFrom(process));
    process.close();
    process.close();
    assertThat(process.isAlive()).isFalse();
    sleeper.onExit().get(30, TimeUnit.SECONDS);
  }

  @Test
  void givesUpAWaitAtItsDeadline() {
    try (SupervisedProcess process = start("exec sleep 1000")) {
      assertThatExceptionOfType(WaitTimeoutException.class)
          .isThrownBy(() -> process.awaitExit(Duration.ofMillis(10)));
    }
  }

  @Test
  void leavesNothingWhenTheJvmIsKilled() throws Exception {
    try (ChildJvm jvm = ChildJvm.run(SleeperMain.class)) {
      Path runDirectory = Path.of(jvm.line());
      ProcessHandle sleeper = handleOf(Long.parseLong(jvm.line()));
      ProcessHandle supervisor = handleOf(Long.parseLong(jvm.line()));
      assertThat(runDirectory).isDirectory();
      assertThat(sleeper.isAlive()).isTrue();

      jvm.kill();

      sleeper.onExit().get(30, TimeUnit.SECONDS);
      supervisor.onExit().get(30, TimeUnit.SECONDS);
      ChildJvm.awaitGone(runDirectory.resolve("..").normalize());
    }
  }

  @Test
  void leavesNothingWhenTheJvmExitsWithoutClosing() throws Exception {
    try (ChildJvm jvm = ChildJvm.run(SleeperMain.class)) {
      Path runDirectory = Path.of(jvm.line());
      ProcessHandle sleeper = handleOf(Long.parseLong(jvm.line()));
      jvm.line();
      jvm.finish();
      sleeper.onExit().get(30, TimeUnit.SECONDS);
      assertThat(runDirectory).doesNotExist();
    }
  }

  private SupervisedProcess start(String script) {
    return SupervisedProcess.of(List.of("/bin/sh", "-c", script))
        .directory(RunDirectory.at(directory))
        .start();
  }

  /** The first line of the log, as soon as there is one. */
  private static long pidFrom(SupervisedProcess process) throws IOException {
    while (true) {
      Optional<String> line =
          Files.exists(process.logFile())
              ? Files.readAllLines(process.logFile()).stream().findFirst()
              : Optional.empty();
      if (line.isPresent()) {
        return Long.parseLong(line.get());
      }
      Thread.onSpinWait();
    }
  }

  private static ProcessHandle handleOf(long pid) {
    return ProcessHandle.of(pid)
        .orElseThrow(() -> new AssertionError("There is no process " + pid));
  }

  /** Starts a process and waits for its standard input to end. */
  public static final class SleeperMain {
    private SleeperMain() {}

    public static void main(String[] arguments) throws IOException {
      RunDirectory directory = RunDirectory.create("sleeper");
      SupervisedProcess process =
          SupervisedProcess.of(List.of("/bin/sh", "-c", "echo $$; exec sleep 1000"))
              .directory(directory)
              .start();
      long pid = pidFrom(process);
      System.out.println(directory);
      System.out.println(pid);
      System.out.println(ProcessHandle.of(pid).flatMap(ProcessHandle::parent).orElseThrow().pid());
      int end = System.in.read();
      System.exit(end < 0 ? 0 : 1);
    }
  }
}
