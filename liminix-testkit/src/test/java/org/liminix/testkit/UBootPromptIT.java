package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.testkit.internal.Tools;
import org.liminix.uboot.UBoot;
import org.liminix.uboot.UBootException;
import org.liminix.uboot.UBootResult;

/** The prompt of a real U-Boot on a machine with a reset button. */
@Timeout(180)
class UBootPromptIT {
  private static final Duration LONG = Duration.ofMinutes(1);

  @TempDir Path directory;

  @BeforeEach
  void requireQemu() {
    Tools.require("qemu-system-aarch64", "qemu-system-arm");
  }

  private UBootBoard board() throws IOException {
    return UBootBoard.virt(
        List.of(
            "qemu-system-aarch64",
            "-M",
            "virt",
            "-cpu",
            "cortex-a53",
            "-m",
            "128",
            "-bios",
            UBootBoard.firmware("qemu_arm64").toString()),
        false,
        directory);
  }

  @Test
  void noticesAResetInTheMiddleOfACommand() throws Exception {
    try (UBootBoard board = board()) {
      UBoot uboot = UBoot.on(board.console()).timeout(LONG).open();
      uboot.setenv("colour", "blue");
      board.pressResetAt("it runs");

      assertThatThrownBy(() -> uboot.run("echo it runs; sleep 1000", LONG))
          .isInstanceOf(UBootException.class)
          .hasMessageContaining("started anew while it ran \"echo it runs; sleep 1000\"")
          .hasMessageContaining("begin again")
          .hasNoSuppressedExceptions();

      assertThat(uboot.getenv("colour")).isEmpty();
      UBootResult after = uboot.run("echo hello");
      assertThat(after.output()).isEqualTo("hello");
      assertThat(after.status()).hasValue(0);
    }
  }

  @Test
  void noticesAResetByWhatUBootHasForgotten() throws Exception {
    try (UBootBoard board = board()) {
      UBoot uboot =
          UBoot.on(board.console())
              .timeout(LONG)
              .autobootMessage(Pattern.compile("not what it says"))
              .open();
      board.pressResetAt("it runs");

      assertThatThrownBy(() -> uboot.run("echo it runs; sleep 1000", LONG))
          .isInstanceOf(UBootException.class)
          .hasMessageContaining("started anew")
          .hasNoSuppressedExceptions();

      assertThat(uboot.run("echo hello").output()).isEqualTo("hello");
    }
  }

  @Test
  void noticesAResetWhereAKernelShouldStart() throws Exception {
    try (UBootBoard board = board()) {
      UBoot uboot = UBoot.on(board.console()).timeout(LONG).open();

      assertThatThrownBy(() -> uboot.boot("reset"))
          .isInstanceOf(UBootException.class)
          .hasMessageContaining("started anew while it ran \"reset\"");

      assertThat(uboot.run("echo hello").output()).isEqualTo("hello");
    }
  }

  @Test
  void takesABannerForNoResetWhereACommandPrintsIt() throws Exception {
    try (UBootBoard board = board()) {
      UBoot uboot = UBoot.on(board.console()).timeout(LONG).open();

      assertThat(uboot.run("version; sleep 2; echo end").orThrow().output())
          .startsWith("U-Boot 20")
          .endsWith("end");
    }
  }
}
