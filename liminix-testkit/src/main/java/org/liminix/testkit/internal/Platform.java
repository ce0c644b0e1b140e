package org.liminix.testkit.internal;

import java.util.List;
import org.liminix.testkit.Architecture;

/**
 * What Debian and QEMU call things for one architecture.
 *
 * @param debianName the architecture in the package index
 * @param kernelPackage the package that depends on the newest kernel
 * @param rootModules the modules that make the root readable, loaded before it is mounted
 * @param console the serial line a shell is offered on
 * @param commandLine kernel arguments that shorten the boot
 */
record Platform(
    String debianName,
    String kernelPackage,
    List<String> rootModules,
    String console,
    String commandLine) {

  /** The self-tests of the crypto modules take a third of a second under emulation. */
  private static final String QUIET = "quiet cryptomgr.notests";

  /** The root is a virtio disk, on PCI or in memory-mapped I/O as a microvm has it. */
  private static final List<String> DISK =
      List.of("virtio_pci", "virtio_mmio", "virtio_blk", "squashfs");

  static Platform of(Architecture architecture) {
    return switch (architecture) {
      case MIPSEL ->
          new Platform(
              "mipsel",
              "linux-image-4kc-malta",
              List.of("phram", "mtdblock", "squashfs"),
              "ttyS0",
              QUIET);
      case ARM64 -> new Platform("arm64", "linux-image-cloud-arm64", DISK, "ttyAMA0", QUIET);
      case ARMHF -> new Platform("armhf", "linux-image-armmp", DISK, "ttyAMA0", QUIET);
      // The clock is not to be measured against an emulated timer for a second.
      case AMD64 ->
          new Platform(
              "amd64",
              "linux-image-cloud-amd64",
              DISK,
              "ttyS0",
              QUIET + " tsc=reliable no_timer_check");
    };
  }
}
