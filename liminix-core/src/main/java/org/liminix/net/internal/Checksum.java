package org.liminix.net.internal;

import java.nio.ByteBuffer;

/** The Internet checksum (RFC 1071). */
public final class Checksum {
  private Checksum() {}

  /** The checksum of the bytes between two absolute indexes. */
  public static int of(ByteBuffer buffer, int from, int to) {
    return finish(sum(buffer, from, to, 0));
  }

  /** The checksum of a UDP datagram or TCP segment with its pseudo-header (RFC 768). */
  public static int withPseudoHeader(
      ByteBuffer buffer, int from, int to, int source, int destination, int protocol) {
    long sum = (source & 0xffff_ffffL) + (destination & 0xffff_ffffL);
    sum += protocol + (to - from);
    return finish(sum(buffer, from, to, sum));
  }

  /**
   * The checksum of an upper-layer packet with its pseudo-header (RFC 8200 section 8.1), whose
   * addresses lie next to each other between two indexes.
   */
  public static int withPseudoHeaderOf(
      ByteBuffer buffer, int addresses, int addressesEnd, int from, int to, int protocol) {
    long sum = sum(buffer, addresses, addressesEnd, (long) protocol + (to - from));
    return finish(sum(buffer, from, to, sum));
  }

  /**
   * A checksum after something that it covers has changed (RFC 1624).
   *
   * @param checksum the 16 bits as they were; higher ones are not looked at
   * @param change for each word of 16 bits the new one and the complement of the old one, added up
   */
  public static int updated(int checksum, int change) {
    return finish((~checksum & 0xffff) + (long) change);
  }

  private static long sum(ByteBuffer buffer, int from, int to, long initial) {
    long sum = initial;
    int at = from;
    for (; at + 8 <= to; at += 8) {
      long word = buffer.getLong(at);
      sum += (word >>> 32) + (word & 0xffff_ffffL);
    }
    for (; at + 2 <= to; at += 2) {
      sum += buffer.getShort(at) & 0xffff;
    }
    if (at < to) {
      sum += (buffer.get(at) & 0xff) << 8;
    }
    return sum;
  }

  private static int finish(long sum) {
    long folded = sum;
    while (folded >>> 16 != 0) {
      folded = (folded & 0xffff) + (folded >>> 16);
    }
    return (int) ~folded & 0xffff;
  }
}
