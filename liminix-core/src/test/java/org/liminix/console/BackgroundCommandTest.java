package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.process.WaitInterruptedException;

@Timeout(60)
class BackgroundCommandTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final Duration SHORT = Duration.ofMillis(20);

  @TempDir Path directory;

  /** With job control, without it, and without a terminal. */
  static List<String> shells() {
    return List.of(
        "dash -i",
        "bash --norc -i",
        "busybox sh -i",
        "dash +m -i",
        "bash --norc +m -i",
        "busybox sh +m -i",
        "pipe:/bin/sh",
        "pipe:busybox sh");
  }

  private Shell open(HostShell host) {
    Shell shell =
        Shell.on(host.console()).withoutPrompt().with("TMPDIR", directory.toString()).open();
    shell.run("cd " + directory + " && mkfifo gate came").orThrow();
    return shell;
  }

  /** The files that are not the test's own. */
  private List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> !List.of("gate", "came").contains(file.getFileName().toString()))
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("shells")
  void runsWhileOtherCommandsDo(String program) throws IOException {
    try (HostShell host = HostShell.start(program)) {
      Shell shell = open(host);
      try (BackgroundCommand job = shell.start("echo begun; read l <gate; echo $l >&2; exit 7")) {
        assertThat(shell.run("echo one; ls -d /; echo two").output()).isEqualTo("one\n/\ntwo");
        assertThat(job.isRunning()).isTrue();
        shell.run("echo go >gate").orThrow();
        CommandResult result = job.await(LONG);
        assertThat(result).isEqualTo(new CommandResult(job.command(), 7, "begun\ngo"));
        assertThat(job.isRunning()).isFalse();
        assertThat(job.await(Duration.ZERO)).isEqualTo(result);
        assertThat(job.output()).isEqualTo("begun\ngo");
        assertThat(shell.run("ls -d /; true; ls -d /").output()).isEqualTo("/\n/");
        assertThat(files()).isEmpty();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("shells")
  void isAwaitedUntilItEnds(String program) throws Exception {
    try (HostShell host = HostShell.start(program)) {
      Shell shell = open(host);
      Thread opener = new Thread(() -> write(directory.resolve("gate")));
      try (BackgroundCommand job = shell.start("echo; read l <gate; seq 1 30000")) {
        opener.start();
        assertThat(job.await(LONG).orThrow().lines())
            .hasSize(30_001)
            .startsWith("", "1")
            .endsWith("30000");
      }
      opener.join();
    }
  }

  private static void write(Path gate) {
    try {
      Files.writeString(gate, "go\n");
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @MethodSource("shells")
  void goesOnWhenItDoesNotEndInTime(String program) throws IOException {
    try (HostShell host = HostShell.start(program)) {
      Shell shell = open(host);
      try (BackgroundCommand job = shell.start("echo begun; read l <gate; echo $l")) {
        for (int i = 0; i < 3; i++) {
          assertThatExceptionOfType(ConsoleTimeoutException.class)
              .isThrownBy(() -> job.await(SHORT))
              .withMessageContaining("the end of \"echo begun; read l <gate; echo $l\"");
          assertThat(shell.run("echo $((6 * 7))").output()).isEqualTo("42");
        }
        assertThat(job.isRunning()).isTrue();
        shell.run("echo go >gate").orThrow();
        assertThat(job.await(LONG).output()).isEqualTo("begun\ngo");
      }
    }
  }

  @Test
  void goesOnWhenTheWaitIsInterrupted() throws Exception {
    try (HostShell host = HostShell.start("bash --norc -i")) {
      Shell shell = open(host);
      try (BackgroundCommand job = shell.start("read l <gate; echo $l")) {
        FutureTask<CommandResult> await = new FutureTask<>(() -> job.await(LONG));
        Thread caller = new Thread(await);
        caller.start();
        caller.interrupt();
        assertThatExceptionOfType(ExecutionException.class)
            .isThrownBy(await::get)
            .withCauseInstanceOf(WaitInterruptedException.class);
        assertThat(shell.run("echo go >gate").orThrow().output()).isEmpty();
        assertThat(job.await(LONG).output()).isEqualTo("go");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("shells")
  void takesSignalsWithAllThatItHasStarted(String program) throws IOException {
    try (HostShell host = HostShell.start(program)) {
      Shell shell = open(host);
      try (BackgroundCommand job = shell.start("echo >came; sleep 1000; echo not reached")) {
        shell.run("read l <came").orThrow();
        job.signal("TERM");
        assertThat(job.await(LONG).status()).isEqualTo(128 + 15);
        job.signal("TERM");
      }
      try (BackgroundCommand job = shell.start("(echo >came; sleep 1000) | cat; exit 3")) {
        shell.run("read l <came").orThrow();
        job.signal("SIGKILL");
        CommandResult result = job.await(LONG);
        assertThat(result.status()).isEqualTo(128 + 9);
      }
      assertThat(shell.run("echo alive").output()).isEqualTo("alive");
    }
  }

  @ParameterizedTest
  @MethodSource("shells")
  void waitsForAProgramThatTidiesUpWhenItIsTold(String program) throws IOException {
    String tidy =
        "sh -c 'trap \"echo tidied up; exit 5\" TERM; echo >came; while :; do sleep 1; done'";
    try (HostShell host = HostShell.start(program)) {
      Shell shell = open(host);
      try (BackgroundCommand job = shell.start(tidy)) {
        shell.run("read l <came").orThrow();
        job.signal("term");
        CommandResult result = job.await(LONG);
        assertThat(result.status()).isEqualTo(5);
        assertThat(result.output()).endsWith("tidied up");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("shells")
  void isKilledWithAllThatItHasStartedWhenItIsClosed(String program) throws IOException {
    try (HostShell host = HostShell.start(program)) {
      Shell shell = open(host);
      // Ends when nobody is left who could write.
      BackgroundCommand others = shell.start("cat gate");
      BackgroundCommand job =
          shell.start("exec 5>gate; trap '' TERM; (sh -c 'echo >came; sleep 1000'; :) & wait");
      shell.run("read l <came").orThrow();
      job.close();
      job.close();
      others.await(LONG).orThrow();
      assertThat(job.isRunning()).isFalse();
      assertThat(files()).isEmpty();
      assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> job.await(LONG));
      assertThat(shell.run("echo alive").output()).isEqualTo("alive");
    }
  }

  @Test
  void survivesTheInterruptOfACommandInTheForeground() throws IOException {
    try (HostShell host = HostShell.start("dash +m -i")) {
      Shell shell = open(host);
      try (BackgroundCommand job = shell.start("read l <gate; echo $l")) {
        assertThatExceptionOfType(ConsoleTimeoutException.class)
            .isThrownBy(() -> shell.run("sleep 1000", Duration.ofMillis(300)));
        assertThat(job.isRunning()).isTrue();
        shell.run("echo go >gate").orThrow();
        assertThat(job.await(LONG).output()).isEqualTo("go");
      }
    }
  }

  @Test
  void saysThatItsStatusIsLost() throws IOException {
    try (HostShell host = HostShell.start("dash -i")) {
      Shell shell = open(host);
      String killer =
          "echo last words; sh -c 'read -r p c s outer rest </proc/$PPID/stat; kill -9 $outer'";
      try (BackgroundCommand job = shell.start(killer + "; echo >came")) {
        shell.run("read l <came").orThrow();
        assertThatExceptionOfType(ConsoleException.class)
            .isThrownBy(() -> job.await(LONG))
            .withMessageContainingAll("without leaving its status", "last words");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i"})
  void saysThatACommandIsWrittenWrong(String program) throws IOException {
    try (HostShell host = HostShell.start(program)) {
      Shell shell = open(host);
      try (BackgroundCommand job = shell.start("if then")) {
        CommandResult result = job.await(LONG);
        assertThat(result.status()).isNotZero();
        assertThat(result.output()).containsIgnoringCase("syntax error");
      }
    }
  }

  @Test
  void saysThatThereIsNoPlaceForItsOutput() throws IOException {
    try (HostShell host = HostShell.start("dash -i")) {
      Shell shell = open(host);
      shell.run("mkdir() { false; }; mkfifo() { false; }; mknod() { false; }");
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> shell.start("true"))
          .withMessageContainingAll("\"true\"", "no directory", "TMPDIR");
      shell.run("unset -f mkdir");
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> shell.start("true"))
          .withMessageContainingAll("\"true\"", "mkfifo");
      assertThat(files()).isEmpty();
    }
  }

  @Test
  void closesWithoutAWordWhenTheMachineIsGone() throws IOException {
    try (HostShell host = HostShell.start("dash -i")) {
      BackgroundCommand job = open(host).start("true");
      host.console().close();
      job.close();
    }
  }

  @Test
  void refusesWhatIsNoSignal() throws IOException {
    try (HostShell host = HostShell.start("dash -i")) {
      Shell shell = open(host);
      try (BackgroundCommand job = shell.start("read l <gate")) {
        assertThatExceptionOfType(IllegalArgumentException.class)
            .isThrownBy(() -> job.signal("TERM; reboot"));
        assertThatExceptionOfType(CommandFailedException.class)
            .isThrownBy(() -> job.signal("NONSENSE"));
      }
    }
  }
}
