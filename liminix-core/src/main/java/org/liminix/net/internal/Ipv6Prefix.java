package org.liminix.net.internal;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An address and the network it is in, written {@code 2001:db8::2/64}.
 *
 * @param address the address with its host part
 * @param length of the network part, 0 to 128 bits
 */
public record Ipv6Prefix(Ipv6Address address, int length) {
  private static final Pattern FORM = Pattern.compile("([^/]+)/(\\d{1,3})");

  public static Ipv6Prefix parse(String text) {
    Matcher form = FORM.matcher(text);
    if (form.matches() && Integer.parseInt(form.group(2)) <= 128) {
      return new Ipv6Prefix(Ipv6Address.parse(form.group(1)), Integer.parseInt(form.group(2)));
    }
    throw new IllegalArgumentException(
        "\""
            + text
            + "\" is no address with the length of its network; write one like 2001:db8::2/64");
  }

  public boolean contains(Ipv6Address other) {
    return address.commonPrefix(other) >= length;
  }

  /** Whether some address is in both networks. */
  public boolean overlaps(Ipv6Prefix other) {
    return contains(other.address) || other.contains(address);
  }

  /** The network alone, without a host part. */
  public Ipv6Prefix network() {
    return new Ipv6Prefix(address.network(length), length);
  }

  /** Whether nothing but zeros follows the network part. */
  public boolean isNetwork() {
    return address.network(length).equals(address);
  }

  /** The address of the interface with that identifier, in a network of up to 64 bits. */
  public Ipv6Address host(long interfaceId) {
    return new Ipv6Address(address.network(length).high(), interfaceId);
  }

  /**
   * The network of that number among those of a longer prefix that this one is divided into.
   *
   * @param index from 0; of at most 64 bits
   */
  public Ipv6Prefix subnet(int subnetLength, long index) {
    Ipv6Address start = address.network(length);
    if (subnetLength <= 64) {
      long shifted = subnetLength == 0 ? 0 : index << (64 - subnetLength);
      return new Ipv6Prefix(new Ipv6Address(start.high() | shifted, 0), subnetLength);
    }
    int shift = 128 - subnetLength;
    long low = start.low() | index << shift;
    long carried = shift == 0 ? 0 : index >>> (64 - shift);
    return new Ipv6Prefix(new Ipv6Address(start.high() | carried, low), subnetLength);
  }

  @Override
  public String toString() {
    return address + "/" + length;
  }
}
