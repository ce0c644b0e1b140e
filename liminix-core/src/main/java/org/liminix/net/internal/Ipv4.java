package org.liminix.net.internal;

import com.google.common.net.InetAddresses;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * Fields of an IPv4 packet (RFC 791), relative to the position of a buffer whose limit is the end
 * of the packet. Addresses are numbers, first byte highest.
 */
public final class Ipv4 {
  public static final int HEADER = 20;
  public static final int MAX_PACKET = 65_535;
  public static final int DEFAULT_TTL = 64;

  public static final int ICMP = 1;
  public static final int UDP = 17;

  public static final int BROADCAST = 0xffff_ffff;

  private static final int DONT_FRAGMENT = 0x4000;
  private static final int MORE_FRAGMENTS = 0x2000;
  private static final int OFFSET_MASK = 0x1fff;

  private Ipv4() {}

  /**
   * Whether a packet that a router may act on begins at the buffer's position. The limit moves to
   * its end, away from padding.
   */
  public static boolean accept(ByteBuffer packet) {
    int start = packet.position();
    if (packet.remaining() < HEADER || (packet.get(start) & 0xf0) != 0x40) {
      return false;
    }
    int headerLength = headerLength(packet);
    int totalLength = Short.toUnsignedInt(packet.getShort(start + 2));
    if (headerLength < HEADER || totalLength < headerLength || totalLength > packet.remaining()) {
      return false;
    }
    packet.limit(start + totalLength);
    return Checksum.of(packet, start, start + headerLength) == 0;
  }

  public static int headerLength(ByteBuffer packet) {
    return (packet.get(packet.position()) & 0xf) * 4;
  }

  public static int identification(ByteBuffer packet) {
    return Short.toUnsignedInt(packet.getShort(packet.position() + 4));
  }

  public static int ttl(ByteBuffer packet) {
    return Byte.toUnsignedInt(packet.get(packet.position() + 8));
  }

  public static int protocol(ByteBuffer packet) {
    return Byte.toUnsignedInt(packet.get(packet.position() + 9));
  }

  public static int source(ByteBuffer packet) {
    return packet.getInt(packet.position() + 12);
  }

  public static int destination(ByteBuffer packet) {
    return packet.getInt(packet.position() + 16);
  }

  private static int flagsAndOffset(ByteBuffer packet) {
    return Short.toUnsignedInt(packet.getShort(packet.position() + 6));
  }

  public static boolean isFragment(ByteBuffer packet) {
    return (flagsAndOffset(packet) & (MORE_FRAGMENTS | OFFSET_MASK)) != 0;
  }

  public static boolean moreFragments(ByteBuffer packet) {
    return (flagsAndOffset(packet) & MORE_FRAGMENTS) != 0;
  }

  public static boolean dontFragment(ByteBuffer packet) {
    return (flagsAndOffset(packet) & DONT_FRAGMENT) != 0;
  }

  /** Where its data belongs in the whole packet's data, in bytes. */
  public static int fragmentOffset(ByteBuffer packet) {
    return (flagsAndOffset(packet) & OFFSET_MASK) * 8;
  }

  /** Writes a header without options; the payload follows. */
  public static void putHeader(
      ByteBuffer out, int source, int destination, int protocol, int identification, int length) {
    int start = out.position();
    out.putShort((short) 0x4500)
        .putShort((short) (HEADER + length))
        .putShort((short) identification)
        .putShort((short) 0)
        .put((byte) DEFAULT_TTL)
        .put((byte) protocol)
        .putShort((short) 0)
        .putInt(source)
        .putInt(destination);
    writeChecksum(out, start, HEADER);
  }

  private static void writeChecksum(ByteBuffer packet, int start, int headerLength) {
    packet.putShort(start + 10, (short) 0);
    packet.putShort(start + 10, (short) Checksum.of(packet, start, start + headerLength));
  }

  /** Counts one hop; the packet must have more than one left. */
  public static void decrementTtl(ByteBuffer packet) {
    packet.put(packet.position() + 8, (byte) (ttl(packet) - 1));
    writeChecksum(packet, packet.position(), headerLength(packet));
  }

  /**
   * Cuts a packet that is longer than the MTU into fragments, each without the options of the
   * whole. A fragment is cut further correctly.
   *
   * @param scratch room for a fragment
   * @param sink given each fragment in turn, valid during the call
   */
  public static void fragment(
      ByteBuffer packet, int mtu, ByteBuffer scratch, Consumer<ByteBuffer> sink) {
    int start = packet.position();
    int from = start + headerLength(packet);
    int offset = fragmentOffset(packet);
    boolean more = moreFragments(packet);
    int step = (mtu - HEADER) & ~7;
    int end = packet.limit();
    for (int at = from; at < end; at += step) {
      int length = Math.min(step, end - at);
      boolean last = at + length == end;
      int flags = !last || more ? MORE_FRAGMENTS : 0;
      scratch.clear();
      putHeader(
          scratch,
          source(packet),
          destination(packet),
          protocol(packet),
          identification(packet),
          length);
      scratch.putShort(6, (short) (flags | (offset + at - from) / 8));
      scratch.put(8, packet.get(start + 8));
      writeChecksum(scratch, 0, HEADER);
      scratch.put(HEADER, packet, at, length).position(HEADER + length).flip();
      sink.accept(scratch);
    }
  }

  /** Whether the address is one of the group addresses 224.0.0.0/4. */
  public static boolean isMulticast(int address) {
    return address >>> 28 == 0xe;
  }

  /** The network mask of a prefix of 0 to 32 bits. */
  public static int mask(int prefixLength) {
    return prefixLength == 0 ? 0 : -1 << (32 - prefixLength);
  }

  /** Parses a dotted quad; no name is looked up. */
  public static int parse(String address) {
    if (!InetAddresses.isInetAddress(address)
        || !(InetAddresses.forString(address) instanceof Inet4Address parsed)) {
      throw new IllegalArgumentException(
          "\"" + address + "\" is no IPv4 address; write one like 192.168.1.2");
    }
    return toInt(parsed);
  }

  public static int toInt(Inet4Address address) {
    return ByteBuffer.wrap(address.getAddress()).getInt();
  }

  public static Inet4Address toInet(int address) {
    try {
      return (Inet4Address)
          InetAddress.getByAddress(ByteBuffer.allocate(4).putInt(address).array());
    } catch (UnknownHostException e) {
      throw new AssertionError("four bytes are an address", e);
    }
  }

  public static String toString(int address) {
    return toInet(address).getHostAddress();
  }
}
