package org.liminix.net;

import java.net.Inet6Address;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Prefix;

/**
 * The addresses that begin with the same bits: a prefix of IPv6 (RFC 4291 section 2.3), written
 * {@code 2001:db8::/56}.
 *
 * <p>An immutable value.
 *
 * @param address its first address
 * @param length how many bits are the same, 0 to 128
 */
public record Ipv6Network(Inet6Address address, int length) {
  public Ipv6Network {
    if (length < 0
        || length > 128
        || !new Ipv6Prefix(Ipv6Address.of(address), length).isNetwork()) {
      throw new IllegalArgumentException(
          "%s/%d is no network: behind its length, of 0 to 128, must be zeros"
              .formatted(Ipv6Address.of(address), length));
    }
  }

  /** Parses a prefix, behind which there must be zeros. */
  public static Ipv6Network parse(String text) {
    Ipv6Prefix prefix = Ipv6Prefix.parse(text);
    return new Ipv6Network(prefix.address().toInet(), prefix.length());
  }

  /** Whether an address is one of them. */
  public boolean contains(Inet6Address other) {
    return new Ipv6Prefix(Ipv6Address.of(address), length).contains(Ipv6Address.of(other));
  }

  /** As RFC 5952 wants it. */
  @Override
  public String toString() {
    return Ipv6Address.of(address) + "/" + length;
  }
}
