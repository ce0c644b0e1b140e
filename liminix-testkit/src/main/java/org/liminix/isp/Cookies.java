package org.liminix.isp;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;

/**
 * Cookies that only this ISP can make, from the address of a client (RFC 2516 appendix A).
 *
 * <p>Half the hash of a key and of what always has the same length, to which nobody can append: as
 * good here as an HMAC, for the first of which the JDK loads all its providers of cryptography,
 * which a first start would wait for.
 */
final class Cookies {
  private static final String ALGORITHM = "SHA-256";
  private static final int LENGTH = 16;

  private final byte[] key = new byte[32];
  private final MessageDigest hash;

  Cookies() {
    new SecureRandom().nextBytes(key);
    try {
      hash = MessageDigest.getInstance(ALGORITHM);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java platform has " + ALGORITHM, e);
    }
  }

  ByteBuffer of(long client) {
    hash.update(key);
    byte[] whole = hash.digest(ByteBuffer.allocate(Long.BYTES).putLong(client).array());
    return ByteBuffer.wrap(whole, 0, LENGTH).slice().asReadOnlyBuffer();
  }
}
