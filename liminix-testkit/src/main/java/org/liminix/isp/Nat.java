package org.liminix.isp;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Checksum;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;

/**
 * Has many hosts inside share one address outside (RFC 3022): UDP and TCP by their ports, pings by
 * their identifiers, ICMP errors by the packets they are about. Confined to the loop.
 *
 * <p>A host's port has the same number outside wherever it sends to, and whoever knows that number
 * reaches it (RFC 4787 REQ-1 and REQ-8); the number is the host's own if nobody else has it.
 * Mappings that have run out go when somebody asks for them or for their port, so that they need no
 * timer.
 */
final class Nat {
  private static final int TCP = 6;

  /** RFC 4787 REQ-5, RFC 5382 REQ-5 and RFC 5508 REQ-2. */
  private static final long UDP_NANOS = Duration.ofMinutes(5).toNanos();

  private static final long TCP_ESTABLISHED_NANOS = Duration.ofMinutes(124).toNanos();
  private static final long TCP_TRANSITORY_NANOS = Duration.ofMinutes(4).toNanos();
  private static final long ICMP_NANOS = Duration.ofSeconds(60).toNanos();

  /** A search through all ports that found none is not repeated for every packet. */
  private static final long LOOK_AGAIN_NANOS = Duration.ofSeconds(1).toNanos();

  private static final int WELL_KNOWN = 1024;

  private static final int TCP_HEADER = 20;
  private static final int TCP_FLAGS = 13;
  private static final int FIN_OR_RST = 0b101;
  private static final int SYN = 0b10;

  private static final int PARAMETER_PROBLEM = 12;

  /** A port, or identifier of pings, of a host. */
  private record Endpoint(int protocol, int address, int port) {}

  private static final class Mapping {
    final Endpoint inside;
    final Endpoint outside;
    boolean answered;
    boolean closing;
    long lastNanos;

    Mapping(Endpoint inside, Endpoint outside) {
      this.inside = inside;
      this.outside = outside;
    }

    boolean isOver(long now) {
      long timeout =
          switch (inside.protocol()) {
            case TCP -> answered && !closing ? TCP_ESTABLISHED_NANOS : TCP_TRANSITORY_NANOS;
            case Ipv4.UDP -> UDP_NANOS;
            default -> ICMP_NANOS;
          };
      return now - lastNanos > timeout;
    }
  }

  private final int address;
  private final LongSupplier clock;
  private final Map<Endpoint, Mapping> byInside = new HashMap<>();
  private final Map<Endpoint, Mapping> byOutside = new HashMap<>();
  private final Map<Integer, Range> ranges = new HashMap<>();

  /**
   * A translation that knows nobody yet.
   *
   * @param address what everybody has outside
   * @param clock in nanoseconds
   */
  Nat(int address, LongSupplier clock) {
    this.address = address;
    this.clock = clock;
  }

  /** Gives a whole packet from inside the outside's source; false if that cannot be done. */
  boolean outbound(ByteBuffer packet) {
    ByteBuffer ip = packet.slice();
    if (!hasPorts(ip)) {
      return isError(ip) && errorOutbound(ip);
    }
    if (isEcho(ip, Icmp.ECHO_REPLY)) {
      return false; // nobody outside can have asked
    }
    Endpoint inside = endpoint(ip, true);
    Mapping mapping = live(byInside.get(inside));
    if (mapping == null) {
      mapping = create(inside);
    }
    if (mapping == null) {
      return false;
    }
    touch(mapping, ip);
    rewrite(ip, true, mapping.outside);
    return true;
  }

  /** Gives a whole packet for the outside's address its real destination; false if it has none. */
  boolean inbound(ByteBuffer packet) {
    ByteBuffer ip = packet.slice();
    if (!hasPorts(ip)) {
      return isError(ip) && errorInbound(ip);
    }
    if (isEcho(ip, Icmp.ECHO_REQUEST)) {
      return false;
    }
    Mapping mapping = live(byOutside.get(endpoint(ip, false)));
    if (mapping == null) {
      return false;
    }
    mapping.answered = true;
    touch(mapping, ip);
    rewrite(ip, false, mapping.inside);
    return true;
  }

  /** Undoes {@link #outbound} on a packet that could not be sent; false if it is nobody's. */
  boolean undo(ByteBuffer packet) {
    ByteBuffer ip = packet.slice();
    if (!hasPorts(ip)) {
      return false;
    }
    Mapping mapping = live(byOutside.get(endpoint(ip, true)));
    if (mapping == null) {
      return false;
    }
    rewrite(ip, true, mapping.inside);
    return true;
  }

  private void touch(Mapping mapping, ByteBuffer ip) {
    mapping.lastNanos = clock.getAsLong();
    if (mapping.inside.protocol() == TCP && ip.limit() >= Ipv4.headerLength(ip) + TCP_HEADER) {
      int flags = ip.get(Ipv4.headerLength(ip) + TCP_FLAGS);
      mapping.closing = (flags & SYN) == 0 && (mapping.closing || (flags & FIN_OR_RST) != 0);
    }
  }

  private @Nullable Mapping live(@Nullable Mapping mapping) {
    if (mapping != null && mapping.isOver(clock.getAsLong())) {
      byInside.remove(mapping.inside);
      byOutside.remove(mapping.outside);
      return null;
    }
    return mapping;
  }

  private @Nullable Mapping create(Endpoint inside) {
    long now = clock.getAsLong();
    int own = inside.port();
    boolean wellKnown = inside.protocol() != Ipv4.ICMP && own < WELL_KNOWN;
    Range range =
        ranges.computeIfAbsent(
            2 * inside.protocol() + (wellKnown ? 1 : 0), key -> new Range(inside, wellKnown));
    int port = isFree(inside.protocol(), own) ? own : range.next(inside.protocol(), own, now);
    if (port < 0) {
      return null;
    }
    Mapping mapping = new Mapping(inside, new Endpoint(inside.protocol(), address, port));
    mapping.lastNanos = now;
    byInside.put(inside, mapping);
    byOutside.put(mapping.outside, mapping);
    return mapping;
  }

  private boolean isFree(int protocol, int port) {
    return live(byOutside.get(new Endpoint(protocol, address, port))) == null;
  }

  /** Ports among which one is as good as another: RFC 4787 REQ-3. */
  private final class Range {
    private final int first;
    private final int size;

    /** Even and odd ones: REQ-4. */
    private final Half[] halves = {new Half(0), new Half(1)};

    Range(Endpoint inside, boolean wellKnown) {
      first = wellKnown || inside.protocol() == Ipv4.ICMP ? 0 : WELL_KNOWN;
      size = wellKnown ? WELL_KNOWN : 0x10000 - first;
    }

    /** A port that is free, or -1. */
    int next(int protocol, int like, long now) {
      int port = halves[like & 1].next(protocol, now);
      return port < 0 ? halves[~like & 1].next(protocol, now) : port;
    }

    private final class Half {
      private int offset;
      private boolean isFull;
      private long fullNanos;

      Half(int parity) {
        offset = parity;
      }

      int next(int protocol, long now) {
        if (isFull && now - fullNanos < LOOK_AGAIN_NANOS) {
          return -1;
        }
        for (int i = 0; i < size / 2; i++) {
          int port = first + offset;
          offset = (offset + 2) % size;
          if (port != 0 && isFree(protocol, port)) {
            isFull = false;
            return port;
          }
        }
        isFull = true;
        fullNanos = now;
        return -1;
      }
    }
  }

  /** Whether the ports, or the identifier of a ping, are there: also in the quote of an error. */
  private static boolean hasPorts(ByteBuffer ip) {
    if (ip.remaining() < Ipv4.HEADER || Ipv4.fragmentOffset(ip) > 0) {
      return false;
    }
    int start = Ipv4.headerLength(ip);
    int rest = ip.remaining() - start;
    return start >= Ipv4.HEADER
        && switch (Ipv4.protocol(ip)) {
          case TCP, Ipv4.UDP -> rest >= 8;
          case Ipv4.ICMP ->
              rest >= Icmp.HEADER && (isEcho(ip, Icmp.ECHO_REQUEST) || isEcho(ip, Icmp.ECHO_REPLY));
          default -> false;
        };
  }

  private static boolean isEcho(ByteBuffer ip, int type) {
    return Ipv4.protocol(ip) == Ipv4.ICMP && ip.get(Ipv4.headerLength(ip)) == type;
  }

  private static Endpoint endpoint(ByteBuffer ip, boolean source) {
    return new Endpoint(
        Ipv4.protocol(ip),
        source ? Ipv4.source(ip) : Ipv4.destination(ip),
        Short.toUnsignedInt(ip.getShort(portAt(ip, source))));
  }

  private static int portAt(ByteBuffer ip, boolean source) {
    int start = Ipv4.headerLength(ip);
    return Ipv4.protocol(ip) == Ipv4.ICMP ? start + 4 : source ? start : start + 2;
  }

  /** Writes one end of a packet, and the checksums that depend on it, of which a quote has few. */
  private static void rewrite(ByteBuffer ip, boolean source, Endpoint to) {
    int addressAt = source ? 12 : 16;
    int portAt = portAt(ip, source);
    int start = Ipv4.headerLength(ip);
    int before = ip.getInt(addressAt);
    int portBefore = ip.getShort(portAt);
    ip.putInt(addressAt, to.address());
    ip.putShort(portAt, (short) to.port());
    int addresses = words(to.address()) + negated(before);
    int ports = to.port() + (~portBefore & 0xffff);
    adjust(ip, 10, addresses);
    switch (to.protocol()) {
      case TCP -> {
        if (ip.limit() >= start + 18) {
          adjust(ip, start + 16, addresses + ports);
        }
      }
      case Ipv4.UDP -> {
        if (ip.getShort(start + 6) != 0) { // RFC 768: zero is no checksum
          adjust(ip, start + 6, addresses + ports);
          if (ip.getShort(start + 6) == 0) {
            ip.putShort(start + 6, (short) 0xffff);
          }
        }
      }
      default -> adjust(ip, start + 2, ports);
    }
  }

  private static int words(int value) {
    return (value >>> 16) + (value & 0xffff);
  }

  private static int negated(int value) {
    return words(~value);
  }

  /** RFC 1624: the checksum of what has changed by so much. */
  private static void adjust(ByteBuffer ip, int at, int change) {
    ip.putShort(at, (short) Checksum.updated(ip.getShort(at), change));
  }

  private static boolean isError(ByteBuffer ip) {
    int start = Ipv4.headerLength(ip);
    if (Ipv4.protocol(ip) != Ipv4.ICMP || ip.limit() < start + Icmp.HEADER + Ipv4.HEADER) {
      return false;
    }
    int type = ip.get(start);
    return type == Icmp.UNREACHABLE || type == Icmp.TIME_EXCEEDED || type == PARAMETER_PROBLEM;
  }

  private static ByteBuffer quoted(ByteBuffer ip) {
    int start = Ipv4.headerLength(ip) + Icmp.HEADER;
    return ip.slice(start, ip.limit() - start);
  }

  /** RFC 5508 section 4.1: an error about a packet that went out goes where that came from. */
  private boolean errorInbound(ByteBuffer ip) {
    ByteBuffer quote = quoted(ip);
    Mapping mapping = hasPorts(quote) ? live(byOutside.get(endpoint(quote, true))) : null;
    if (mapping == null) {
      return false;
    }
    rewrite(quote, true, mapping.inside);
    finishError(ip, 16, mapping.inside.address());
    return true;
  }

  /** RFC 5508 section 4.2: an error about a packet that came in is about the one that was sent. */
  private boolean errorOutbound(ByteBuffer ip) {
    ByteBuffer quote = quoted(ip);
    Mapping mapping = hasPorts(quote) ? live(byInside.get(endpoint(quote, false))) : null;
    if (mapping == null) {
      return false;
    }
    rewrite(quote, false, mapping.outside);
    finishError(ip, 12, address);
    return true;
  }

  private static void finishError(ByteBuffer ip, int addressAt, int address) {
    int start = Ipv4.headerLength(ip);
    ip.putShort(start + 2, (short) 0);
    ip.putShort(start + 2, (short) Checksum.of(ip, start, ip.limit()));
    adjust(ip, 10, words(address) + negated(ip.getInt(addressAt)));
    ip.putInt(addressAt, address);
  }
}
