package org.liminix.uboot;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.Map;

/**
 * A checksum or digest of an image in a {@link Fit}.
 *
 * @param algorithm as U-Boot spells it: {@code crc32}, {@code md5}, {@code sha1}, {@code sha256},
 *     {@code sha384} or {@code sha512}
 * @param value the sum in lower-case hexadecimal
 */
public record FitHash(String algorithm, String value) {
  private static final Map<String, String> DIGESTS =
      Map.of(
          "md5", "MD5",
          "sha1", "SHA-1",
          "sha256", "SHA-256",
          "sha384", "SHA-384",
          "sha512", "SHA-512");

  static boolean knows(String algorithm) {
    return algorithm.equals("crc32") || DIGESTS.containsKey(algorithm);
  }

  static byte[] compute(String algorithm, ImageData data) {
    String digest = DIGESTS.get(algorithm);
    return digest == null
        ? ByteBuffer.allocate(4).putInt(0, (int) data.crc32()).array()
        : data.digest(digest);
  }

  static FitHash of(String algorithm, ImageData data) {
    return new FitHash(algorithm, HexFormat.of().formatHex(compute(algorithm, data)));
  }
}
