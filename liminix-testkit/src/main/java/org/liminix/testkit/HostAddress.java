package org.liminix.testkit;

import com.google.common.net.InetAddresses;
import java.net.Inet6Address;
import java.net.InetAddress;

/**
 * An IPv4 or IPv6 address and the length of its network's prefix.
 *
 * @param address with its host part
 * @param length in bits
 */
record HostAddress(InetAddress address, int length) {
  static HostAddress parse(String text) {
    int slash = text.indexOf('/');
    String length = text.substring(slash + 1);
    if (slash > 0 && length.matches("\\d{1,3}")) {
      InetAddress address = address(text.substring(0, slash));
      int bits = Integer.parseInt(length);
      if (bits > 0 && bits <= address.getAddress().length * Byte.SIZE) {
        return new HostAddress(address, bits);
      }
    }
    throw new IllegalArgumentException(
        "LinuxHost: \"%s\" is no address with the length of its network; write one like 10.0.0.2/24 or 2001:db8::2/64"
            .formatted(text));
  }

  /** An address, never a name that would be looked up. */
  static InetAddress address(String text) {
    if (!InetAddresses.isInetAddress(text)) {
      throw new IllegalArgumentException(
          "LinuxHost: \"" + text + "\" is no IPv4 or IPv6 address; names are not looked up");
    }
    return InetAddresses.forString(text);
  }

  static String text(InetAddress address) {
    return InetAddresses.toAddrString(address);
  }

  boolean isIpv6() {
    return address instanceof Inet6Address;
  }

  boolean contains(InetAddress other) {
    byte[] mine = address.getAddress();
    byte[] others = other.getAddress();
    if (mine.length != others.length) {
      return false;
    }
    for (int bit = 0; bit < length; bit++) {
      int mask = 0x80 >> bit % Byte.SIZE;
      if (((mine[bit / Byte.SIZE] ^ others[bit / Byte.SIZE]) & mask) != 0) {
        return false;
      }
    }
    return true;
  }

  @Override
  public String toString() {
    return text(address) + "/" + length;
  }
}
