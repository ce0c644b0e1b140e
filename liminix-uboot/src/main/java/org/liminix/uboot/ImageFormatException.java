package org.liminix.uboot;

import org.liminix.process.LiminixException;

/**
 * An image that is not what its format demands; the message names the format, the field and its
 * offset, what is there and what should be.
 */
public final class ImageFormatException extends LiminixException {
  private static final long serialVersionUID = 1L;

  private final String field;
  private final long offset;

  ImageFormatException(String format, String field, long offset, String problem) {
    super("%s, %s at offset 0x%x: %s".formatted(format, field, offset, problem));
    this.field = field;
    this.offset = offset;
  }

  /** The name of the damaged field, as the format's own headers spell it. */
  public String field() {
    return field;
  }

  /** Where that field begins, in bytes from the start of the image. */
  public long offset() {
    return offset;
  }
}
