package org.liminix.console;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.process.Executable;
import org.liminix.process.WaitInterruptedException;

@Timeout(60)
class ShellTest {
  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i"})
  void returnsOutputAndStatusOfWhatItRuns(String program) throws IOException {
    assumeInstalled(program);
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).open();
      assertThat(shell.run("echo one; echo two >&2; (exit 7)"))
          .isEqualTo(new CommandResult("echo one; echo two >&2; (exit 7)", 7, "one\ntwo"));
      assertThat(shell.run("true")).isEqualTo(new CommandResult("true", 0, ""));
      assertThat(shell.run("printf 'no newline'").output()).isEqualTo("no newline");
      assertThat(shell.run("printf '\\n\\nempty lines around\\n\\n'").output())
          .isEqualTo("\n\nempty lines around");
      assertThat(shell.run("echo \"it's\" '\"quoted\"' \\$HOME").output())
          .isEqualTo("it's \"quoted\" $HOME");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i"})
  void keepsDirectoryAndVariablesAndRunsSeveralLines(String program) throws IOException {
    assumeInstalled(program);
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).open();
      shell.run("cd /; colour=blue").orThrow();
      assertThat(shell.run("pwd; echo $colour").lines()).containsExactly("/", "blue");
      assertThat(shell.run("for i in 1 2 3\ndo\n  echo line $i\ndone").lines())
          .containsExactly("line 1", "line 2", "line 3");
      assertThat(shell.run("cat <<EOF\n$colour\n  two\nEOF").lines())
          .containsExactly("blue", "  two");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i"})
  void survivesASyntaxErrorInACommand(String program) throws IOException {
    assumeInstalled(program);
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).open();
      CommandResult result = shell.run("if then");
      assertThat(result.status()).isNotZero();
      assertThat(result.output()).containsIgnoringCase("syntax error");
      assertThat(shell.run("echo fine").output()).isEqualTo("fine");
    }
  }

  @Test
  void returnsOutputOfManyMegabytes() throws IOException {
    try (HostShell host = HostShell.start("/bin/sh -i")) {
      Shell shell = Shell.on(host.console()).open();
      String output = shell.run("seq 1 1450000").output(); // 10 MB
      assertThat(output).hasSizeGreaterThan(10_000_000).endsWith("\n1450000");
      assertThat(output.lines()).hasSize(1_450_000);
    }
  }

  @Test
  void logsInWithAPassword(@TempDir Path directory) throws Exception {
    try (Peer guest = Peer.connect(directory)) {
      FutureTask<Shell> opening =
          new FutureTask<>(() -> Shell.on(guest.console()).login("root", "secret").open());
      new Thread(opening).start();
      guest.says("router login: ");
      assertThat(guest.hears("\n")).isEqualTo("root\n");
      guest.says("root\r\nPass[    9.123456] eth0: link up\r\nword: ");
      assertThat(guest.hears("\n")).isEqualTo("secret\n");
      guest.says("\r\nroot@router:~# ");
      answers(guest);
      assertThat(opening.get()).isNotNull();
    }
  }

  @Test
  void saysThatALoginIsRefused(@TempDir Path directory) throws Exception {
    try (Peer guest = Peer.connect(directory)) {
      FutureTask<Shell> opening =
          new FutureTask<>(() -> Shell.on(guest.console()).login("root", "wrong").open());
      new Thread(opening).start();
      guest.says("router login: ");
      guest.hears("\n");
      guest.says("root\r\nPassword: ");
      guest.hears("\n");
      guest.says("\r\nLogin incorrect\r\nrouter login: ");
      assertThatExceptionOfType(ExecutionException.class)
          .isThrownBy(opening::get)
          .withCauseInstanceOf(ConsoleException.class)
          .withMessageContainingAll("root", "Login incorrect");
    }
  }

  @Test
  void takesAGreetingForNoRefusal(@TempDir Path directory) throws Exception {
    CountDownLatch half = new CountDownLatch(1);
    Consumer<ByteBuffer> listener =
        bytes -> {
          if (US_ASCII.decode(bytes).toString().endsWith("Last login: ")) {
            half.countDown();
          }
        };
    try (Peer guest = Peer.connect(directory, "test", builder -> builder.listener(listener))) {
      guest.says("router login: ");
      guest.console().expect("login: ");
      FutureTask<Shell> opening =
          new FutureTask<>(() -> Shell.on(guest.console()).login("root", "secret").open());
      new Thread(opening).start();
      guest.hears("\n");
      guest.says("root\r\nPassword: ");
      guest.hears("\n");
      guest.says("\r\nLast login: ");
      assertThat(half.await(20, SECONDS)).isTrue();
      guest.says("Mon Nov 23 10:00:00 on ttyS0\r\nroot@router:~# ");
      answers(guest);
      assertThat(opening.get()).isNotNull();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'router login: '|name the user with login(",
        "'Password: '|somebody has begun to log in",
        "'Please press Enter to activate this console.\r\n'|console.sendLine(\"\") first",
        "'=> '|That is U-Boot",
        "'Hit any key to stop autoboot:  3 '|That is U-Boot",
        "'grub> '|That is GRUB",
        "'(qemu) '|That is QEMU's monitor",
        "'mtd-utils> '|If \"mtd-utils>\" is a prompt, tell its looks with prompt(Pattern)",
        "''|console.sendLine(\"\") has it shown again",
      })
  void tellsFromItsLooksWhatIsThereInsteadOfAShell(
      String said, String advice, @TempDir Path directory) throws Exception {
    try (Peer guest = Peer.connect(directory)) {
      guest.says("U-Boot 2023.01\r\n" + said.replace("\\r\\n", "\r\n"));
      guest.console().expect("2023.01");
      assertThatExceptionOfType(ConsoleTimeoutException.class)
          .isThrownBy(() -> Shell.on(guest.console()).timeout(Duration.ofMillis(20)).open())
          .withMessageContainingAll("a shell prompt", advice);
    }
  }

  @Test
  void saysThatWhatAnswersIsNoPosixShell(@TempDir Path directory) throws Exception {
    try (Peer guest = Peer.connect(directory)) {
      FutureTask<Shell> opening =
          new FutureTask<>(() -> Shell.on(guest.console()).withoutPrompt().open());
      new Thread(opening).start();
      for (int i = 0; i < 2; i++) {
        String typed = guest.hears("\n");
        String id = typed.replaceAll("(?s).*@''n([^']+)'.*", "$1");
        guest.says(typed + "Unknown command 'command' - try 'help'\r\n@n" + id + "\r\n=> ");
      }
      assertThatExceptionOfType(ExecutionException.class)
          .isThrownBy(opening::get)
          .withCauseInstanceOf(ConsoleException.class)
          .withMessageContainingAll(
              "no POSIX shell", "Unknown command 'command'", "drive it with UBoot");
    }
  }

  @Test
  void asksAgainWhenTheBeginningOfTheQuestionIsLost(@TempDir Path directory) throws Exception {
    try (Peer guest = Peer.connect(directory)) {
      FutureTask<Shell> opening =
          new FutureTask<>(() -> Shell.on(guest.console()).withoutPrompt().open());
      new Thread(opening).start();
      String typed = guest.hears("\n");
      String id = typed.replaceAll("(?s).*@''n([^']+)'.*", "$1");
      guest.says("bash: ommand: command not found\r\n@n" + id + "\r\n# ");
      answers(guest);
      assertThat(opening.get()).isNotNull();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i", "pipe:/bin/sh"})
  void survivesAMistakenCommandAsTheLastAndAsTheFirstWord(String program) throws IOException {
    assumeInstalled(program.replace("pipe:", ""));
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).withoutPrompt().open();
      for (String mistake :
          List.of("then", "done", "shift 99", "set -o nothing", "no-such-thing")) {
        assertThat(shell.run(mistake).status()).as(mistake).isNotZero();
      }
      assertThat(shell.run("printf %s/ a=b c:d,e").output()).isEqualTo("a=b/c:d,e/");
      assertThat(shell.run("exit_with() { return 4; }").status()).isZero();
      assertThat(shell.run("exit_with").status()).isEqualTo(4);
    }
  }

  @Test
  void saysWhoKeepsItBusy() throws Exception {
    try (HostShell host = HostShell.start("dash -i")) {
      Shell shell = Shell.on(host.console()).open();
      CountDownLatch begun = new CountDownLatch(1);
      try (AutoCloseable following =
          host.console()
              .follow(
                  line -> {
                    if (line.text().equals("begun")) {
                      begun.countDown();
                    }
                  })) {
        FutureTask<CommandResult> long1 =
            new FutureTask<>(() -> shell.run("echo be\"\"gun; read line; echo $line"));
        new Thread(long1).start();
        assertThat(begun.await(20, SECONDS)).isTrue();
        assertThatExceptionOfType(ConsoleTimeoutException.class)
            .isThrownBy(() -> shell.run("uptime", Duration.ofMillis(20)))
            .withMessageContainingAll("still busy with \"echo be", "\"uptime\" has not been run");
        host.console().sendLine("go on");
        assertThat(long1.get().output()).contains("go on");
      }
    }
  }

  @Test
  void isNotFooledByOutputThatLooksLikeAPrompt() throws IOException {
    try (HostShell host = HostShell.start("/bin/sh -i")) {
      Shell shell = Shell.on(host.console()).open();
      assertThat(shell.run("echo '# '; echo '$ '; printf '# '").output()).isEqualTo("# \n$ \n# ");
      assertThat(shell.run("echo next").output()).isEqualTo("next");
    }
  }

  @Test
  void worksWithoutATerminalAndAPrompt() throws IOException {
    try (HostShell host = HostShell.start("pipe:/bin/sh")) {
      Shell shell = Shell.on(host.console()).withoutPrompt().open();
      assertThat(shell.run("echo hello; false"))
          .isEqualTo(new CommandResult("echo hello; false", 1, "hello"));
    }
  }

  @Test
  void interruptsACommandThatTakesTooLongAndGoesOn() throws IOException {
    try (HostShell host = HostShell.start("bash --norc -i")) {
      Shell shell = Shell.on(host.console()).open();
      assertThatExceptionOfType(ConsoleTimeoutException.class)
          .isThrownBy(() -> shell.run("echo begun; sleep 1000", Duration.ofMillis(500)))
          .withMessageContainingAll("the end of \"echo begun; sleep 1000\"", "500 ms", "begun");
      assertThat(shell.run("echo alive").output()).isEqualTo("alive");
    }
  }

  @Test
  void honoursAnInterruptAndGoesOn() throws Exception {
    try (HostShell host = HostShell.start("bash --norc -i")) {
      Shell shell = Shell.on(host.console()).open();
      // Said by the command's own process: a ^C in the moment of bash's fork() leaves that process
      // in the foreground, with SIGINT blocked, and bash without its terminal.
      String command = "sh -c 'echo be\"\"gun; exec sleep 1000'";
      FutureTask<CommandResult> run = new FutureTask<>(() -> shell.run(command));
      Thread caller = new Thread(run);
      CountDownLatch begun = new CountDownLatch(1);
      host.console()
          .follow(
              line -> {
                if (line.text().equals("begun")) {
                  begun.countDown();
                }
              });
      caller.start();
      assertThat(begun.await(20, SECONDS)).isTrue();
      caller.interrupt();
      assertThatExceptionOfType(ExecutionException.class)
          .isThrownBy(run::get)
          .withCauseInstanceOf(WaitInterruptedException.class);
      assertThat(shell.run("echo alive").output()).isEqualTo("alive");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i"})
  void runsALineLongerThanLineEditorsTake(String program) throws IOException {
    assumeInstalled(program);
    String text = "it's \"quoted\" $HOME ''".repeat(200);
    String command = "echo '" + text.replace("'", "'\\''") + "'; (exit 3)";
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).open();
      assertThat(shell.run(command)).isEqualTo(new CommandResult(command, 3, text));
      assertThat(shell.run("if then" + " ".repeat(3000)).status()).isNotZero();
      assertThat(shell.run("echo alive").output()).isEqualTo("alive");
    }
  }

  @Test
  void throwsTheOutputOfACommandThatMustSucceed() throws IOException {
    try (HostShell host = HostShell.start("/bin/sh -i")) {
      Shell shell = Shell.on(host.console()).open();
      assertThatExceptionOfType(CommandFailedException.class)
          .isThrownBy(
              () -> shell.run("echo no link; exit_with() { return 3; }; exit_with").orThrow())
          .withMessageContainingAll("status 3", "no link");
    }
  }

  @Test
  void waitsForThePromptItIsTold(@TempDir Path directory) throws Exception {
    try (Peer guest = Peer.connect(directory)) {
      FutureTask<Shell> opening =
          new FutureTask<>(
              () -> Shell.on(guest.console()).prompt(Pattern.compile("ready> \\z")).open());
      new Thread(opening).start();
      guest.says("booting # \r\nready> ");
      answers(guest);
      assertThat(opening.get()).isNotNull();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"# ", "/ # ", "~ $ ", "root@OpenWrt:/# ", "[root@router ~]# ", "bash-5.2# "})
  void findsAPromptBehindWhichSomethingElseWasSaid(String prompt, @TempDir Path directory)
      throws Exception {
    try (Peer guest = Peer.connect(directory)) {
      guest.says("[    1.000000] CPU # 0\r\n" + prompt + "wan up\r\n");
      guest.console().expect("wan up");
      FutureTask<Shell> opening = new FutureTask<>(() -> Shell.on(guest.console()).open());
      new Thread(opening).start();
      answers(guest);
      assertThat(opening.get()).isNotNull();
    }
  }

  @Test
  void takesNoKernelMessageForAPrompt(@TempDir Path directory) throws Exception {
    try (Peer guest = Peer.connect(directory)) {
      guest.says("[    1.000000] CPU # 0\r\n");
      assertThatExceptionOfType(ConsoleTimeoutException.class)
          .isThrownBy(() -> Shell.on(guest.console()).timeout(Duration.ofMillis(20)).open())
          .withMessageContaining("a shell prompt");
    }
  }

  /** Echoes and answers the question whether there is a shell. */
  private static void answers(Peer guest) throws IOException {
    String typed = guest.hears("\n");
    String id = typed.replaceAll("(?s).*@''s([^']+)'.*", "$1");
    guest.says(typed + "@s" + id + "\r\nready> ");
  }

  private static void assumeInstalled(String program) {
    String name = program.split(" ", 2)[0];
    Assumptions.assumeTrue(
        Executable.named(name).lookUp().isPresent(), name + " is missing: apt-get install " + name);
  }
}
