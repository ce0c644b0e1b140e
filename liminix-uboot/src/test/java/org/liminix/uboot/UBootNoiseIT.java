package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.liminix.console.Console;
import org.liminix.uboot.SimulatedBoard.Late;
import org.liminix.uboot.SimulatedBoard.Options;
import org.liminix.uboot.SimulatedBoard.Trick;

/** The line loses, doubles and damages characters; the board reads nothing for seconds at times. */
class UBootNoiseIT {
  @Test
  void runsTenThousandCommandsOverABadLineAndNoneWrongly() {
    SimulatedBoard board = UBootTest.runs(Options.USUAL, 10_000, 0.0003, 7);

    assertThat(board.stalls()).isPositive();
    assertThat(board.dropped()).isPositive();
    assertThat(board.unknown()).isEmpty();
  }

  @Test
  void runsTenThousandCommandsWithoutLineEditorAndWithALateEchoAndNoneWrongly() {
    SimulatedBoard board = UBootTest.runs(Options.VENDOR.withLate(Late.ECHO), 10_000, 0.0003, 8);

    assertThat(board.stalls()).isPositive();
    assertThat(board.dropped()).isPositive();
  }

  @ParameterizedTest
  @MethodSource("org.liminix.uboot.UBootTest#boards")
  void survivesATrickOnAnyCharacter(Options options) {
    int step = options.late() == Late.NOTHING ? 1 : 43;
    for (Trick trick : EnumSet.complementOf(EnumSet.of(Trick.NONE))) {
      SimulatedBoard board = new SimulatedBoard(options, 0, 1);
      try (Console console = UBootTest.console(board)) {
        UBoot uboot = UBoot.on(console).timeout(UBootTest.PATIENT).open();
        for (int at = 0; at < 150; at += step) {
          int before = board.executed().size();
          board.playTrick(trick, at);
          uboot.run("do 1 %d;do 2 0xbe%d".formatted(at, at));
          assertThat(board.executed().subList(before, board.executed().size()))
              .as("%s at %d", trick, at)
              .containsExactly("do 1 " + at, "do 2 0xbe" + at);
          // One fault at a time: what this one may have left does not meet the next.
          board.environment().keySet().removeIf(name -> !name.equals("_n") && !name.equals("_s"));
        }
      }
    }
  }
}
