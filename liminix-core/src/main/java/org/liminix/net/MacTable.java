package org.liminix.net;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Which address is behind which port: a hash table without boxing, looked at twice for every frame.
 * It holds a bounded number of addresses; a station that invents more is simply not learned, and
 * frames to it are flooded.
 */
final class MacTable {
  private static final int CAPACITY = 1 << 13;
  private static final int MAX_ENTRIES = CAPACITY / 2;

  // Start small: most segments see a handful of addresses.
  private long[] addresses = new long[16];
  private @Nullable Port[] ports = new @Nullable Port[16];
  private int size;

  void learn(long address, Port port) {
    int slot = slot(address);
    if (ports[slot] == null) {
      if (size == MAX_ENTRIES) {
        return;
      }
      if (size == addresses.length / 2) {
        rehash(addresses.length * 2);
        slot = slot(address);
      }
      size++;
      addresses[slot] = address;
    }
    ports[slot] = port;
  }

  @Nullable Port find(long address) {
    return ports[slot(address)];
  }

  void forget(Port port) {
    Arrays.setAll(ports, slot -> ports[slot] == port ? null : ports[slot]);
    rehash(addresses.length); // closes the gaps that would end a probe too early
  }

  private void rehash(int capacity) {
    long[] oldAddresses = addresses;
    @Nullable Port[] oldPorts = ports;
    addresses = new long[capacity];
    ports = new @Nullable Port[capacity];
    size = 0;
    for (int i = 0; i < oldPorts.length; i++) {
      if (oldPorts[i] != null) {
        int slot = slot(oldAddresses[i]);
        addresses[slot] = oldAddresses[i];
        ports[slot] = oldPorts[i];
        size++;
      }
    }
  }

  /** Where the address is, or where it would go. */
  private int slot(long address) {
    int mask = addresses.length - 1;
    int slot = (int) ((address * 0x9e37_79b9_7f4a_7c15L) >>> 40) & mask;
    while (ports[slot] != null && addresses[slot] != address) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }
}
