package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.console.Shell;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.DebianSource;
import org.liminix.testkit.internal.Tools;
import org.liminix.uboot.Compression;
import org.liminix.uboot.CpuArchitecture;
import org.liminix.uboot.ElfImage;
import org.liminix.uboot.ImageData;
import org.liminix.uboot.UBoot;
import org.liminix.uboot.UImage;

/**
 * U-Boot from a Malta's flash reads the disk, in either byte order. It is Debian's U-Boot,
 * configured so that it finds the drive.
 */
@Timeout(600)
class UBootMaltaDiskIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final long KERNEL = 0x8a000000L;
  private static final long INITRD = 0x87000000L;
  private static final long ROOTFS = 0x88000000L;

  /** {@link #ROOTFS} is above what Linux uses, and is its root. */
  private static final String MEMORY = "mem=128M phram.phram=phram0,0x8000000,16Mi,65536";

  private static Path boards;

  @TempDir Path directory;

  @BeforeAll
  static void buildUBoot() throws IOException {
    Tools.require("mke2fs", "e2fsprogs");
    boards = DebianSource.U_BOOT.directory(RouterImage.Builder.defaultCache());
  }

  @Test
  void bootsDebiansBigEndianKernelWithARootItHasReadIntoMemory() throws Exception {
    Path vmlinux = BigEndianImages.vmlinux();
    Path squashfs = BigEndianImages.squashfs();
    Path files = Files.createDirectory(directory.resolve("files"));
    UImage kernel = uimage(vmlinux);
    kernel.write(files.resolve("uImage"));
    ImageData rootfs = ImageData.file(squashfs);
    rootfs.writeTo(files.resolve("rootfs"));

    try (Vm vm =
        Vm.mips().uBoot(boards.resolve("malta.bin")).disk(disk(files)).timeout(PATIENCE).start()) {
      UBoot uboot = UBoot.on(vm.console()).timeout(PATIENCE).open();
      assertThat(uboot.prompt()).isEqualTo("malta # ");
      load(uboot, ROOTFS, "rootfs", rootfs);
      load(uboot, KERNEL, "uImage", kernel.toImageData());
      uboot.setenv("bootargs", "console=ttyS0 " + MEMORY + " root=/dev/mtdblock0");
      uboot.boot("bootm 0x%x".formatted(KERNEL), PATIENCE).expect("ROUTER-UP", PATIENCE);

      Shell shell = vm.shell();
      assertThat(shell.run("cat /proc/version").orThrow().output()).contains("mips-linux-gnu-gcc");
      assertThat(shell.run("grep ' / ' /proc/mounts").output()).contains("squashfs");
    }
  }

  @Test
  void bootsDebiansLittleEndianKernelWithARootItHasReadIntoMemory() throws Exception {
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
    Tools.requireImageBuilding();
    RouterImage image = RouterImage.debian(Architecture.MIPSEL).build();
    Path files = Files.createDirectory(directory.resolve("files"));
    UImage kernel = uimage(image.kernel());
    ImageData initrd = ImageData.file(image.initrd().orElseThrow());
    kernel.write(files.resolve("uImage"));
    ImageData rootfs = ImageData.file(image.rootfs().orElseThrow());
    initrd.writeTo(files.resolve("initrd"));
    rootfs.writeTo(files.resolve("rootfs"));

    try (Vm vm =
        Vm.mipsel()
            .uBoot(boards.resolve("maltael.bin"))
            .disk(disk(files))
            .timeout(PATIENCE)
            .start()) {
      UBoot uboot = UBoot.on(vm.console()).timeout(PATIENCE).open();
      assertThat(uboot.prompt()).isEqualTo("maltael # ");
      load(uboot, INITRD, "initrd", initrd);
      load(uboot, ROOTFS, "rootfs", rootfs);
      load(uboot, KERNEL, "uImage", kernel.toImageData());
      uboot.setenv(
          "bootargs",
          "console=ttyS0 rd_start=0x%x rd_size=%d %s %s"
              .formatted(INITRD, initrd.size(), MEMORY, image.commandLine()));
      uboot.boot("bootm 0x%x".formatted(KERNEL), PATIENCE).expect("router: ready", PATIENCE);

      Shell shell = vm.shell();
      assertThat(shell.run("uname -r").orThrow().output()).endsWith("-4kc-malta");
      assertThat(shell.run("grep ' / ' /proc/mounts").output()).contains("squashfs");
    }
  }

  private static void load(UBoot uboot, long address, String file, ImageData expected) {
    uboot.run("load ide 0 0x%x %s".formatted(address, file), PATIENCE).orThrow();
    assertThat(uboot.crc32(address, expected.size())).as(file).isEqualTo(expected.crc32());
  }

  private static UImage uimage(Path vmlinux) throws IOException {
    ElfImage.LoadableBinary binary = ElfImage.read(vmlinux).toBinary();
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
      gzip.write(binary.data().toByteArray());
    }
    return UImage.builder()
        .architecture(CpuArchitecture.MIPS)
        .compression(Compression.GZIP)
        .loadAddress(binary.loadAddress())
        .entryPoint(binary.entryPoint())
        .name("Debian")
        .data(ImageData.of(packed.toByteArray()))
        .build();
  }

  private Path disk(Path tree) throws Exception {
    Path disk = directory.resolve("disk");
    Tools.output("mke2fs", "-q", "-t", "ext2", "-d", tree.toString(), disk.toString(), "24M");
    return disk;
  }
}
