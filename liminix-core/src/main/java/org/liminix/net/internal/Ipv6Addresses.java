package org.liminix.net.internal;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The addresses of one card, how long they last and which is the best for what (RFC 6724). Confined
 * to the loop.
 */
final class Ipv6Addresses {
  /** RFC 4862 section 5.5.3 e: nobody can shorten what is left of an address to less than this. */
  private static final long TWO_HOURS = 7200L * 1_000_000_000L;

  /** An address of the card. */
  static final class Entry {
    private final Ipv6Address address;
    private final int prefixLength;
    private long validUntil;
    private long preferredUntil;

    /** Whether it is still asked whether somebody else has it (RFC 4429). */
    private boolean optimistic = true;

    private Entry(Ipv6Address address, int prefixLength) {
      this.address = address;
      this.prefixLength = prefixLength;
    }

    Ipv6Address address() {
      return address;
    }

    boolean isOptimistic() {
      return optimistic;
    }

    void settle() {
      optimistic = false;
    }
  }

  private final List<Entry> entries = new ArrayList<>();

  private static long in(long now, long seconds) {
    // Nanoseconds of 136 years fit; what is written as forever ends even later than a JVM.
    return now + seconds * 1_000_000_000L;
  }

  private List<Entry> valid() {
    long now = System.nanoTime();
    for (Iterator<Entry> each = entries.iterator(); each.hasNext(); ) {
      if (each.next().validUntil - now <= 0) {
        each.remove();
      }
    }
    return entries;
  }

  /** Adds an address; the card must not have it. */
  Entry add(Ipv6Address address, int prefixLength, long validSeconds, long preferredSeconds) {
    long now = System.nanoTime();
    Entry entry = new Entry(address, prefixLength);
    entry.validUntil = in(now, validSeconds);
    entry.preferredUntil = in(now, preferredSeconds);
    entries.add(entry);
    return entry;
  }

  /** Prolongs or shortens the life of an address as a router says (RFC 4862 section 5.5.3 e). */
  void renew(Entry entry, long validSeconds, long preferredSeconds) {
    long now = System.nanoTime();
    long left = entry.validUntil - now;
    long valid = validSeconds * 1_000_000_000L;
    entry.preferredUntil = in(now, preferredSeconds);
    if (valid > TWO_HOURS || valid > left) {
      entry.validUntil = now + valid;
    } else if (left > TWO_HOURS) {
      entry.validUntil = now + TWO_HOURS;
    }
  }

  void remove(Entry entry) {
    entries.remove(entry);
  }

  @Nullable Entry find(Ipv6Address address) {
    for (Entry entry : valid()) {
      if (entry.address.equals(address)) {
        return entry;
      }
    }
    return null;
  }

  /** Whether a group is that of one of the addresses. */
  boolean solicits(Ipv6Address group) {
    return valid().stream().anyMatch(entry -> entry.address.solicitedNode().equals(group));
  }

  List<Ipv6Address> all() {
    return valid().stream().map(Entry::address).toList();
  }

  Optional<Ipv6Address> linkLocal() {
    for (Entry entry : valid()) {
      if (entry.address.isLinkLocal()) {
        return Optional.of(entry.address);
      }
    }
    return Optional.empty();
  }

  /** The address for packets to a destination, or null if there is none of its scope. */
  @Nullable Entry select(Ipv6Address destination) {
    boolean confined = destination.isConfined();
    long now = System.nanoTime();
    return valid().stream()
        .filter(entry -> entry.address.isLinkLocal() == confined) // rule 2
        .max(
            Comparator.<Entry, Boolean>comparing(entry -> entry.preferredUntil - now > 0) // rule 3
                .thenComparing( // rule 8, as far as the prefix goes
                    entry -> Math.min(entry.address.commonPrefix(destination), entry.prefixLength)))
        .orElse(null);
  }
}
