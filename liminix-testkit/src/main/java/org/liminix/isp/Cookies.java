package org.liminix.isp;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Cookies that only this ISP can make, from the address of a client (RFC 2516 appendix A). */
final class Cookies {
  private static final String ALGORITHM = "HmacSHA256";
  private static final int LENGTH = 16;

  private final Mac mac;

  Cookies() {
    byte[] key = new byte[32];
    new SecureRandom().nextBytes(key);
    try {
      mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(key, ALGORITHM));
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java platform has " + ALGORITHM, e);
    }
  }

  ByteBuffer of(long client) {
    byte[] hash = mac.doFinal(ByteBuffer.allocate(Long.BYTES).putLong(client).array());
    return ByteBuffer.wrap(hash, 0, LENGTH).slice().asReadOnlyBuffer();
  }
}
