package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Fields of an IPv6 packet (RFC 8200), relative to the position of a buffer whose limit is the end
 * of the packet.
 */
public final class Ipv6 {
  public static final int HEADER = 40;

  /** What every link carries (RFC 8200 section 5). */
  public static final int MIN_MTU = 1280;

  public static final int DEFAULT_HOP_LIMIT = 64;

  /** The longest packet without a jumbo payload. */
  public static final int MAX_PACKET = HEADER + 0xffff;

  public static final int TCP = 6;
  public static final int UDP = 17;
  public static final int ICMP = 58;
  public static final int FRAGMENT = 44;
  public static final int NO_NEXT_HEADER = 59;

  private static final int HOP_BY_HOP = 0;
  private static final int ROUTING = 43;
  private static final int DESTINATION_OPTIONS = 60;

  private static final int FRAGMENT_HEADER = 8;
  private static final int SOURCE = 8;
  private static final int DESTINATION = 24;

  private Ipv6() {}

  /**
   * What the extension headers (RFC 8200 section 4) lead to.
   *
   * @param protocol of the payload; {@link #FRAGMENT} if it is part of one
   * @param start where the payload begins, an absolute index
   * @param named where the header before says what it is, relative to the packet
   * @param problem the code of the ICMPv6 parameter problem to be reported instead of taking the
   *     packet, or {@link #GOOD}, or {@link #DISCARD}
   * @param pointer where the problem is, relative to the packet
   */
  public record Payload(int protocol, int start, int named, int problem, int pointer) {
    public static final int GOOD = -1;
    public static final int DISCARD = -2;

    static Payload bad(int problem, int pointer) {
      return new Payload(NO_NEXT_HEADER, 0, 0, problem, pointer);
    }

    public boolean isGood() {
      return problem == GOOD;
    }
  }

  /**
   * Whether a packet begins at the buffer's position. The limit moves to its end, away from
   * padding.
   */
  public static boolean accept(ByteBuffer packet) {
    int start = packet.position();
    if (packet.remaining() < HEADER || (packet.get(start) & 0xf0) != 0x60) {
      return false;
    }
    int length = HEADER + Short.toUnsignedInt(packet.getShort(start + 4));
    if (length > packet.remaining()) {
      return false;
    }
    packet.limit(start + length);
    return packet.get(start + SOURCE) != (byte) 0xff; // RFC 4291 section 2.7: no group sends
  }

  /** What follows the header. */
  public static int nextHeader(ByteBuffer packet) {
    return Byte.toUnsignedInt(packet.get(packet.position() + 6));
  }

  public static int hopLimit(ByteBuffer packet) {
    return Byte.toUnsignedInt(packet.get(packet.position() + 7));
  }

  public static Ipv6Address source(ByteBuffer packet) {
    return Ipv6Address.read(packet, packet.position() + SOURCE);
  }

  public static Ipv6Address destination(ByteBuffer packet) {
    return Ipv6Address.read(packet, packet.position() + DESTINATION);
  }

  /** Counts one hop; the packet must have more than one left. */
  public static void decrementHopLimit(ByteBuffer packet) {
    setHopLimit(packet, hopLimit(packet) - 1);
  }

  public static void setHopLimit(ByteBuffer packet, int hopLimit) {
    packet.put(packet.position() + 7, (byte) hopLimit);
  }

  /** Writes a header; what it announces follows. */
  public static void putHeader(
      ByteBuffer out,
      Ipv6Address source,
      Ipv6Address destination,
      int nextHeader,
      int hopLimit,
      int length) {
    out.putInt(0x6000_0000).putShort((short) length).put((byte) nextHeader).put((byte) hopLimit);
    source.put(out);
    destination.put(out);
  }

  /** Corrects the length when what follows the header ends at the buffer's position. */
  public static void finishLength(ByteBuffer out, int start) {
    out.putShort(start + 4, (short) (out.position() - start - HEADER));
  }

  /** The checksum of an upper-layer packet in it with its pseudo-header (RFC 8200 section 8.1). */
  public static int checksum(ByteBuffer packet, int start, int from, int to, int protocol) {
    return Checksum.withPseudoHeaderOf(packet, start + SOURCE, start + HEADER, from, to, protocol);
  }

  /** Reads the extension headers as the destination of a packet does. */
  public static Payload payload(ByteBuffer packet) {
    int start = packet.position();
    int named = 6;
    int at = start + HEADER;
    while (true) {
      int next = Byte.toUnsignedInt(packet.get(start + named));
      boolean options = next == DESTINATION_OPTIONS || (next == HOP_BY_HOP && at == start + HEADER);
      if (!options && next != ROUTING) {
        return next == HOP_BY_HOP
            ? Payload.bad(Icmpv6.UNKNOWN_NEXT_HEADER, named)
            : new Payload(next, at, named, Payload.GOOD, 0);
      }
      if (packet.limit() - at < 8) {
        return Payload.bad(Payload.DISCARD, 0);
      }
      int end = at + 8 * (1 + Byte.toUnsignedInt(packet.get(at + 1)));
      if (end > packet.limit()) {
        return Payload.bad(Payload.DISCARD, 0);
      }
      Payload problem = options ? optionProblem(packet, at + 2, end) : routingProblem(packet, at);
      if (problem != null) {
        return problem;
      }
      named = at - start;
      at = end;
    }
  }

  /** RFC 8200 section 4.2: what an unknown option wants done with the packet. */
  private static @Nullable Payload optionProblem(ByteBuffer packet, int from, int end) {
    int at = from;
    while (at < end) {
      int type = Byte.toUnsignedInt(packet.get(at));
      if (type == 0) { // Pad1
        at++;
        continue;
      }
      if (at + 2 > end || at + 2 + Byte.toUnsignedInt(packet.get(at + 1)) > end) {
        return Payload.bad(Payload.DISCARD, 0);
      }
      boolean group = destination(packet).isMulticast();
      switch (type >>> 6) {
        case 0 -> {}
        case 1 -> {
          return Payload.bad(Payload.DISCARD, 0);
        }
        default -> {
          return Payload.bad(
              type >>> 6 == 3 && group ? Payload.DISCARD : Icmpv6.UNKNOWN_OPTION,
              at - packet.position());
        }
      }
      at += 2 + Byte.toUnsignedInt(packet.get(at + 1));
    }
    return null;
  }

  /** RFC 8200 section 4.4: a route that is not at its end is not one for hosts (RFC 5095). */
  private static @Nullable Payload routingProblem(ByteBuffer packet, int at) {
    return packet.get(at + 3) == 0
        ? null
        : Payload.bad(Icmpv6.ERRONEOUS_HEADER, at + 2 - packet.position());
  }

  static int fragmentOffset(ByteBuffer packet, int header) {
    return Short.toUnsignedInt(packet.getShort(header + 2)) & ~7;
  }

  static boolean moreFragments(ByteBuffer packet, int header) {
    return (packet.get(header + 3) & 1) != 0;
  }

  /**
   * Cuts a packet without extension headers into fragments, as only its source may (RFC 8200
   * section 4.5).
   *
   * @param scratch room for a fragment
   * @param sink given each fragment in turn, valid during the call
   */
  public static void fragment(
      ByteBuffer packet,
      int mtu,
      int identification,
      ByteBuffer scratch,
      Consumer<ByteBuffer> sink) {
    int from = packet.position() + HEADER;
    int step = (mtu - HEADER - FRAGMENT_HEADER) & ~7;
    for (int at = from; at < packet.limit(); at += step) {
      int length = Math.min(step, packet.limit() - at);
      boolean more = at + length < packet.limit();
      scratch.clear();
      putHeader(
          scratch,
          source(packet),
          destination(packet),
          FRAGMENT,
          hopLimit(packet),
          FRAGMENT_HEADER + length);
      scratch.put((byte) nextHeader(packet)).put((byte) 0);
      scratch.putShort((short) ((at - from) | (more ? 1 : 0))).putInt(identification);
      scratch.put(scratch.position(), packet, at, length);
      sink.accept(scratch.position(scratch.position() + length).flip());
    }
  }
}
