package org.liminix.uboot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Where ARM kernels go by themselves, as their headers tell: an Image for 64 bits (Linux,
 * Documentation/arm64/booting.rst) and a zImage for 32 (arch/arm/boot/compressed/head.S).
 */
final class ArmImage {
  private static final int HEADER_SIZE = 64;
  private static final int MAGIC = 0x644d5241;
  private static final int ANYWHERE = 8;
  private static final long ALIGNMENT = 2 << 20;

  private static final int ZIMAGE_MAGIC = 0x016f2818;
  private static final int HAS_TABLE = 0x45454545;
  private static final int KERNEL_SIZE_TAG = 0x5a534c4b;

  /** Without its text offset, which is younger, the tag says too little. */
  private static final int TAG_WORDS = 5;

  /** A zImage unpacks to the start of the 128 MiB it runs in, which is taken for RAM's. */
  private static final long BLOCK = 128 << 20;

  /** Its page tables, with LPAE, end where the kernel begins. */
  private static final long PAGE_TABLES = 0x5000;

  /** No ARM kernel runs beyond it, and no sum of what a header says overflows before it. */
  private static final long LAST_ADDRESS = 1L << 52;

  private ArmImage() {}

  /**
   * What memory such a kernel occupies, its BSS included, when U-Boot's {@code booti_setup} has
   * moved it from where it was loaded; nothing if this is none, or compressed.
   */
  static Optional<AddressRange> place(ImageData image, long loadedAt, long ramStart) {
    ByteBuffer header = words(image, 0, HEADER_SIZE);
    if (header.capacity() == 0 || header.getInt(56) != MAGIC || loadedAt > LAST_ADDRESS) {
      return Optional.empty();
    }
    long size = header.getLong(16);
    // Before Linux 3.17 there was no size, and what came before it could be in either byte order.
    long textOffset = size == 0 ? 0x80000 : header.getLong(8);
    if ((size | textOffset) >>> Integer.SIZE != 0 || loadedAt < textOffset) {
      return Optional.empty();
    }
    boolean anywhere = (header.getLong(24) & ANYWHERE) != 0;
    long base = anywhere ? loadedAt - textOffset : ramStart;
    return Optional.of(
        new AddressRange(
            ImageData.roundUp(base, ALIGNMENT) + textOffset, size == 0 ? 16 << 20 : size));
  }

  /**
   * What memory a zImage unpacks to, its page tables and BSS included; nothing if this is none, or
   * older than Linux 5.9.
   */
  static Optional<AddressRange> unpacked(ImageData image, long loadedAt) {
    ByteBuffer header = words(image, 0, HEADER_SIZE);
    if (header.capacity() == 0
        || loadedAt > LAST_ADDRESS
        || header.getInt(0x24) != ZIMAGE_MAGIC
        || header.getInt(0x34) != HAS_TABLE) {
      return Optional.empty();
    }
    ByteBuffer tag = words(image, unsigned(header, 0x38), 4 * TAG_WORDS);
    if (tag.capacity() == 0 || tag.getInt(0) < TAG_WORDS || tag.getInt(4) != KERNEL_SIZE_TAG) {
      return Optional.empty();
    }
    ByteBuffer size = words(image, unsigned(tag, 8), 4);
    long textOffset = unsigned(tag, 16);
    if (size.capacity() == 0 || textOffset < PAGE_TABLES) {
      return Optional.empty();
    }
    return Optional.of(
        new AddressRange(
            (loadedAt & -BLOCK) + textOffset - PAGE_TABLES,
            PAGE_TABLES + unsigned(size, 0) + unsigned(tag, 12)));
  }

  private static long unsigned(ByteBuffer words, int at) {
    return Integer.toUnsignedLong(words.getInt(at));
  }

  /** Some little-endian bytes; none if they are not all there. */
  private static ByteBuffer words(ImageData image, long at, int size) {
    return image.size() < at + size
        ? ByteBuffer.allocate(0)
        : image.slice(at, size).toByteBuffer().slice().order(ByteOrder.LITTLE_ENDIAN);
  }
}
