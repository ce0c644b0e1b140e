package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.liminix.console.Console;
import org.liminix.console.Shell;
import org.liminix.testkit.internal.Tools;
import org.liminix.uboot.AddressRange;
import org.liminix.uboot.CpuArchitecture;
import org.liminix.uboot.DeviceTree;
import org.liminix.uboot.Fit;
import org.liminix.uboot.FitConfiguration;
import org.liminix.uboot.FitImage;
import org.liminix.uboot.ImageData;
import org.liminix.uboot.ImageSource;
import org.liminix.uboot.ImageType;
import org.liminix.uboot.KernelFormat;
import org.liminix.uboot.MemoryMap;
import org.liminix.uboot.OperatingSystem;
import org.liminix.uboot.TftpBootScript;
import org.liminix.uboot.UBoot;
import org.liminix.uboot.UBootScript;
import org.liminix.uboot.UImage;

/**
 * Boots ARM boards over TFTP with a real U-Boot. Debian's kernels for them have no phram, so they
 * stay in their initramfs; that Linux keeps off the root filesystem is seen in the RAM of the
 * machine, which is a file.
 */
@Timeout(600)
class UBootVirtIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final AddressRange RAM = new AddressRange(0x40000000L, 0x20000000);
  private static final long LOAD_ADDRESS = 0x44000000L;

  /** Where a kernel in a uImage or FIT goes; at a multiple of 2 MiB, as arm64 wants it. */
  private static final long KERNEL_ADDRESS = 0x42000000L;

  private static final String SHELL = "console=ttyAMA0 %s rdinit=/bin/busybox sh";

  /** As bdinfo prints it. */
  private static final MemoryMap BOARD =
      MemoryMap.builder().ram(RAM).uboot(AddressRange.between(0x5c000000L, RAM.end())).build();

  @TempDir Path directory;

  enum Board {
    ARM(Architecture.ARMHF, CpuArchitecture.ARM, "qemu-system-arm", "cortex-a15", "qemu_arm"),
    AARCH64(
        Architecture.ARM64,
        CpuArchitecture.ARM64,
        "qemu-system-aarch64",
        "cortex-a53",
        "qemu_arm64");

    private final Architecture debian;
    private final CpuArchitecture uboot;
    private final String program;
    private final String cpu;
    private final String firmware;

    Board(Architecture debian, CpuArchitecture uboot, String program, String cpu, String firmware) {
      this.debian = debian;
      this.uboot = uboot;
      this.program = program;
      this.cpu = cpu;
      this.firmware = firmware;
    }
  }

  enum Boot {
    ARM_FIT(Board.ARM, KernelFormat.FIT),
    ARM_ZIMAGE(Board.ARM, KernelFormat.ZIMAGE),
    AARCH64_IMAGE(Board.AARCH64, KernelFormat.IMAGE);

    private final Board board;
    private final KernelFormat format;

    Boot(Board board, KernelFormat format) {
      this.board = board;
      this.format = format;
    }

    ImageData pack(ImageData kernel, DeviceTree tree) {
      return switch (format) {
        case ZIMAGE, IMAGE -> kernel;
        case UIMAGE -> uimage(board, kernel);
        case FIT ->
            Fit.builder()
                .description("Debian")
                .image(
                    FitImage.builder("kernel", ImageType.KERNEL)
                        .architecture(board.uboot)
                        .os(OperatingSystem.LINUX)
                        .loadAddress(KERNEL_ADDRESS)
                        .entryPoint(KERNEL_ADDRESS)
                        .data(kernel)
                        .hash("sha256")
                        .build())
                .image(
                    FitImage.builder("fdt-1", ImageType.FLAT_DT)
                        .architecture(board.uboot)
                        .data(tree.toImageData())
                        .hash("sha256")
                        .build())
                .configuration(FitConfiguration.of("conf-1", "Linux", "kernel").withFdt("fdt-1"))
                .build()
                .toImageData();
      };
    }
  }

  private static ImageData uimage(Board board, ImageData kernel) {
    return UImage.builder()
        .architecture(board.uboot)
        .loadAddress(KERNEL_ADDRESS)
        .name("Debian")
        .data(kernel)
        .build()
        .toImageData();
  }

  @BeforeEach
  void requireTools() {
    Tools.requireImageBuilding();
  }

  private List<String> machine(Board board) {
    List<String> machine = new ArrayList<>();
    machine.addAll(List.of(board.program, "-cpu", board.cpu, "-m", "512"));
    machine.addAll(
        List.of("-object", "memory-backend-file,id=ram,share=on,size=512M,mem-path=" + ramFile()));
    machine.addAll(List.of("-bios", UBootBoard.firmware(board.firmware).toString()));
    machine.addAll(List.of("-M", "virt,memory-backend=ram"));
    return machine;
  }

  private Path ramFile() {
    return directory.resolve("ram");
  }

  /** The device tree that this QEMU would give to its firmware. */
  private DeviceTree deviceTree(Board board) throws Exception {
    Path file = directory.resolve("dtb");
    List<String> dump = machine(board);
    dump.set(dump.size() - 1, dump.get(dump.size() - 1) + ",dumpdtb=" + file);
    dump.addAll(List.of("-nodefaults", "-display", "none"));
    Tools.output(dump.toArray(String[]::new));
    return DeviceTree.read(file).withSlack(0);
  }

  @ParameterizedTest
  @EnumSource(Boot.class)
  void bootScrBootsDebiansKernelToAShell(Boot boot) throws Exception {
    Tools.require(boot.board.program, "qemu-system-arm");
    RouterImage image = MachinesIT.image(boot.board.debian).build();
    ImageData rootfs = ImageData.file(image.rootfs().orElseThrow());
    DeviceTree tree = deviceTree(boot.board);
    TftpBootScript script =
        builder()
            .rootfs(rootfs)
            .initrd(ImageData.file(image.initrd().orElseThrow()))
            .deviceTree(tree)
            .kernel(boot.format, boot.pack(ImageData.file(image.kernel()), tree))
            .commandLine(SHELL.formatted(image.commandLine()))
            .build();
    script.write(directory.resolve("result"));

    try (UBootBoard board = UBootBoard.virt(machine(boot.board), false, directory)) {
      boots(board, UBootScript.read(directory.resolve("result/boot.scr")), script, rootfs);
    }
  }

  @Test
  void runsLiminixsOwnBootScrPastedThroughAPseudoTerminal() throws Exception {
    Board kind = Board.AARCH64;
    Tools.require(kind.program, "qemu-system-arm");
    RouterImage image = MachinesIT.image(kind.debian).build();
    // Liminix's kernels have an initramfs inside; here it comes behind the root. mksquashfs has
    // padded that to 4 KiB.
    ImageData squashfs = ImageData.file(image.rootfs().orElseThrow());
    ImageData initrd = ImageData.file(image.initrd().orElseThrow());
    ImageData rootfs = ImageData.concat(List.of(squashfs, initrd));
    TftpBootScript ours =
        builder()
            .rootfs(rootfs)
            .compressRootfs()
            .deviceTree(deviceTree(kind))
            .kernel(KernelFormat.UIMAGE, uimage(kind, ImageData.file(image.kernel())))
            .commandLine(
                "initrd=0x%x,%d ".formatted(LOAD_ADDRESS + squashfs.size(), initrd.size())
                    + SHELL.formatted(image.commandLine()))
            .build();
    ours.write(directory.resolve("result"));
    long packedAt = LOAD_ADDRESS + binsize(rootfs.size(), 0x10000);
    long treeAt = packedAt + binsize(Files.size(directory.resolve("result/rootfs.lz")), 0x1000);
    long imageAt = treeAt + binsize(Files.size(directory.resolve("result/dtb")), 0x1000);
    // As its output tftpboot writes it, with two spaces here and one at an end there.
    String theirs =
        """
        setenv serverip 10.0.0.1
        setenv ipaddr 10.0.0.8
        tftpboot 0x%1$x result/rootfs.lz; tftpboot 0x%3$x result/image; tftpboot 0x%2$x result/dtb\040
        lzmadec 0x%1$x  0x%4$x;  bootm 0x%3$x - 0x%2$x
        """
            .formatted(packedAt, treeAt, imageAt, LOAD_ADDRESS);

    try (UBootBoard board = UBootBoard.virt(machine(kind), true, directory)) {
      boots(board, UBootScript.parse(theirs), ours, squashfs);
      board.pressReset();
      UBoot again = UBoot.on(board.console()).timeout(PATIENCE).open();
      assertThat(again.run("echo $arch").orThrow().output()).isEqualTo("arm");
    }
  }

  /** What Liminix's shell functions binsize and binsize64k make of a size. */
  private static long binsize(long size, long block) {
    return (size + block) & -block;
  }

  private static TftpBootScript.Builder builder() {
    return TftpBootScript.builder()
        .serverIp("10.0.0.1")
        .ipAddress("10.0.0.8")
        .loadAddress(LOAD_ADDRESS);
  }

  /** Runs a script, and looks around in the Linux that it starts. */
  private void boots(UBootBoard board, UBootScript script, TftpBootScript made, ImageData squashfs)
      throws IOException {
    UBoot uboot = UBoot.on(board.console()).timeout(PATIENCE).open();
    ImageSource served = ImageSource.directory(directory);

    uboot.run(script.check(BOARD, served), served);

    Console linux = uboot.console();
    assertThat(linux).isSameAs(board.console());
    Shell shell = Shell.on(linux).timeout(PATIENCE).open();
    shell.run("b=/bin/busybox; $b mkdir /sys").orThrow();
    shell.run("$b mount -t proc proc /proc && $b mount -t sysfs sys /sys").orThrow();
    assertThat(shell.run("$b cat /proc/cmdline").output()).isEqualTo(made.bootargs());
    shell.run("cd /proc/device-tree/reserved-memory/phram-rootfs@44000000").orThrow();
    assertThat(shell.download("compatible")).asString().isEqualTo("phram\0");
    AddressRange region = made.rootfsRegion();
    assertThat(shell.download("reg"))
        .isEqualTo(ByteBuffer.allocate(16).putLong(region.start()).putLong(region.size()).array());
    assertThat(inRam(region.start(), squashfs.size())).isEqualTo(squashfs);
  }

  private ImageData inRam(long address, long size) throws IOException {
    return ImageData.file(ramFile()).slice(address - RAM.start(), size);
  }
}
