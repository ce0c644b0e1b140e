package org.liminix.isp;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.SecureRandom;

/**
 * Cookies that only this ISP can make, from the address of a client (RFC 2516 appendix A): its
 * SipHash under a key of this ISP.
 *
 * <p>The JDK's own random numbers and keyed hashes load all its providers of cryptography, which
 * would take up a quarter of an ISP's first start; Guava's SipHash would take up a twentieth.
 */
final class Cookies {
  private static final String RANDOM = "/dev/urandom";
  private static final int KEY = 2 * Long.BYTES;

  private final SipHash hash;

  Cookies() {
    ByteBuffer key = ByteBuffer.wrap(key());
    hash = new SipHash(key.getLong(), key.getLong());
  }

  private static byte[] key() {
    try (InputStream random = new FileInputStream(RANDOM)) {
      byte[] key = random.readNBytes(KEY);
      if (key.length == KEY) {
        return key;
      }
    } catch (IOException e) {
      // This system has no such file, and SecureRandom another source.
    }
    byte[] key = new byte[KEY];
    new SecureRandom().nextBytes(key);
    return key;
  }

  ByteBuffer of(long client) {
    long cookie = hash.of(client);
    return ByteBuffer.allocate(Long.BYTES).putLong(cookie).flip().asReadOnlyBuffer();
  }
}
