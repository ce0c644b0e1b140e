package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;

/**
 * The other cards on a segment by their addresses in one protocol, and what waits until they are
 * found: the part of address resolution that ARP (RFC 826) and Neighbor Discovery (RFC 4861) have
 * in common. Confined to the loop.
 *
 * @param <A> an address of the protocol
 */
final class Neighbours<A> {
  /** How the protocol asks and sends. */
  interface Link<A> {
    /**
     * Asks where a neighbour is.
     *
     * @param believed the card that had the address, to be asked whether it still does, or null
     */
    void ask(A address, @Nullable Long believed);

    void transmit(ByteBuffer packet, long mac);

    /** A neighbour does not answer. */
    void silent(A address, Iterable<ByteBuffer> unsent);
  }

  /** A question is asked after 0, 100, 300, 700 and 1500 ms and given up after 3100. */
  private static final Duration FIRST_PATIENCE = Duration.ofMillis(100);

  private static final int MAX_QUESTIONS = 5;

  /** What waits for an answer; more would be a burst nobody resolves. */
  private static final int MAX_WAITING = 64;

  private static final int MAX_NEIGHBOURS = 4096;

  private final EventLoop loop;
  private final long freshNanos;
  private final Link<A> link;
  private final Map<A, Neighbour> neighbours = new HashMap<>();

  /**
   * @param fresh how long an answer is believed before it is asked for again
   */
  Neighbours(EventLoop loop, Duration fresh, Link<A> link) {
    this.loop = loop;
    this.freshNanos = fresh.toNanos();
    this.link = link;
  }

  /** Sends a packet to a neighbour as soon as it is known where that is. */
  void send(A address, ByteBuffer packet) {
    neighbours.computeIfAbsent(address, Neighbour::new).send(packet);
  }

  /** A neighbour has answered: if anybody has asked, here it is. */
  void answered(A address, long mac) {
    Neighbour neighbour = neighbours.get(address);
    if (neighbour != null) {
      neighbour.found(mac, System.nanoTime());
    }
  }

  /** A neighbour has said where it is without being asked. */
  void heard(A address, long mac) {
    Neighbour neighbour = neighbours.get(address);
    if (neighbour == null && neighbours.size() < MAX_NEIGHBOURS) {
      neighbour = new Neighbour(address);
      neighbours.put(address, neighbour);
    }
    if (neighbour != null && (!neighbour.known || neighbour.foundMac != mac)) {
      // It can be heard, but not yet known to hear us (RFC 4861 section 7.3.2, STALE).
      neighbour.found(mac, System.nanoTime() - freshNanos - 1);
    }
  }

  /** Takes for granted where a neighbour is, until it says otherwise. */
  void learn(A address, long mac) {
    neighbours.computeIfAbsent(address, Neighbour::new).found(mac, System.nanoTime());
  }

  /** The card with an address, or null if it has not told. */
  @Nullable Long mac(A address) {
    Neighbour neighbour = neighbours.get(address);
    return neighbour != null && neighbour.known ? Long.valueOf(neighbour.foundMac) : null;
  }

  private static ByteBuffer copy(ByteBuffer packet) {
    return ByteBuffer.allocate(packet.remaining()).put(packet.duplicate()).flip();
  }

  /** Where a neighbour is, or the question where it is. */
  private final class Neighbour {
    private final A address;
    private final Queue<ByteBuffer> waiting = new ArrayDeque<>();
    private boolean known;
    private long foundMac;
    private long foundNanos;
    private int questions;
    private EventLoop.@Nullable Timer patience;

    Neighbour(A address) {
      this.address = address;
    }

    void send(ByteBuffer packet) {
      if (known) {
        link.transmit(packet, foundMac);
        if (patience == null && System.nanoTime() - foundNanos > freshNanos) {
          ask(); // and go on using what is known meanwhile
        }
      } else {
        if (waiting.size() < MAX_WAITING) {
          waiting.add(copy(packet));
        }
        if (patience == null) {
          ask();
        }
      }
    }

    private void ask() {
      if (questions == MAX_QUESTIONS) {
        neighbours.remove(address);
        link.silent(address, waiting);
        return;
      }
      patience = loop.schedule(FIRST_PATIENCE.multipliedBy(1L << questions), this::ask);
      questions++;
      link.ask(address, known ? Long.valueOf(foundMac) : null);
    }

    void found(long mac, long nanos) {
      known = true;
      foundMac = mac;
      foundNanos = nanos;
      questions = 0;
      if (patience != null) {
        patience.cancel();
        patience = null;
      }
      for (ByteBuffer packet = waiting.poll(); packet != null; packet = waiting.poll()) {
        link.transmit(packet, mac);
      }
    }
  }
}
