package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.console.Console;
import org.liminix.uboot.SimulatedBoard.Late;
import org.liminix.uboot.SimulatedBoard.Options;

class UBootTest {
  static final Duration PATIENT = Duration.ofMinutes(2);

  static Console console(SimulatedBoard board) {
    return Console.over(board).name("board").open();
  }

  private static SimulatedBoard quiet(Options options) {
    return new SimulatedBoard(options, 0, 1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"=> ", "ath> ", "maltael # ", "U-Boot>", "MT7621 #"})
  void findsAnyPromptByItself(String prompt) {
    SimulatedBoard board = quiet(Options.USUAL.withPrompt(prompt));
    try (Console console = console(board)) {
      UBoot uboot = UBoot.on(console).open();

      assertThat(uboot.prompt()).isEqualTo(prompt);
      assertThat(uboot.hasLineEditor()).isTrue();
      assertThat(uboot.hasStatus()).isTrue();
    }
  }

  @Test
  void returnsOutputAndStatus() {
    try (Console console = console(quiet(Options.USUAL))) {
      UBoot uboot = UBoot.on(console).open();

      assertThat(uboot.run("do 7 well"))
          .isEqualTo(new UBootResult("do 7 well", OptionalInt.of(0), "did 7"));
      assertThat(uboot.run("do 9 badly").status()).hasValue(1);
      assertThatThrownBy(() -> uboot.run("do 9 badly").orThrow())
          .isInstanceOf(UBootException.class)
          .hasMessageContaining("do 9 badly ended with status 1:")
          .hasMessageContaining("did 9");
    }
  }

  @Test
  void isNotFooledByAPromptInTheOutput() {
    try (Console console = console(quiet(Options.USUAL))) {
      UBoot uboot = UBoot.on(console).open();

      assertThat(uboot.crc32(0x80000000L, 0x100)).isEqualTo(0x0d968558);
      assertThat(uboot.run("echo => ").output()).isEqualTo("=>");
    }
  }

  @Test
  void saysSoWhereAVendorsUBootHasNoStatusAndNoEditor() {
    SimulatedBoard board = quiet(Options.VENDOR);
    try (Console console = console(board)) {
      UBoot uboot = UBoot.on(console).open();

      assertThat(uboot.hasStatus()).isFalse();
      assertThat(uboot.hasLineEditor()).isFalse();
      assertThat(uboot.run("do 3 x"))
          .isEqualTo(new UBootResult("do 3 x", OptionalInt.empty(), "did 3"));
      assertThat(board.executed()).containsExactly("do 3 x");
    }
  }

  @Test
  void stopsAutobootWithAPassword() {
    SimulatedBoard board =
        quiet(Options.USUAL.withAutoboot("Enter password - autoboot in 3 s...", "sesame"));
    try (Console console = console(board)) {
      assertThat(UBoot.on(console).stopAutobootWith("sesame").open().run("do 1 x").status())
          .hasValue(0);
    }
  }

  @Test
  void stopsAutobootWithAnyKey() {
    SimulatedBoard board =
        quiet(Options.USUAL.withAutoboot("Hit any key to stop autoboot:  3 ", " "));
    try (Console console = console(board)) {
      assertThat(UBoot.on(console).open().prompt()).isEqualTo("=> ");
    }
  }

  @Test
  void setsVariablesAndReadsThemBack() {
    SimulatedBoard board = quiet(Options.USUAL);
    try (Console console = console(board)) {
      UBoot uboot = UBoot.on(console).open();

      uboot.setenv("bootargs", "console=ttyS0 root=/dev/mtdblock0");

      assertThat(board.environment())
          .containsEntry("bootargs", "console=ttyS0 root=/dev/mtdblock0");
      assertThat(uboot.getenv("bootargs")).contains("console=ttyS0 root=/dev/mtdblock0");
      assertThat(uboot.getenv("nothing")).isEmpty();
    }
  }

  @Test
  void refusesALineThatUBootsBufferDoesNotHold() {
    try (Console console = console(quiet(Options.USUAL))) {
      UBoot uboot = UBoot.on(console).open();

      assertThatThrownBy(() -> uboot.run("echo " + "x".repeat(300)))
          .isInstanceOf(UBootException.class)
          .hasMessageContaining("buffer is full");
      assertThat(uboot.run("do 1 x").status()).hasValue(0);
    }
  }

  @Test
  void refusesMoreThanOneLine() {
    try (Console console = console(quiet(Options.USUAL))) {
      UBoot uboot = UBoot.on(console).open();

      assertThatThrownBy(() -> uboot.run("do 1 x\ndo 2 x")).hasMessageContaining("Not one line");
      assertThatThrownBy(() -> uboot.run("echo 'x")).hasMessageContaining("never closed");
    }
  }

  @Test
  void saysWhyThereIsNoPrompt() {
    SimulatedBoard board =
        quiet(Options.USUAL.withAutoboot("Hit any key to stop autoboot:  3 ", "sesame"));
    try (Console console = console(board)) {
      assertThatThrownBy(() -> UBoot.on(console).timeout(Duration.ofSeconds(3)).open())
          .isInstanceOf(UBootException.class)
          .hasMessageContaining("No U-Boot prompt within 3 s")
          .hasMessageContaining("another key");
    }
  }

  @Test
  void stopsAutobootWithCtrlC() {
    SimulatedBoard board =
        quiet(Options.USUAL.withAutoboot("Press Ctrl-C to abort autoboot in 3 s", "\u0003"));
    try (Console console = console(board)) {
      assertThat(UBoot.on(console).stopAutobootWith("\u0003").open().run("do 1 x").status())
          .hasValue(0);
    }
  }

  @Test
  void leavesACommentOutOfTheLineThatTheStatusFollows() {
    SimulatedBoard board = quiet(Options.USUAL);
    try (Console console = console(board)) {
      UBoot uboot = UBoot.on(console).open();

      assertThat(uboot.run("do 3 x; # why").status()).hasValue(1);
      assertThat(board.executed()).containsExactly("do 3 x");
    }
  }

  @Test
  void refusesWhatCannotBeTypedAtAPrompt() {
    SimulatedBoard board = quiet(Options.USUAL);
    try (Console console = console(board)) {
      UBoot uboot = UBoot.on(console).open();

      assertThat(uboot.run("do\t1  x").output()).isEqualTo("did 1");
      assertThatThrownBy(() -> uboot.run("do 2 'a\tb'"))
          .hasMessageContaining("a tab within a word");
      assertThatThrownBy(() -> uboot.run("do 2 \u00fc")).hasMessageContaining("U+00fc");
      assertThatThrownBy(() -> uboot.run("do 2 x\u007f"))
          .hasMessageContaining("control character 0x7f at column 7");
      assertThatThrownBy(() -> uboot.run("do 2 \\")).hasMessageContaining("one of it and the next");
      assertThatThrownBy(() -> uboot.run("do 2 x &&"))
          .hasMessageContaining("nothing follows the &&");
      assertThat(board.executed()).containsExactly("do 1 x");
    }
  }

  static Stream<Options> boards() {
    return Stream.of(
        Options.USUAL,
        Options.USUAL.withLate(Late.EVERYTHING),
        Options.USUAL.withoutEditor(),
        Options.VENDOR,
        Options.VENDOR.withLate(Late.ECHO),
        Options.VENDOR.withEditor());
  }

  @ParameterizedTest
  @MethodSource("boards")
  void runsCommandsOnAnyKindOfBoard(Options options) {
    SimulatedBoard board = quiet(options);
    try (Console console = console(board)) {
      UBoot uboot = UBoot.on(console).open();

      assertThat(uboot.prompt()).isEqualTo(options.prompt());
      assertThat(uboot.hasLineEditor()).isEqualTo(options.editor());
      assertThat(uboot.hasStatus()).isEqualTo(options.hush());
      UBootResult result = uboot.run("do 3  'x;y'; echo ${none}=> $5");
      assertThat(result.output()).isEqualTo("did 3\n=> $5");
      assertThat(result.status())
          .isEqualTo(options.hush() ? OptionalInt.of(0) : OptionalInt.empty());
      uboot.setenv("a", "b c");
      assertThat(uboot.environment()).containsExactly(Map.entry("a", "b c"));
      assertThat(board.executed()).containsExactly("do 3 x;y");
      assertThat(board.unknown()).isEmpty();
    }
  }

  @Test
  void doesWithoutRunWhereThereIsNone() {
    SimulatedBoard board = quiet(Options.VENDOR.withoutRun());
    try (Console console = console(board)) {
      assertThat(UBoot.on(console).open().run("do 3 x").output()).isEqualTo("did 3");
      assertThat(board.executed()).containsExactly("do 3 x");
    }
  }

  @Test
  void typesWhatTheSimpleParserCannotKeepInAVariable() {
    SimulatedBoard board = quiet(Options.VENDOR);
    try (Console console = console(board)) {
      UBoot uboot = UBoot.on(console).open();

      // With what belongs to it, more than the 16 words that it takes.
      uboot.run("do 1 a b c d e f g h i j k l");

      assertThat(board.executed()).containsExactly("do 1 a b c d e f g h i j k l");
    }
  }

  @Test
  void runsNothingWronglyOverABadLine() {
    runs(Options.USUAL, 400, 0.002, 42);
  }

  @Test
  void runsNothingWronglyOverABadLineWithoutLineEditor() {
    runs(Options.VENDOR.withLate(Late.ECHO), 400, 0.002, 43);
  }

  /** Runs that many numbered commands and holds what the board ran against them. */
  static SimulatedBoard runs(Options options, int count, double fault, long seed) {
    SimulatedBoard board = new SimulatedBoard(options, fault, seed);
    List<String> wanted = new ArrayList<>();
    List<String> wrongStatus = new ArrayList<>();
    try (Console console = console(board)) {
      UBoot uboot = UBoot.on(console).timeout(PATIENT).open();
      for (int i = 1; i <= count; i++) {
        String command = "do " + i + " 0xbe0" + Integer.toHexString(i * 40503);
        UBootResult result = uboot.run(command);
        wanted.add(command);
        OptionalInt status =
            options.hush() ? OptionalInt.of(i % 3 == 0 ? 1 : 0) : OptionalInt.empty();
        if (!result.status().equals(status)) {
          wrongStatus.add(result.toString());
        }
      }
    }
    for (int i = 0; i < Math.min(wanted.size(), board.executed().size()); i++) {
      assertThat(board.executed().get(i)).as("command %d", i + 1).isEqualTo(wanted.get(i));
    }
    assertThat(board.executed()).hasSameSizeAs(wanted);
    assertThat(wrongStatus).isEmpty();
    return board;
  }
}
