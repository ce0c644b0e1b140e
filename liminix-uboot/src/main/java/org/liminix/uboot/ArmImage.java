package org.liminix.uboot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/** The header of a 64-bit ARM kernel; Linux, Documentation/arm64/booting.rst. */
final class ArmImage {
  private static final int HEADER_SIZE = 64;
  private static final int MAGIC = 0x644d5241;
  private static final int ANYWHERE = 8;
  private static final long ALIGNMENT = 2 << 20;

  private ArmImage() {}

  /**
   * What memory such a kernel occupies, its BSS included, when U-Boot's {@code booti_setup} has
   * moved it from where it was loaded; nothing if this is none, or compressed.
   */
  static Optional<AddressRange> place(ImageData image, long loadedAt, long ramStart) {
    if (image.size() < HEADER_SIZE) {
      return Optional.empty();
    }
    ByteBuffer header =
        image.slice(0, HEADER_SIZE).toByteBuffer().slice().order(ByteOrder.LITTLE_ENDIAN);
    if (header.getInt(56) != MAGIC) {
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
}
