package org.liminix.qemu;

import com.google.common.collect.ImmutableSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The machines that are emulated: what QEMU and the kernel must be told of each. */
enum Machine {
  /** The MIPS Malta board, big-endian, as Liminix's {@code mips-vm} has it. */
  MIPS("mips", "qemu-system-mips", "qemu-system-mips", ImmutableSet.of()),
  /** The MIPS Malta board, little-endian. */
  MIPSEL("mipsel", "qemu-system-mipsel", "qemu-system-mips", ImmutableSet.of()),
  /** QEMU's own board with a 32-bit ARM. */
  ARM("arm", "qemu-system-arm", "qemu-system-arm", ImmutableSet.of("arm")),
  /** QEMU's own board with a 64-bit ARM. */
  AARCH64("aarch64", "qemu-system-aarch64", "qemu-system-arm", ImmutableSet.of("aarch64")),
  /** A PC of Intel's Q35 kind. */
  X86_64("x86_64", "qemu-system-x86_64", "qemu-system-x86", ImmutableSet.of("amd64", "x86_64")),
  /** A PC without PCI, which starts fastest. */
  MICROVM("microvm", "qemu-system-x86_64", "qemu-system-x86", ImmutableSet.of("amd64", "x86_64"));

  static final int MEBIBYTE = 1 << 20;

  /**
   * Malta's RAM beyond 256 MiB is not where the first 256 MiB end, since its I/O is there, but at
   * this address (QEMU hw/mips/malta.c, "ram_high"); the kernel, told of 256 MiB, leaves it alone.
   */
  private static final long MALTA_HIGH_RAM = 0x9000_0000L;

  private static final int MALTA_LOW_MEBIBYTES = 256;
  private static final int MALTA_MEBIBYTES = 2048;

  /** The erase size phram is told, by which a root file system's room is rounded up. */
  private static final int ERASE_SIZE = 65_536;

  private final String label;
  private final String program;
  private final String debianPackage;
  private final ImmutableSet<String> hostArchitectures;

  Machine(
      String label, String program, String debianPackage, ImmutableSet<String> hostArchitectures) {
    this.label = label;
    this.program = program;
    this.debianPackage = debianPackage;
    this.hostArchitectures = hostArchitectures;
  }

  boolean isMalta() {
    return this == MIPS || this == MIPSEL;
  }

  private boolean isVirt() {
    return this == ARM || this == AARCH64;
  }

  /** The property os.arch of hosts whose processor can execute the guest itself. */
  ImmutableSet<String> hostArchitectures() {
    return hostArchitectures;
  }

  /** For {@code -M}. */
  String type(boolean usb) {
    return switch (this) {
      case MIPS, MIPSEL -> "malta";
      // Debian's 32-bit kernel without LPAE cannot reach a PCI window above 4 GiB.
      case ARM -> "virt,highmem=off";
      case AARCH64 -> "virt";
      case X86_64 -> "q35";
      // Debian's kernels find virtio-mmio through ACPI only.
      case MICROVM -> usb ? "microvm,acpi=on,usb=on" : "microvm,acpi=on";
    };
  }

  /** For {@code -cpu}, if the machine's own default will not do. */
  Optional<String> processor(Accelerator accelerator) {
    if (accelerator == Accelerator.KVM) {
      return Optional.of("host");
    }
    return switch (this) {
      case AARCH64 -> Optional.of("cortex-a57");
      case MICROVM -> Optional.of("max"); // the kernel has no clock with less of a processor
      default -> Optional.empty();
    };
  }

  /** What the kernel must be told, whatever it boots. */
  List<String> kernelArguments(Accelerator accelerator) {
    // A microvm has no timer to measure the emulated clock against, and translation no fixed rate.
    return this == MICROVM && accelerator == Accelerator.TCG
        ? List.of("console=" + console(), "tsc_early_khz=1000000", "no_timer_check")
        : List.of("console=" + console());
  }

  /** The first serial port, as the kernel calls it. */
  private String console() {
    return isVirt() ? "ttyAMA0" : "ttyS0";
  }

  /** The USB controller to add where the board has none. */
  Optional<String> usbController() {
    return isMalta() || this == MICROVM ? Optional.empty() : Optional.of("qemu-xhci,id=usb");
  }

  /** The bus of the USB controller. */
  String usbBus() {
    return isMalta() || this == MICROVM ? "usb-bus.0" : "usb.0";
  }

  /** The card behind a display and the devices for keys, or none where there can be no display. */
  List<String> displayDevices() {
    return switch (this) {
      case MIPS, MIPSEL, X86_64 -> List.of("VGA"); // their keyboards are on the board
      case ARM, AARCH64 -> List.of("virtio-gpu-pci", "virtio-keyboard-pci");
      case MICROVM -> List.of();
    };
  }

  /** Whether PCI devices can come and go: through PCI Express root ports. */
  boolean hasPciHotplug() {
    return isVirt() || this == X86_64;
  }

  /** The default name of a machine of this kind. */
  String label() {
    return label;
  }

  String program() {
    return program;
  }

  String debianPackage() {
    return debianPackage;
  }

  /** The device of a network card. */
  String networkDevice() {
    return this == MICROVM ? "virtio-net-device" : "virtio-net-pci";
  }

  /** The device that has serial ports with names. */
  String serialBus() {
    return this == MICROVM ? "virtio-serial-device" : "virtio-serial-pci";
  }

  /** Whether network cards have boot ROMs, which are to be left out. */
  boolean hasBootRoms() {
    return this != MICROVM;
  }

  /** The device of a disk: IDE on a Malta, whose U-Boot knows nothing else. */
  String diskDevice() {
    return switch (this) {
      case MIPS, MIPSEL -> "ide-hd";
      case MICROVM -> "virtio-blk-device";
      default -> "virtio-blk-pci";
    };
  }

  /** How U-Boot gets onto the machine, or that it does not. */
  boolean bootsFirmware() {
    return this != MICROVM;
  }

  int defaultMebibytes() {
    return MALTA_LOW_MEBIBYTES;
  }

  /** Why the machine cannot have that much memory beside a root file system in RAM, if so. */
  @Nullable String memoryProblem(int mebibytes, boolean rootfs) {
    if (!isMalta()) {
      return null;
    }
    if (mebibytes > MALTA_MEBIBYTES) {
      return "A Malta has at most " + MALTA_MEBIBYTES + " MiB of memory, not " + mebibytes;
    }
    if (rootfs && mebibytes > MALTA_LOW_MEBIBYTES) {
      return "With rootfs(...), which lies in RAM at 0x%x, a Malta's kernel can have at most %d MiB, not %d"
          .formatted(MALTA_HIGH_RAM, MALTA_LOW_MEBIBYTES, mebibytes);
    }
    return null;
  }

  /** What the memory and the root file system come to on the two command lines. */
  Memory memory(int mebibytes, long rootfsBytes) {
    if (rootfsBytes == 0) {
      return new Memory(mebibytes, List.of(), "");
    }
    if (!isMalta()) {
      return new Memory(mebibytes, List.of("root=/dev/vda"), "");
    }
    long room = roundUp(rootfsBytes, ERASE_SIZE);
    // QEMU describes memory to a Malta in modules and warns of what is no multiple of 16 MiB.
    int highMebibytes = Math.toIntExact(roundUp(room, 16L * MEBIBYTE) / MEBIBYTE);
    List<String> kernel = new ArrayList<>();
    kernel.add("root=/dev/mtdblock0");
    kernel.add("mem=" + mebibytes + "M");
    kernel.add("mtdparts=phram0:" + room + "(rootfs)");
    kernel.add("phram.phram=phram0,0x%x,%d,%d".formatted(MALTA_HIGH_RAM, room, ERASE_SIZE));
    return new Memory(
        MALTA_LOW_MEBIBYTES + highMebibytes,
        kernel,
        ",addr=0x%x,force-raw=on".formatted(MALTA_HIGH_RAM));
  }

  private static long roundUp(long value, long unit) {
    return (value + unit - 1) / unit * unit;
  }

  /**
   * How memory is laid out.
   *
   * @param mebibytes for {@code -m}
   * @param kernelArguments that tell the kernel
   * @param loaderOptions where QEMU's loader device puts the root file system
   */
  record Memory(int mebibytes, List<String> kernelArguments, String loaderOptions) {
    /** The device that has QEMU itself read the file into RAM. */
    String loader(String file) {
      return "loader,file=" + file + loaderOptions;
    }
  }
}
