package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.process.MissingToolException;
import org.liminix.process.WaitInterruptedException;
import org.liminix.test.ChildJvm;
import org.liminix.test.SerialBench;

@Timeout(60)
class ProcessLineTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir Path directory;

  private static Console console(ProcessLine line) {
    return Console.over(line).name("line").state(line::toString).timeout(LONG).open();
  }

  @Test
  void carriesAShell() throws Exception {
    try (ProcessLine line = ProcessLine.of("/bin/sh").start();
        Console console = console(line)) {
      Shell shell = Shell.on(console).withoutPrompt().open();
      assertThat(shell.run("echo out; echo err >&2; exit_status=3; (exit 3)"))
          .isEqualTo(
              new CommandResult("echo out; echo err >&2; exit_status=3; (exit 3)", 3, "out\nerr"));
    }
  }

  @Test
  void carriesAShellOnATerminal() throws Exception {
    SerialBench.require("script");
    try (ProcessLine line = ProcessLine.of("/bin/sh", "-i").terminal().start();
        Console console = console(line)) {
      Shell shell = Shell.on(console).open();
      assertThat(shell.run("tty").orThrow().output()).startsWith("/dev/pts/");
      // Itself it says that it runs: a ^C that meets the shell's fork is lost.
      console.sendLine("tail -f " + Files.writeString(directory.resolve("f"), "ready\n"));
      console.expect("ready");
      console.send("\u0003");
      assertThat(shell.run("echo $((6 * 9))").output()).isEqualTo("54");
    }
  }

  @Test
  void passesArgumentsAsTheyAre() throws Exception {
    SerialBench.require("script");
    String odd = "it's \"$HOME\" \\ `x` ;&|";
    try (ProcessLine plain = ProcessLine.of("printf", "%s.\n", odd).start();
        ProcessLine terminal = ProcessLine.of("printf", "%s.\n", odd).terminal().start();
        Console first = console(plain);
        Console second = console(terminal)) {
      assertThat(first.expect(odd + ".")).isNotNull();
      assertThat(second.expect(odd + ".")).isNotNull();
    }
  }

  @Test
  void endsWithWhatTheProgramSaidLast() throws Exception {
    try (ProcessLine line = ProcessLine.of("/bin/sh", "-c", "echo good bye; exit 7").start();
        Console console = console(line)) {
      assertThatExceptionOfType(ConsoleClosedException.class)
          .isThrownBy(() -> console.expect("welcome"))
          .withMessageContaining("good bye");
      assertThat(line.exit().get(30, TimeUnit.SECONDS)).isEqualTo(7);
      assertThat(line).hasToString("/bin/sh -c echo good bye; exit 7 has ended with exit status 7");
    }
  }

  @Test
  void losesNothingOfAProgramThatEndsAtOnce() throws Exception {
    for (int i = 0; i < 20; i++) {
      try (ProcessLine line = ProcessLine.of("echo", "hello").start()) {
        ByteBuffer heard = ByteBuffer.allocate(100);
        while (line.read(heard) >= 0) {}
        assertThat(new String(heard.array(), 0, heard.position(), StandardCharsets.UTF_8))
            .isEqualTo("hello\n");
      }
    }
  }

  @Test
  void killsTheProgramWhenItIsClosed() throws Exception {
    ProcessLine line = ProcessLine.of("/bin/sh", "-c", "echo pid $$.; exec sleep 1000").start();
    try (Console console = console(line)) {
      ProcessHandle program = programOf(console);
      line.close();
      line.close();
      program.onExit().get(30, TimeUnit.SECONDS);
      assertThat(line.isOpen()).isFalse();
      assertThatExceptionOfType(ConsoleClosedException.class)
          .isThrownBy(() -> console.expect("more"));
    }
  }

  @Test
  void givesUpAnInterruptedWriteToAProgramThatReadsNothing() throws Exception {
    try (ProcessLine line = ProcessLine.of("sleep", "1000").start()) {
      Thread.currentThread().interrupt();
      assertThatExceptionOfType(WaitInterruptedException.class)
          .isThrownBy(
              () -> {
                while (line.isOpen()) {
                  line.write(ByteBuffer.allocate(65536));
                }
              });
      assertThat(Thread.interrupted()).isTrue();
      assertThat(line.isOpen()).isTrue();
    }
  }

  @Test
  void namesTheProgramThatIsMissing() {
    assertThatExceptionOfType(MissingToolException.class)
        .isThrownBy(() -> ProcessLine.of("no-such-program").start())
        .withMessageContaining("no-such-program");
  }

  @Test
  void leavesNoProgramWhenTheJvmIsKilled() throws Exception {
    SerialBench.require("script");
    for (String kind : new String[] {"plain", "terminal"}) {
      try (ChildJvm jvm = ChildJvm.run(LineMain.class, kind)) {
        ProcessHandle program = ProcessHandle.of(Long.parseLong(jvm.line())).orElseThrow();
        jvm.kill();
        program.onExit().get(30, TimeUnit.SECONDS);
      }
    }
  }

  private static ProcessHandle programOf(Console console) {
    String pid = console.expect(Pattern.compile("pid (\\d+)\\."), LONG).group(1);
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }

  /** Prints the process id of a program behind a line, and waits. */
  public static final class LineMain {
    private LineMain() {}

    public static void main(String[] arguments) throws IOException {
      ProcessLine.Builder builder =
          ProcessLine.of("/bin/sh", "-c", "echo pid $$.; exec sleep 1000");
      if (arguments[0].equals("terminal")) {
        builder.terminal();
      }
      System.out.println(programOf(console(builder.start())).pid());
      int end = System.in.read();
      System.exit(end < 0 ? 0 : 1);
    }
  }
}
