package org.liminix.testkit.internal;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.tukaani.xz.SingleXZInputStream;

/**
 * Takes a MIPS kernel out of its self-extracting wrapper ({@code arch/mips/boot/compressed} of the
 * kernel), because unpacking it in an emulated CPU takes four seconds of every boot and here it is
 * done once.
 *
 * <p>The wrapper is linked right behind the place it unpacks the kernel to, rounded up to 64 KiB,
 * and ends in a jump to the kernel's entry; the two tell where the kernel belongs.
 */
final class MipsKernel {
  // The stream header with a CRC32 as integrity check, which is what the kernel's build uses; the
  // bare magic number also occurs in the unpacking code.
  private static final byte[] XZ_HEADER = {(byte) 0xfd, '7', 'z', 'X', 'Z', 0, 0, 1};
  private static final long LINK_ALIGNMENT = 0x10000;

  private static final int LUI = 0x0f;
  private static final int ORI = 0x0d;
  private static final int ADDIU = 0x09;
  private static final int JR = 0x08;
  private static final int JALR = 0x09;

  private MipsKernel() {}

  /** The unwrapped kernel as an ELF file, or nothing if the wrapper is of another kind. */
  static Optional<byte[]> unwrap(byte[] vmlinuz) throws IOException {
    if (!ElfFile.isElf(vmlinuz)) {
      return Optional.empty();
    }
    ElfFile elf = ElfFile.parse(vmlinuz);
    Optional<ElfFile.Segment> segment = elf.loadedSegment();
    int payload = indexOf(vmlinuz, XZ_HEADER);
    if (segment.isEmpty() || payload < 0) {
      return Optional.empty();
    }
    byte[] kernel = unxz(vmlinuz, payload);
    long wrapperAddress = segment.get().address();
    long rounded = (kernel.length + LINK_ALIGNMENT - 1) / LINK_ALIGNMENT * LINK_ALIGNMENT;
    long loadAddress = wrapperAddress - rounded;
    ByteBuffer code =
        ByteBuffer.wrap(vmlinuz, segment.get().offset(), payload - segment.get().offset())
            .slice()
            .order(elf.order());
    int elfFlags = ByteBuffer.wrap(vmlinuz).order(elf.order()).getInt(36);
    return jumpTarget(code, loadAddress, loadAddress + kernel.length)
        .map(entry -> toElf(kernel, elf.order(), elfFlags, loadAddress, entry));
  }

  private static byte[] unxz(byte[] file, int offset) throws IOException {
    try (SingleXZInputStream in =
        new SingleXZInputStream(new ByteArrayInputStream(file, offset, file.length - offset))) {
      ByteArrayOutputStream out = new ByteArrayOutputStream(file.length * 4);
      in.transferTo(out);
      return out.toByteArray();
    }
  }

  private static int indexOf(byte[] haystack, byte[] needle) {
    outer:
    for (int i = 0; i <= haystack.length - needle.length; i++) {
      for (int j = 0; j < needle.length; j++) {
        if (haystack[i + j] != needle[j]) {
          continue outer;
        }
      }
      return i;
    }
    return -1;
  }

  /**
   * Finds {@code lui r, high; ori|addiu r, r, low; jr|jalr r} with a target inside the kernel: the
   * wrapper calls itself that way too, but nothing else in the kernel.
   */
  private static Optional<Long> jumpTarget(ByteBuffer code, long from, long to) {
    for (int i = 0; i + 12 <= code.limit(); i += 4) {
      int high = code.getInt(i);
      int low = code.getInt(i + 4);
      int jump = code.getInt(i + 8);
      int register = high >>> 16 & 0x1f;
      int lowOpcode = low >>> 26;
      boolean loads =
          high >>> 26 == LUI
              && (lowOpcode == ORI || lowOpcode == ADDIU)
              && (low >>> 16 & 0x1f) == register
              && (low >>> 21 & 0x1f) == register;
      boolean jumps =
          jump >>> 26 == 0
              && ((jump & 0x3f) == JR || (jump & 0x3f) == JALR)
              && (jump >>> 21 & 0x1f) == register;
      if (loads && jumps) {
        int immediate = lowOpcode == ADDIU ? (short) low : low & 0xffff;
        long target = Integer.toUnsignedLong((high << 16) + immediate);
        if (target >= from && target < to) {
          return Optional.of(target);
        }
      }
    }
    return Optional.empty();
  }

  private static byte[] toElf(byte[] kernel, ByteOrder order, int flags, long load, long entry) {
    int headers = 52 + 32;
    ByteBuffer elf = ByteBuffer.allocate(headers + kernel.length).order(order);
    byte encoding = (byte) (order == ByteOrder.LITTLE_ENDIAN ? 1 : 2);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 1, encoding, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0});
    short executable = 2;
    short mips = 8;
    elf.putShort(executable).putShort(mips).putInt(1).putInt((int) entry);
    elf.putInt(52).putInt(0).putInt(flags);
    elf.putShort((short) 52).putShort((short) 32).putShort((short) 1);
    elf.putShort((short) 40).putShort((short) 0).putShort((short) 0);
    int readWriteExecute = 7;
    elf.putInt(1).putInt(headers).putInt((int) load).putInt((int) load);
    elf.putInt(kernel.length).putInt(kernel.length).putInt(readWriteExecute).putInt(4);
    elf.put(kernel);
    return elf.array();
  }
}
