package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.process.RunDirectory;
import org.liminix.test.ChildJvm;
import org.liminix.test.Tmux;

/** A person at a terminal: what {@code connect-vm} and programs that attach do to it. */
@Timeout(120)
class AttachmentIT {
  private static final String LEAVE = "\u000f";
  private static final String PROGRAM =
      "java -cp target/classes:target/test-classes " + AttachedProgram.class.getName();

  private RunDirectory run;
  private Tmux tmux;
  private Console screen;

  @BeforeEach
  void open() throws Exception {
    run = RunDirectory.create("router");
    tmux = Tmux.open();
    screen = tmux.screen();
    // Modes that no default has: what is restored has been saved.
    tmux.type("stty -echok intr ^K; modes=$(stty -g); echo modes-$((40 + 2))\r");
    screen.expect("modes-42");
  }

  @AfterEach
  void close() throws Exception {
    tmux.close();
    run.close();
  }

  /** Runs a command; when it has ended, the terminal's modes are compared. */
  private void start(String command) {
    tmux.type(command + "; test \"$(stty -g)\" = \"$modes\" && echo same-$((40 + 2))\r");
  }

  private void expectTheTerminalAsItWas() {
    screen.expect("same-42");
  }

  /** Starts connect-vm, which speaks its process id first. */
  private ProcessHandle connect() {
    start("sh -c 'echo pid $$.; exec ../scripts/connect-vm " + run + "'");
    return process();
  }

  private ProcessHandle process() {
    String pid = screen.expect(Pattern.compile("pid (\\d+)\\.")).group(1);
    screen.expect("helps]");
    return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
  }

  @Test
  void typesIntoAShellAndLeaves() throws Exception {
    try (HostShell shell = HostShell.start("/bin/sh");
        ConsoleServer server = ConsoleServer.serve(shell.console(), run.socket("console"))) {
      shell.console().sendLine("echo before-$((40 + 2))");
      shell.console().expect("before-42");
      var unused = connect();
      screen.expect("before-42");
      tmux.type("sh -c 'echo runs-$((40 + 2)); exec sleep 1000'\r");
      screen.expect("runs-42");
      tmux.type("\u0003echo after-$((40 + 2))\r");
      screen.expect("after-42");
      tmux.type(LEAVE);
      expectTheTerminalAsItWas();
      shell.console().expect("after-42");
    }
  }

  @Test
  void restoresTheTerminalWhenTheFarEndDies() throws Exception {
    try (Peer guest = Peer.connect(run.path());
        ConsoleServer server = ConsoleServer.serve(guest.console(), run.socket("console"))) {
      var unused = connect();
      guest.says("Kernel panic\r\n");
      guest.hangsUp();
      screen.expect("Kernel panic");
      screen.expect("[console has ended]");
      expectTheTerminalAsItWas();
    }
  }

  @Test
  void restoresTheTerminalWhenItIsTerminated() throws Exception {
    try (Peer guest = Peer.connect(run.path());
        ConsoleServer server = ConsoleServer.serve(guest.console(), run.socket("console"))) {
      assertThat(connect().destroy()).isTrue();
      expectTheTerminalAsItWas();
    }
  }

  @Test
  void restoresTheTerminalWhenItsJvmIsKilled() throws Exception {
    try (Peer guest = Peer.connect(run.path());
        ConsoleServer server = ConsoleServer.serve(guest.console(), run.socket("console"))) {
      ProcessHandle script = connect();
      assertThat(child(script, "java").destroyForcibly()).isTrue();
      expectTheTerminalAsItWas();
    }
  }

  @Test
  void restoresTheTerminalOfAProgramThatIsTerminated() {
    start(PROGRAM);
    assertThat(process().destroy()).isTrue();
    expectTheTerminalAsItWas();
  }

  @Test
  void restoresTheTerminalOfAProgramThatIsKilled() throws Exception {
    tmux.type(PROGRAM + "; echo killed-$((40 + 2))\r");
    ProcessHandle program = process();
    ProcessHandle guard = child(program, "sh");
    assertThat(program.destroyForcibly()).isTrue();
    guard.onExit().get(40, TimeUnit.SECONDS);
    screen.expect("killed-42");
    start("true");
    expectTheTerminalAsItWas();
  }

  private static ProcessHandle child(ProcessHandle parent, String program) {
    return parent
        .children()
        .filter(child -> child.info().command().orElse("").matches(".*/(" + program + "|dash)"))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void goesOnWhenTheWindowIsResized() throws Exception {
    start(PROGRAM);
    screen.expect("size 24x80.");
    tmux.resize(30, 100);
    screen.expect("size 30x100.");
    tmux.type("still here.\u001ds");
    screen.expect("still here.stty rows 30 cols 100");
    tmux.type(LEAVE);
    screen.expect("departed: LEFT");
    expectTheTerminalAsItWas();
  }

  @Test
  void saysHowToJoinAProgramThatHasNoTerminal() throws Exception {
    try (Peer guest = Peer.connect(run.path());
        ConsoleServer server = ConsoleServer.serve(guest.console(), run.socket("board"));
        ChildJvm program =
            ChildJvm.runWithoutTerminal(AttachedProgram.class, run.file("board").toString())) {
      assertThat(program.line()).startsWith("There is no terminal: /dev/tty");
      assertThat(program.line()).contains("to leave by ^O");
      start(program.line().strip());
      screen.expect("[console of board");
      tmux.type("here.");
      assertThat(guest.hears(".")).isEqualTo("here.");
      tmux.type(LEAVE);
      expectTheTerminalAsItWas();
      assertThat(program.line()).isEqualTo("departed: LEFT");
    }
  }

  @Test
  void waitsNoLongerForSomebodyToJoinWhatHasEnded() throws IOException {
    try (Peer guest = Peer.connect(run.path());
        ConsoleServer server = ConsoleServer.serve(guest.console(), run.socket("board"));
        ChildJvm program =
            ChildJvm.runWithoutTerminal(AttachedProgram.class, run.file("board").toString())) {
      assertThat(program.line()).startsWith("There is no terminal");
      assertThat(program.line()).contains("to leave by ^O");
      assertThat(program.line()).contains("connect-vm");
      guest.hangsUp();
      assertThat(program.line()).isEqualTo("departed: ENDED");
    }
  }
}
