package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.testkit.internal.Tools;
import org.liminix.uboot.AddressRange;
import org.liminix.uboot.CpuArchitecture;
import org.liminix.uboot.FirmwareImage;
import org.liminix.uboot.FlashDevice;
import org.liminix.uboot.FlashScript;
import org.liminix.uboot.FlashTarget;
import org.liminix.uboot.ImageData;
import org.liminix.uboot.ImageSource;
import org.liminix.uboot.MemoryMap;
import org.liminix.uboot.UBoot;
import org.liminix.uboot.UBootScript;
import org.liminix.uboot.UImage;

/** Flashes a board with a real U-Boot. */
class UBootVirtIT {
  private static final int FLASH_SIZE = 64 << 20;
  private static final int ERASE_BLOCK = 0x40000;
  private static final AddressRange FLASH = new AddressRange(0x4000000, FLASH_SIZE);
  private static final AddressRange FIRMWARE = new AddressRange(0x4080000, 0x200000);

  /** As bdinfo and flinfo print it. */
  private static final MemoryMap BOARD =
      MemoryMap.builder()
          .ram(new AddressRange(0x40000000, 0x10000000))
          .uboot(AddressRange.between(0x4dd00000, 0x50000000))
          .flash(
              FlashDevice.nor(FLASH, ERASE_BLOCK)
                  .withProtected("u-boot-env", new AddressRange(0, 0x40000))
                  .withPartition("firmware", new AddressRange(0x80000, 0x200000)))
          .build();

  @TempDir Path directory;

  @BeforeEach
  void requireQemu() {
    Tools.require("qemu-system-aarch64", "qemu-system-arm");
  }

  private static ImageData random(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return ImageData.of(bytes);
  }

  @Test
  void flashScrWritesTheFirmwareAndNothingElse() throws Exception {
    FirmwareImage firmware =
        FirmwareImage.of(
            UImage.builder()
                .architecture(CpuArchitecture.ARM64)
                .data(random(200_000))
                .build()
                .toImageData(),
            random(700_000),
            ERASE_BLOCK);
    Path result = Files.createDirectory(directory.resolve("result"));
    FlashScript script =
        FlashScript.builder()
            .serverIp("10.0.0.1")
            .ipAddress("10.0.0.8")
            .loadAddress(0x42000000)
            .firmware(firmware.toImageData())
            .target(FlashTarget.nor(FIRMWARE, ERASE_BLOCK).inPieces(0x800))
            .commandLine("console=ttyS0")
            .build();
    script.write(result);
    byte[] before = new byte[FLASH_SIZE];
    new Random(1).nextBytes(before);
    Path flash = Files.write(directory.resolve("flash"), before);
    List<String> progress = new ArrayList<>();

    try (UBootBoard board = UBootBoard.virt(flash, directory)) {
      UBoot uboot = UBoot.on(board.console()).timeout(Duration.ofSeconds(60)).open();
      assertThat(uboot.prompt()).isEqualTo("=> ");
      ImageSource served = ImageSource.directory(directory);
      UBootScript asWritten = UBootScript.read(result.resolve("flash.scr"));

      uboot.run(asWritten.check(BOARD, served), served, p -> progress.add(p.command()));

      assertThat(uboot.hasStatus()).isTrue();
    }

    byte[] wanted = before.clone();
    int start = (int) (FIRMWARE.start() - FLASH.start());
    byte[] written = firmware.toImageData().toByteArray();
    Arrays.fill(wanted, start, start + (int) FIRMWARE.size(), (byte) 0xff);
    System.arraycopy(written, 0, wanted, start, written.length);
    byte[] after = Files.readAllBytes(flash);
    assertThat(Arrays.mismatch(after, wanted)).as("first byte that differs").isEqualTo(-1);
    assertThat(progress)
        .hasSize(5 + (int) (firmware.size() + 0x7ff) / 0x800)
        .contains("erase 0x4080000 +0x200000");
  }
}
