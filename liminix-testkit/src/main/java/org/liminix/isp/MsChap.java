package org.liminix.isp;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Cipher;
import javax.crypto.spec.SecretKeySpec;

/** What MS-CHAP version 2 computes (RFC 2759 section 8). */
final class MsChap {
  private static final byte[] MAGIC_1 =
      "Magic server to client signing constant".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] MAGIC_2 =
      "Pad to make it do more than one iteration".getBytes(StandardCharsets.US_ASCII);

  private MsChap() {}

  /** Section 8.1: what proves that the client knows the password. */
  static byte[] ntResponse(
      byte[] authenticatorChallenge, byte[] peerChallenge, String user, String password) {
    byte[] challenge = challengeHash(peerChallenge, authenticatorChallenge, user);
    byte[] keys = Arrays.copyOf(passwordHash(password), 21);
    ByteBuffer response = ByteBuffer.allocate(24);
    for (int i = 0; i < 3; i++) {
      response.put(des(Arrays.copyOfRange(keys, 7 * i, 7 * i + 7), challenge));
    }
    return response.array();
  }

  /** Section 8.7: what proves to the client that the ISP knows it, too. */
  static String authenticatorResponse(
      byte[] authenticatorChallenge,
      byte[] peerChallenge,
      byte[] ntResponse,
      String user,
      String password) {
    byte[] hashOfHash = md4(passwordHash(password));
    byte[] digest = sha1(hashOfHash, ntResponse, MAGIC_1);
    byte[] challenge = challengeHash(peerChallenge, authenticatorChallenge, user);
    return "S=" + HexFormat.of().withUpperCase().formatHex(sha1(digest, challenge, MAGIC_2));
  }

  /** Section 8.2; a domain before the name does not count (section 4). */
  private static byte[] challengeHash(byte[] peer, byte[] authenticator, String user) {
    String name = user.substring(user.lastIndexOf('\\') + 1);
    return Arrays.copyOf(sha1(peer, authenticator, name.getBytes(StandardCharsets.UTF_8)), 8);
  }

  private static byte[] passwordHash(String password) {
    return md4(password.getBytes(StandardCharsets.UTF_16LE));
  }

  private static byte[] sha1(byte[]... parts) {
    try {
      MessageDigest sha1 = MessageDigest.getInstance("SHA-1");
      for (byte[] part : parts) {
        sha1.update(part);
      }
      return sha1.digest();
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java platform has SHA-1", e);
    }
  }

  /** Section 8.6, with a key of 56 bits. */
  private static byte[] des(byte[] key, byte[] clear) {
    try {
      Cipher des = Cipher.getInstance("DES/ECB/NoPadding");
      des.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(spread(key), "DES"));
      return des.doFinal(clear);
    } catch (GeneralSecurityException e) {
      throw new AssertionError("every Java platform has DES", e);
    }
  }

  /** Seven bits to a byte; the eighth is a parity that nobody looks at. */
  private static byte[] spread(byte[] key) {
    long bits = ByteBuffer.allocate(8).put((byte) 0).put(key).getLong(0);
    byte[] spread = new byte[8];
    for (int i = 0; i < 8; i++) {
      spread[i] = (byte) ((bits >>> (7 * (7 - i)) & 0x7f) << 1);
    }
    return spread;
  }

  /** RFC 1320, which Java's platforms do not have. */
  static byte[] md4(byte[] message) {
    int padded = (message.length + 8) / 64 * 64 + 64;
    ByteBuffer data = ByteBuffer.allocate(padded).order(ByteOrder.LITTLE_ENDIAN);
    data.put(message).put((byte) 0x80).putLong(padded - 8, 8L * message.length).rewind();
    int[] state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
    int[] block = new int[16];
    while (data.hasRemaining()) {
      for (int i = 0; i < block.length; i++) {
        block[i] = data.getInt();
      }
      md4(state, block);
    }
    ByteBuffer digest = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
    for (int word : state) {
      digest.putInt(word);
    }
    return digest.array();
  }

  private static final int[][] MD4_ORDER = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
    {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}
  };
  private static final int[][] MD4_SHIFTS = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
  private static final int[] MD4_CONSTANTS = {0, 0x5a827999, 0x6ed9eba1};

  private static void md4(int[] state, int[] block) {
    int a = state[0];
    int b = state[1];
    int c = state[2];
    int d = state[3];
    for (int step = 0; step < 48; step++) {
      int round = step / 16;
      int mixed =
          switch (round) {
            case 0 -> (b & c) | (~b & d);
            case 1 -> (b & c) | (b & d) | (c & d);
            default -> b ^ c ^ d;
          };
      int sum = a + mixed + block[MD4_ORDER[round][step % 16]] + MD4_CONSTANTS[round];
      a = d;
      d = c;
      c = b;
      b = Integer.rotateLeft(sum, MD4_SHIFTS[round][step % 4]);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
  }
}
