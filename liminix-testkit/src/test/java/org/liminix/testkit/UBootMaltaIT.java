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
import org.liminix.console.Console;
import org.liminix.console.Shell;
import org.liminix.testkit.internal.Tools;
import org.liminix.uboot.AddressRange;
import org.liminix.uboot.Addressing;
import org.liminix.uboot.CpuArchitecture;
import org.liminix.uboot.ElfImage;
import org.liminix.uboot.FlashDevice;
import org.liminix.uboot.FlashScript;
import org.liminix.uboot.FlashTarget;
import org.liminix.uboot.ImageData;
import org.liminix.uboot.ImageSource;
import org.liminix.uboot.ImageType;
import org.liminix.uboot.KernelFormat;
import org.liminix.uboot.MemoryMap;
import org.liminix.uboot.ScriptPlan;
import org.liminix.uboot.TftpBootScript;
import org.liminix.uboot.UBoot;
import org.liminix.uboot.UBootScript;
import org.liminix.uboot.UImage;

/** Flashes and boots a MIPS board with a real U-Boot. */
class UBootMaltaIT {
  private static final int ERASE_BLOCK = 0x10000;
  private static final int FIRMWARE = 0x50000;
  private static final int FIRMWARE_END = 0x3e0000;
  private static final long INITRD_HIGH = 0x87000000L;

  /**
   * As bdinfo and flinfo print it, but for the fifth block of flash: the tail of U-Boot is there,
   * although U-Boot does not protect it.
   */
  private static final MemoryMap BOARD =
      MemoryMap.builder()
          .addressing(Addressing.MIPS)
          .ram(new AddressRange(0x80000000L, 0x10000000))
          .uboot(AddressRange.between(0x8ff60000L, 0x90000000L))
          .flash(
              FlashDevice.nor(new AddressRange(0xbe000000L, 0x400000), ERASE_BLOCK)
                  .withProtected("u-boot", new AddressRange(0, FIRMWARE))
                  .withPartition("firmware", AddressRange.between(FIRMWARE, FIRMWARE_END))
                  .withProtected("u-boot-env", new AddressRange(FIRMWARE_END, 0x20000)))
          .build();

  /** As Liminix's output mtdimage writes it. */
  private static final String LIMINIX_FLASH_SCR =
      """
      setenv serverip 10.0.0.1
      setenv ipaddr 10.0.0.8
      tftp 0x81000000 result/firmware.bin
      erase 0xBE050000 +0x390000
      cp.b 0x81000000 0xBE050000 ${filesize}
      echo command line was "console=ttyS0"
      """;

  @TempDir Path directory;

  @BeforeEach
  void requireQemu() {
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
  }

  @Test
  void liminixsFlashScrPastedThroughAPseudoTerminalWritesTheFirmwareAndNothingElse()
      throws Exception {
    // QEMU takes a buffered write only into the first 2 KiB of a sector: it bases its buffer on
    // the address of the count, which U-Boot writes to the start of the sector.
    byte[] firmware = new byte[0x800];
    new Random(1).nextBytes(firmware);
    Path result = Files.createDirectory(directory.resolve("result"));
    FlashScript.builder()
        .serverIp("10.0.0.1")
        .ipAddress("10.0.0.8")
        .loadAddress(0x81000000L)
        .firmware(ImageData.of(firmware))
        .target(FlashTarget.nor(new AddressRange(0xbe050000L, 0x390000), ERASE_BLOCK))
        .commandLine("console=ttyS0")
        .build()
        .write(result);
    byte[] before = UBootBoard.maltaFlash();
    Arrays.fill(before, FIRMWARE, FIRMWARE_END, (byte) 0x5a);
    Path flash = Files.write(directory.resolve("flash"), before);
    List<String> progress = new ArrayList<>();

    assertThat(result.resolve("flash.scr")).hasContent(LIMINIX_FLASH_SCR);

    try (UBootBoard board = UBootBoard.malta(flash, true, directory)) {
      UBoot uboot = UBoot.on(board.console()).timeout(Duration.ofSeconds(60)).open();
      ImageSource served = ImageSource.directory(directory);
      ScriptPlan plan = UBootScript.parse(LIMINIX_FLASH_SCR).check(BOARD, served);

      uboot.run(plan, served, p -> progress.add(p.command()));

      assertThat(uboot.prompt()).isEqualTo("maltael # ");
      assertThat(uboot.hasStatus()).isTrue();
      assertThat(uboot.hasLineEditor()).isTrue();
      uboot.reset();
      assertThat(uboot.crc32(0xbe050000L, firmware.length))
          .isEqualTo(ImageData.of(firmware).crc32());
    }

    byte[] wanted = before.clone();
    Arrays.fill(wanted, FIRMWARE, FIRMWARE_END, (byte) 0xff);
    System.arraycopy(firmware, 0, wanted, FIRMWARE, firmware.length);
    assertThat(Arrays.mismatch(Files.readAllBytes(flash), wanted))
        .as("the first byte that differs")
        .isEqualTo(-1);
    assertThat(progress).hasSize(6).contains("erase 0xBE050000 +0x390000");
  }

  @Test
  void bootScrBootsDebiansKernelWithARootInMemory() throws Exception {
    Tools.requireImageBuilding();
    RouterImage image = RouterImage.debian(Architecture.MIPSEL).build();
    ElfImage.LoadableBinary vmlinux = ElfImage.read(image.kernel()).toBinary();
    ImageData kernelAndInitrd =
        UImage.builder()
            .architecture(CpuArchitecture.MIPS)
            .type(ImageType.MULTI)
            .loadAddress(vmlinux.loadAddress())
            .entryPoint(vmlinux.entryPoint())
            .name("Debian with its initramfs")
            .data(vmlinux.data())
            .data(ImageData.file(image.initrd().orElseThrow()))
            .build()
            .toImageData();
    // U-Boot moves the initramfs below initrd_high, which is in what mem= leaves to Linux, but
    // tells
    // Linux in a way that it does not understand on MIPS.
    long initrdSize = Files.size(image.initrd().orElseThrow());
    long initrdAt = (INITRD_HIGH - initrdSize) & -0x1000;
    TftpBootScript script =
        TftpBootScript.builder()
            .serverIp("10.0.0.1")
            .ipAddress("10.0.0.8")
            .loadAddress(0x88000000L)
            .addressing(Addressing.MIPS)
            .rootfs(ImageData.file(image.rootfs().orElseThrow()))
            .kernel(KernelFormat.UIMAGE, kernelAndInitrd)
            .commandLine(
                "console=ttyS0 mem=128M rd_start=0x%x rd_size=%d %s"
                    .formatted(initrdAt, initrdSize, image.commandLine()))
            .build();
    script.write(directory.resolve("result"));
    Path flash = Files.write(directory.resolve("flash"), UBootBoard.maltaFlash());

    try (UBootBoard board = UBootBoard.malta(flash, false, directory)) {
      UBoot uboot = UBoot.on(board.console()).timeout(Duration.ofSeconds(60)).open();
      uboot.setenv("initrd_high", "0x%x".formatted(INITRD_HIGH));
      ImageSource served = ImageSource.directory(directory);

      uboot.run(
          UBootScript.read(directory.resolve("result/boot.scr")).check(BOARD, served), served);

      Console linux = uboot.console();
      linux.expect("router: ready", Duration.ofMinutes(2));
      Shell shell = Shell.on(linux).withoutPrompt().open();
      assertThat(shell.run("cat /proc/mtd").output()).contains("phram0");
      assertThat(shell.run("cat /proc/cmdline").output()).contains("phram.phram=phram0,134217728,");
      assertThat(shell.run("mount").output()).contains("squashfs");
    }
  }
}
