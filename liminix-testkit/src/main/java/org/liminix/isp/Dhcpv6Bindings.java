package org.liminix.isp;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Dhcpv6Message;
import org.liminix.net.internal.Dhcpv6Message.Association;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Prefix;

/**
 * What the client of one session has been given by DHCPv6. It lasts as long as the session, so that
 * nobody else gets it meanwhile. Confined to the loop.
 */
final class Dhcpv6Bindings {
  /** A household has one router; who asks for more than this wants to use the pool up. */
  private static final int MAX_BINDINGS = 8;

  /** Where leased addresses begin in the network of the line. */
  private static final long FIRST_ADDRESS = 0x100;

  /** Who is told what becomes of it. */
  interface Listener {
    /** The client has something, or has it for longer. */
    void granted(int association, Ipv6Prefix prefix, boolean renewed);

    void released(int association, Ipv6Prefix prefix);
  }

  /** RFC 8415 section 12: an association is known by its client, its kind and its number. */
  private record Key(ByteBuffer client, int association, int id) {}

  private static final class Binding {
    final Ipv6Prefix prefix;

    /** Whether the client has it, and is not only offered it. */
    boolean granted;

    Binding(Ipv6Prefix prefix) {
      this.prefix = prefix;
    }
  }

  private final @Nullable PrefixPool delegations;
  private final @Nullable Ipv6Prefix addresses;
  private final Listener listener;
  private final Map<Key, Binding> bindings = new LinkedHashMap<>();
  private int leased;

  /**
   * Those of a client that has nothing yet.
   *
   * @param delegations of which to delegate, or null not to
   * @param addresses the network to lease addresses of, or null not to
   */
  Dhcpv6Bindings(
      @Nullable PrefixPool delegations, @Nullable Ipv6Prefix addresses, Listener listener) {
    this.delegations = delegations;
    this.addresses = addresses;
    this.listener = listener;
  }

  private static Key key(ByteBuffer client, Association asked) {
    return new Key(client, asked.code(), asked.id());
  }

  /** Finds something for a client that it may ask for, or null if there is nothing. */
  @Nullable Ipv6Prefix reserve(ByteBuffer client, Association asked) {
    Key key = key(client, asked);
    Binding known = bindings.get(key);
    if (known != null) {
      return known.prefix;
    }
    Ipv6Prefix free = bindings.size() < MAX_BINDINGS ? free(asked.code()) : null;
    if (free != null) {
      bindings.put(key, new Binding(free));
    }
    return free;
  }

  private @Nullable Ipv6Prefix free(int association) {
    if (association == Dhcpv6Message.IA_PD) {
      return delegations == null ? null : delegations.allocate();
    }
    return addresses == null
        ? null
        : new Ipv6Prefix(
            new Ipv6Address(addresses.address().high(), FIRST_ADDRESS + leased++), 128);
  }

  /** What a client has been granted, or null if nothing. */
  @Nullable Ipv6Prefix granted(ByteBuffer client, Association asked) {
    Binding binding = bindings.get(key(client, asked));
    return binding != null && binding.granted ? binding.prefix : null;
  }

  /** The client has what was reserved for it, or goes on having it. */
  void grant(ByteBuffer client, Association asked) {
    Binding binding = bindings.get(key(client, asked));
    if (binding != null) {
      boolean renewed = binding.granted;
      binding.granted = true;
      listener.granted(asked.code(), binding.prefix, renewed);
    }
  }

  /** The client gives back what it was granted. */
  void release(ByteBuffer client, Association asked) {
    Binding binding = bindings.remove(key(client, asked));
    if (binding != null) {
      release(asked.code(), binding);
    }
  }

  private void release(int association, Binding binding) {
    if (binding.granted) {
      listener.released(association, binding.prefix);
    }
    if (association == Dhcpv6Message.IA_PD && delegations != null) {
      delegations.release(binding.prefix);
    }
  }

  /** Everything is free again. */
  void releaseAll() {
    Map<Key, Binding> all = Map.copyOf(bindings);
    bindings.clear();
    all.forEach((key, binding) -> release(key.association(), binding));
  }

  /** What has been delegated. */
  List<Ipv6Prefix> delegated() {
    return bindings.entrySet().stream()
        .filter(entry -> entry.getKey().association() == Dhcpv6Message.IA_PD)
        .map(Map.Entry::getValue)
        .filter(binding -> binding.granted)
        .map(binding -> binding.prefix)
        .toList();
  }

  /** Whether an address is of the line. */
  boolean isOnLink(Ipv6Prefix address) {
    return addresses != null && addresses.contains(address.address());
  }
}
