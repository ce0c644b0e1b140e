package org.liminix.qemu;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The machines that are emulated: what QEMU and the kernel must be told of each. */
enum Machine {
  /** The MIPS Malta board, big-endian, as Liminix's {@code mips-vm} has it. */
  MIPS("mips", "qemu-system-mips", "qemu-system-mips"),
  /** The MIPS Malta board, little-endian. */
  MIPSEL("mipsel", "qemu-system-mipsel", "qemu-system-mips");

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

  Machine(String label, String program, String debianPackage) {
    this.label = label;
    this.program = program;
    this.debianPackage = debianPackage;
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
    return "virtio-net-pci";
  }

  int defaultMebibytes() {
    return MALTA_LOW_MEBIBYTES;
  }

  /** Why the machine cannot have that much memory beside a root file system in RAM, if so. */
  @Nullable String memoryProblem(int mebibytes, boolean rootfs) {
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
