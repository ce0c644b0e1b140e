package org.liminix.uboot;

import java.util.Random;

/** Bytes to put into images. */
final class Samples {
  private Samples() {}

  /** That many bytes that look random and are the same each time. */
  static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }
}
