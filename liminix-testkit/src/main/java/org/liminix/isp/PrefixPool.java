package org.liminix.isp;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Ipv6Prefix;

/** A range of networks of which each is given to one client at a time, the lowest free first. */
final class PrefixPool {
  private final Ipv6Prefix range;
  private final int length;
  private final AddressPool numbers;

  PrefixPool(Ipv6Prefix range, int length) {
    this.range = range;
    this.length = length;
    this.numbers = new AddressPool(0, (1 << (length - range.length())) - 1, Set.of(), false);
  }

  Ipv6Prefix range() {
    return range;
  }

  @Nullable Ipv6Prefix allocate() {
    Integer number = numbers.allocate();
    return number == null ? null : range.subnet(length, number);
  }

  void release(Ipv6Prefix prefix) {
    // Its bits between the length of the range and its own; at most 16 and within the upper half.
    numbers.release((int) ((prefix.address().high() - range.address().high()) >>> (64 - length)));
  }
}
