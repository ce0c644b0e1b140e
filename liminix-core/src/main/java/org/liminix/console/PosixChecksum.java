package org.liminix.console;

/** What {@code cksum} prints (POSIX XCU cksum): the CRC of ISO/IEC 8802-3, and the length. */
final class PosixChecksum {
  private static final int POLYNOMIAL = 0x04c11db7;
  private static final int[] TABLE = new int[256];

  static {
    for (int i = 0; i < TABLE.length; i++) {
      int remainder = i << 24;
      for (int bit = 0; bit < 8; bit++) {
        remainder = remainder < 0 ? remainder << 1 ^ POLYNOMIAL : remainder << 1;
      }
      TABLE[i] = remainder;
    }
  }

  private PosixChecksum() {}

  static String line(byte[] content) {
    int crc = 0;
    for (byte b : content) {
      crc = next(crc, b);
    }
    for (int length = content.length; length != 0; length >>>= 8) {
      crc = next(crc, length);
    }
    return Integer.toUnsignedString(~crc) + " " + content.length;
  }

  private static int next(int crc, int octet) {
    return crc << 8 ^ TABLE[(crc >>> 24 ^ octet) & 0xff];
  }
}
