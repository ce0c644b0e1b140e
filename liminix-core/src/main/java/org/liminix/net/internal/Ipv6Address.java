package org.liminix.net.internal;

import com.google.common.net.InetAddresses;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * An IPv6 address (RFC 4291) as two numbers, first byte highest; written as RFC 5952 wants it.
 *
 * @param high the network's half
 * @param low the interface's half
 */
public record Ipv6Address(long high, long low) {
  public static final int LENGTH = 16;

  /** The address of who has none: {@code ::}. */
  public static final Ipv6Address UNSPECIFIED = new Ipv6Address(0, 0);

  /** {@code ff02::1}. */
  public static final Ipv6Address ALL_NODES = new Ipv6Address(0xff02L << 48, 1);

  /** {@code ff02::2}. */
  public static final Ipv6Address ALL_ROUTERS = new Ipv6Address(0xff02L << 48, 2);

  private static final long LINK_LOCAL = 0xfe80L << 48;

  /** RFC 4291 section 2.7.1: {@code ff02::1:ff00:0/104}. */
  private static final long SOLICITED_NODE = 0x1_ff00_0000L;

  /** Parses a literal without a zone; no name is looked up. */
  public static Ipv6Address parse(String text) {
    if (text.indexOf('%') < 0
        && InetAddresses.isInetAddress(text)
        && InetAddresses.forString(text) instanceof Inet6Address parsed) {
      return of(parsed);
    }
    throw new IllegalArgumentException(
        "\"" + text + "\" is no IPv6 address; write one like 2001:db8::2");
  }

  public static Ipv6Address of(Inet6Address address) {
    return read(ByteBuffer.wrap(address.getAddress()), 0);
  }

  /** Reads an address at an absolute index. */
  public static Ipv6Address read(ByteBuffer buffer, int at) {
    return new Ipv6Address(buffer.getLong(at), buffer.getLong(at + Long.BYTES));
  }

  /** The address on this link alone of the card with that interface identifier. */
  public static Ipv6Address linkLocal(long interfaceId) {
    return new Ipv6Address(LINK_LOCAL, interfaceId);
  }

  /** The interface identifier of a card, in the modified EUI-64 format (RFC 4291 appendix A). */
  public static long interfaceId(long mac) {
    long company = mac >>> 24 ^ 0x02_0000; // its universal/local bit is the other way round
    return company << 40 | 0xff_fe00_0000L | (mac & 0xff_ffff);
  }

  /** Writes its sixteen bytes at the buffer's position. */
  public void put(ByteBuffer out) {
    out.putLong(high).putLong(low);
  }

  public Inet6Address toInet() {
    byte[] bytes = new byte[LENGTH];
    put(ByteBuffer.wrap(bytes));
    try {
      // Unlike InetAddress.getByAddress, this leaves an IPv4-mapped address what it is.
      return Inet6Address.getByAddress(null, bytes, -1);
    } catch (UnknownHostException e) {
      throw new AssertionError("sixteen bytes are an address", e);
    }
  }

  public boolean isUnspecified() {
    return high == 0 && low == 0;
  }

  public boolean isLoopback() {
    return high == 0 && low == 1;
  }

  public boolean isMulticast() {
    return high >>> 56 == 0xff;
  }

  /** Whether it is one of {@code fe80::/10}. */
  public boolean isLinkLocal() {
    return high >>> 54 == LINK_LOCAL >>> 54;
  }

  /** Whether packets with it must stay on the link (RFC 4007), as no router may forward them. */
  public boolean isConfined() {
    return isLinkLocal()
        || isUnspecified()
        || isLoopback()
        || (isMulticast() && (high >>> 48 & 0xf) <= 2);
  }

  /** Whether it can be somebody's address beyond the link. */
  public boolean isGlobal() {
    return !isConfined() && !isMulticast();
  }

  /** The group in which whoever has this address is found (RFC 4291 section 2.7.1). */
  public Ipv6Address solicitedNode() {
    return new Ipv6Address(ALL_NODES.high, SOLICITED_NODE | (low & 0xff_ffff));
  }

  /** The Ethernet address of a group (RFC 2464 section 7). */
  public long multicastMac() {
    return 0x3333_0000_0000L | (low & 0xffff_ffffL);
  }

  /** How many bits two addresses have in common at their beginning. */
  public int commonPrefix(Ipv6Address other) {
    return high == other.high
        ? 64 + Long.numberOfLeadingZeros(low ^ other.low)
        : Long.numberOfLeadingZeros(high ^ other.high);
  }

  /** The address with zeros behind that many bits. */
  public Ipv6Address network(int length) {
    return length <= 64
        ? new Ipv6Address(high & mask(length), 0)
        : new Ipv6Address(high, low & mask(length - 64));
  }

  private static long mask(int length) {
    return length == 0 ? 0 : -1L << (64 - length);
  }

  /** Spelled out: a JVM takes some 20 ms to make the first that a record has by itself. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Ipv6Address that && high == that.high && low == that.low;
  }

  @Override
  public int hashCode() {
    return 31 * Long.hashCode(high) + Long.hashCode(low);
  }

  @Override
  public String toString() {
    InetAddress address = toInet();
    return InetAddresses.toAddrString(address);
  }
}
