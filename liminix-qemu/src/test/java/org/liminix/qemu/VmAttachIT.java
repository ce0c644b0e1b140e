package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.console.Console;
import org.liminix.test.ChildJvm;
import org.liminix.test.Tmux;

/** A person at a terminal who joins a machine. */
@Timeout(180)
class VmAttachIT {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final String LEAVE = "\u000f";
  private static final String SWITCH = "\u0010";

  @TempDir Path directory;

  private Tmux tmux;
  private Console screen;

  @BeforeEach
  void open() throws Exception {
    tmux = Tmux.open();
    screen = tmux.screen();
  }

  @AfterEach
  void close() throws Exception {
    tmux.close();
  }

  private void start(String command) {
    tmux.type("modes=$(stty -g); " + command);
    tmux.type("; test \"$(stty -g)\" = \"$modes\" && echo same-$((40 + 2))\r");
    screen.expect("^P goes to monitor", LONG);
  }

  @Test
  void switchesBetweenConsoleAndMonitorUntilItEnds() throws IOException {
    try (Vm vm = TinyGuest.boots(directory, true).start()) {
      vm.console().expect("OK", LONG);
      start("../scripts/connect-vm " + vm.runDirectory());
      screen.expect("OK", LONG);
      tmux.type(SWITCH);
      screen.expect("[monitor]", LONG);
      screen.expect("(qemu) ", LONG);
      tmux.type("info status\r");
      screen.expect("VM status: running", LONG);
      tmux.type(SWITCH);
      screen.expect("[console]", LONG);
      tmux.type("ping.");
      screen.expect("ping.", LONG);
      vm.console().expect("ping.", LONG);
      tmux.type(SWITCH);
      screen.expect("(qemu) ", LONG);
      tmux.type("quit\r");
      screen.expect("[monitor has ended]", LONG);
      screen.expect("same-42", LONG);
    }
  }

  @Test
  void waitsForSomebodyToJoinAndLeaveWhereItHasNoTerminal() throws Exception {
    try (ChildJvm program = ChildJvm.runWithoutTerminal(Program.class, directory.toString())) {
      assertThat(program.line()).startsWith("There is no terminal");
      assertThat(program.line()).contains("to leave by ^O");
      start(program.line().strip());
      screen.expect("OK", LONG);
      tmux.type(LEAVE);
      screen.expect("same-42", LONG);
      assertThat(program.line()).isEqualTo("departed: LEFT");
      program.finish();
    }
  }

  /** Has a machine attach a terminal. */
  static final class Program {
    private Program() {}

    public static void main(String[] arguments) throws IOException {
      System.setErr(System.out);
      System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
      try (Vm vm = TinyGuest.boots(Path.of(arguments[0]), true).start()) {
        System.out.println("departed: " + vm.attach());
      }
    }
  }
}
