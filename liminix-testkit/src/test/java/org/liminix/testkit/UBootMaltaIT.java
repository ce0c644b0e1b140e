package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
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
import org.liminix.uboot.ImageData;
import org.liminix.uboot.ImageSource;
import org.liminix.uboot.ImageType;
import org.liminix.uboot.KernelFormat;
import org.liminix.uboot.MemoryMap;
import org.liminix.uboot.TftpBootScript;
import org.liminix.uboot.UBoot;
import org.liminix.uboot.UBootScript;
import org.liminix.uboot.UImage;

/** Boots a MIPS board with a real U-Boot from memory. */
class UBootMaltaIT {
  private static final long INITRD_HIGH = 0x87000000L;

  /** As bdinfo prints it. */
  private static final MemoryMap BOARD =
      MemoryMap.builder()
          .addressing(Addressing.MIPS)
          .ram(new AddressRange(0x80000000L, 0x10000000))
          .uboot(AddressRange.between(0x8ff60000L, 0x90000000L))
          .build();

  @TempDir Path directory;

  @BeforeEach
  void requireQemu() {
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
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

    try (UBootBoard board = UBootBoard.malta(flash, directory)) {
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
