package org.liminix.uboot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads the fields of a header within the bounds of the image, and names the one that is bad. */
final class FieldReader {
  private final String format;
  private final ByteBuffer image;

  FieldReader(String format, ByteBuffer image, ByteOrder order) {
    this.format = format;
    this.image = image.slice().asReadOnlyBuffer().order(order);
  }

  int size() {
    return image.limit();
  }

  int u8(long offset, String field) {
    return image.get(check(offset, 1, field)) & 0xff;
  }

  int u16(long offset, String field) {
    return image.getShort(check(offset, 2, field)) & 0xffff;
  }

  long u32(long offset, String field) {
    return image.getInt(check(offset, 4, field)) & 0xffff_ffffL;
  }

  /** A 64-bit field that must fit a positive {@code long}, as every size and offset does. */
  long u63(long offset, String field) {
    long value = i64(offset, field);
    if (value < 0) {
      throw bad(field, offset, "0x%x is beyond any image".formatted(value));
    }
    return value;
  }

  long i64(long offset, String field) {
    return image.getLong(check(offset, 8, field));
  }

  ByteBuffer bytes(long offset, long length, String field) {
    return image.slice(check(offset, length, field), (int) length);
  }

  private int check(long offset, long length, String field) {
    if (offset < 0 || length < 0 || length > image.limit() || offset > image.limit() - length) {
      throw bad(
          field,
          offset,
          "needs %d bytes, but the image ends at 0x%x".formatted(length, image.limit()));
    }
    return (int) offset;
  }

  ImageFormatException bad(String field, long offset, String problem) {
    return new ImageFormatException(format, field, offset, problem);
  }
}
