package org.liminix.net;

import java.net.Inet4Address;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Ipv4;

/**
 * Which client of a {@link DhcpServer} has which address (RFC 2131 section 4.3.1): a client gets
 * the one it has or had, else the one it asks for, else one that nobody had, else the one that was
 * given up longest ago. Confined to the loop, but for {@link #isGranted}.
 */
final class DhcpBindings {
  /** How long an offer stands. */
  private static final Duration OFFER = Duration.ofSeconds(60);

  private final DhcpSettings settings;
  private final LongSupplier nanoClock;
  private final Map<Integer, Entry> byAddress = new TreeMap<>(Integer::compareUnsigned);
  private final Map<String, Entry> byClient = new HashMap<>();
  private final Map<Inet4Address, DhcpBinding> granted = new ConcurrentHashMap<>();

  DhcpBindings(DhcpSettings settings, LongSupplier nanoClock) {
    this.settings = settings;
    this.nanoClock = nanoClock;
  }

  private enum State {
    OFFERED,
    BOUND,
    /** Somebody else has it, or nobody may have it for a while. */
    BARRED
  }

  /** An address and whose it is, was or would be. */
  private static final class Entry {
    private final int address;
    private final String client;
    private State state = State.OFFERED;
    private long endNanos;
    private @Nullable DhcpBinding binding; // from the first grant on

    Entry(int address, String client) {
      this.address = address;
      this.client = client;
    }
  }

  private boolean isOver(Entry entry) {
    return entry.endNanos - nanoClock.getAsLong() <= 0;
  }

  /** Whether the client may have it now. */
  private boolean isFree(int address, String client, MacAddress card) {
    Integer fixed = settings.fixed().get(card);
    if (fixed != null ? fixed != address : !isInPool(address)) {
      return false;
    }
    Entry entry = byAddress.get(address);
    return entry == null
        || isOver(entry)
        || (entry.state != State.BARRED && (entry.client.equals(client) || fixed != null));
  }

  private boolean isInPool(int address) {
    return Integer.compareUnsigned(address, settings.first()) >= 0
        && Integer.compareUnsigned(address, settings.last()) <= 0
        && address != settings.own().address()
        && !settings.own().isBroadcast(address)
        && !(settings.own().length() < 31 && address == network())
        && !settings.fixed().containsValue(address);
  }

  private int network() {
    return settings.own().address() & Ipv4.mask(settings.own().length());
  }

  /**
   * The address to offer to a client.
   *
   * @param wanted what it asks for, or 0
   */
  Optional<Integer> choose(String client, MacAddress card, int wanted) {
    Integer fixed = settings.fixed().get(card);
    if (fixed != null) {
      return Optional.of(fixed).filter(address -> isFree(address, client, card));
    }
    Entry former = byClient.get(client);
    if (former != null && isFree(former.address, client, card)) {
      return Optional.of(former.address);
    }
    if (wanted != 0 && isFree(wanted, client, card)) {
      return Optional.of(wanted);
    }
    // As a difference, for the last address may be the highest there is.
    for (int i = 0; Integer.compareUnsigned(i, settings.last() - settings.first()) <= 0; i++) {
      int address = settings.first() + i;
      if (!byAddress.containsKey(address) && isInPool(address)) {
        return Optional.of(address);
      }
    }
    return byAddress.values().stream()
        .filter(entry -> isFree(entry.address, client, card))
        .min(Comparator.comparingLong(entry -> entry.endNanos - nanoClock.getAsLong()))
        .map(entry -> entry.address);
  }

  /** Whether the client has, or was offered, just this address. */
  boolean holds(String client, int address) {
    Entry entry = byAddress.get(address);
    return entry != null
        && entry.client.equals(client)
        && entry.state != State.BARRED
        && !isOver(entry);
  }

  /** Whether a record of the client is left, of a lease or of an offer. */
  boolean knows(String client) {
    return byClient.containsKey(client);
  }

  /** Whether a client that asks for an address without having been offered it may have it. */
  boolean mayHave(String client, MacAddress card, int address) {
    Entry former = byClient.get(client);
    return isFree(address, client, card)
        && (former == null || former.address == address || isOver(former));
  }

  /** Keeps an address for the client until it has answered an offer. */
  void reserve(String client, int address) {
    if (!holds(client, address)) {
      Entry entry = enter(client, address);
      entry.endNanos = nanoClock.getAsLong() + OFFER.toNanos();
    }
  }

  /** Takes back an offer that the client did not take up. */
  void withdraw(String client) {
    Entry entry = byClient.get(client);
    if (entry != null && entry.state == State.OFFERED) {
      remove(entry);
    }
  }

  private Entry enter(String client, int address) {
    Entry before = byClient.get(client);
    if (before != null) {
      remove(before);
    }
    Entry displaced = byAddress.get(address);
    if (displaced != null) {
      remove(displaced);
    }
    Entry entry = new Entry(address, client);
    byAddress.put(address, entry);
    byClient.put(client, entry);
    return entry;
  }

  private void remove(Entry entry) {
    byAddress.remove(entry.address, entry);
    byClient.remove(entry.client, entry);
    granted.remove(Ipv4.toInet(entry.address));
  }

  /** Leases an address, or extends the lease. */
  DhcpBinding bind(
      String client, MacAddress card, int address, Optional<String> hostName, Duration leaseTime) {
    Entry held = holds(client, address) ? byClient.get(client) : null;
    Entry entry = held == null ? enter(client, address) : held;
    DhcpBinding binding =
        new DhcpBinding(Ipv4.toInet(address), card, hostName, Instant.now(), leaseTime);
    entry.state = State.BOUND;
    entry.endNanos = nanoClock.getAsLong() + leaseTime.toNanos();
    entry.binding = binding;
    granted.put(binding.address(), binding);
    return binding;
  }

  /** Ends a lease; the client gets the same address when it comes again, if nobody has it then. */
  boolean release(String client, int address) {
    if (!holds(client, address)) {
      return false;
    }
    Entry entry = byClient.get(client);
    if (entry != null) {
      entry.endNanos = nanoClock.getAsLong();
      granted.remove(Ipv4.toInet(address));
    }
    return entry != null;
  }

  /** Gives an address to nobody for the time of a lease. */
  void bar(int address) {
    Entry barred = enter("barred " + address, address);
    barred.state = State.BARRED;
    barred.endNanos = nanoClock.getAsLong() + settings.leaseTime().toNanos();
  }

  /** Whether this is what its client has now. From any thread. */
  boolean isGranted(DhcpBinding binding) {
    return binding.equals(granted.get(binding.address()))
        && binding.expires().isAfter(Instant.now());
  }

  /** The leases that run, by address. */
  List<DhcpBinding> current() {
    return byAddress.values().stream()
        .filter(entry -> !isOver(entry))
        .flatMap(entry -> Optional.ofNullable(entry.binding).stream())
        .toList();
  }
}
