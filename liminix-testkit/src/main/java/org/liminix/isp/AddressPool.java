package org.liminix.isp;

import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The addresses of clients: a range of which each is given to one client at a time, the lowest free
 * first, and those that are kept for somebody, in the range or beside it.
 */
final class AddressPool {
  private final int first;
  private final int size;
  private final Set<Integer> kept;
  private final boolean fresh;
  private final BitSet taken = new BitSet();

  /** Kept ones, and others that were asked for by name. */
  private final Set<Integer> takenBeside = new HashSet<>();

  private int next;

  /**
   * A pool of which nothing is taken.
   *
   * @param fresh whether an address is given again only when the others have been given
   */
  AddressPool(int first, int last, Set<Integer> kept, boolean fresh) {
    this.first = first;
    this.size = last - first + 1;
    this.kept = Set.copyOf(kept);
    this.fresh = fresh;
    kept.stream().filter(this::inRange).forEach(address -> taken.set(address - first));
  }

  private boolean inRange(int address) {
    return Integer.compareUnsigned(address - first, size) < 0;
  }

  /** Whether the address is a client's, now or at another time. */
  boolean contains(int address) {
    return inRange(address) || kept.contains(address);
  }

  @Nullable Integer allocate() {
    int index = taken.nextClearBit(next);
    if (index >= size) {
      index = taken.nextClearBit(0);
    }
    if (index >= size) {
      return null;
    }
    next = fresh ? index + 1 : 0;
    taken.set(index);
    return first + index;
  }

  /** Takes a certain address; false if somebody has it. */
  boolean take(int address) {
    if (!isOfTheRange(address)) {
      return takenBeside.add(address);
    }
    boolean free = !taken.get(address - first);
    taken.set(address - first);
    return free;
  }

  private boolean isOfTheRange(int address) {
    return inRange(address) && !kept.contains(address);
  }

  void release(int address) {
    if (isOfTheRange(address)) {
      taken.clear(address - first);
    } else {
      takenBeside.remove(address);
    }
  }
}
