package org.liminix.isp;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/** A range of addresses of which each is given to one client at a time, the lowest free first. */
final class AddressPool {
  private final int first;
  private final int size;
  private final BitSet taken = new BitSet();

  AddressPool(int first, int last) {
    this.first = first;
    this.size = last - first + 1;
  }

  boolean contains(int address) {
    return Integer.compareUnsigned(address - first, size) < 0;
  }

  @Nullable Integer allocate() {
    int index = taken.nextClearBit(0);
    if (index >= size) {
      return null;
    }
    taken.set(index);
    return first + index;
  }

  void release(int address) {
    taken.clear(address - first);
  }
}
