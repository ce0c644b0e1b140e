package org.liminix.net.internal;

import java.nio.ByteBuffer;

/** ICMPv6 messages (RFC 4443) and when hosts and routers send them. */
public final class Icmpv6 {
  public static final int HEADER = 8;

  public static final int UNREACHABLE = 1;
  public static final int TOO_BIG = 2;
  public static final int TIME_EXCEEDED = 3;
  public static final int PARAMETER_PROBLEM = 4;
  public static final int ECHO_REQUEST = 128;
  public static final int ECHO_REPLY = 129;
  public static final int ROUTER_SOLICITATION = 133;
  public static final int ROUTER_ADVERTISEMENT = 134;
  public static final int NEIGHBOUR_SOLICITATION = 135;
  public static final int NEIGHBOUR_ADVERTISEMENT = 136;
  public static final int REDIRECT = 137;

  /** Codes of {@link #UNREACHABLE}. */
  public static final int NO_ROUTE = 0;

  public static final int PROHIBITED = 1;
  public static final int BEYOND_SCOPE = 2;
  public static final int ADDRESS = 3;
  public static final int PORT = 4;
  public static final int SOURCE_POLICY = 5;
  public static final int REJECTED = 6;

  /** Codes of {@link #PARAMETER_PROBLEM}. */
  public static final int ERRONEOUS_HEADER = 0;

  public static final int UNKNOWN_NEXT_HEADER = 1;
  public static final int UNKNOWN_OPTION = 2;

  private Icmpv6() {}

  /** Whether the payload that begins at an index of a whole packet is an ICMPv6 message. */
  public static boolean isMessage(ByteBuffer packet, int at) {
    return packet.limit() - at >= HEADER
        && Ipv6.checksum(packet, packet.position(), at, packet.limit(), Ipv6.ICMP) == 0;
  }

  public static int type(ByteBuffer packet, int at) {
    return Byte.toUnsignedInt(packet.get(at));
  }

  public static int code(ByteBuffer packet, int at) {
    return Byte.toUnsignedInt(packet.get(at + 1));
  }

  /** Whether a type is one of an error (RFC 4443 section 2.1). */
  public static boolean isError(int type) {
    return type < 128;
  }

  /** Begins a message behind an IPv6 header; its body follows. */
  static void begin(
      ByteBuffer out, Ipv6Address source, Ipv6Address destination, int hopLimit, int type) {
    out.clear();
    Ipv6.putHeader(out, source, destination, Ipv6.ICMP, hopLimit, 0);
    out.putInt(type << 24);
  }

  /** Completes a message that ends at the buffer's position, and flips the buffer. */
  static ByteBuffer finish(ByteBuffer out) {
    Ipv6.finishLength(out, 0);
    int checksum = Ipv6.checksum(out, 0, Ipv6.HEADER, out.position(), Ipv6.ICMP);
    return out.putShort(Ipv6.HEADER + 2, (short) checksum).flip();
  }

  /**
   * Writes the packet of an echo request.
   *
   * @param out cleared, written and flipped
   */
  public static void writeEchoRequest(
      ByteBuffer out,
      Ipv6Address source,
      Ipv6Address destination,
      int hopLimit,
      int identifier,
      int sequence,
      ByteBuffer data) {
    begin(out, source, destination, hopLimit, ECHO_REQUEST);
    out.putShort((short) identifier).putShort((short) sequence).put(data);
    finish(out);
  }

  /**
   * Writes the packet that answers an echo request.
   *
   * @param out cleared, written and flipped
   * @param source who answers: whom the request was sent to, unless that is a group
   * @param at where the request's message begins
   */
  public static void writeEchoReply(
      ByteBuffer out, Ipv6Address source, int hopLimit, ByteBuffer request, int at) {
    begin(out, source, Ipv6.source(request), hopLimit, ECHO_REPLY);
    out.put(request.duplicate().position(at + 4));
    finish(out);
  }

  /**
   * Writes the packet that reports an error about another packet, if one may be sent.
   *
   * @param out cleared, written and flipped
   * @param source the address of the reporter
   * @param parameter the MTU for {@link #TOO_BIG}, the pointer for {@link #PARAMETER_PROBLEM},
   *     otherwise 0
   * @return false if no error may be reported about this packet (RFC 4443 section 2.4 e)
   */
  public static boolean writeError(
      ByteBuffer out, Ipv6Address source, int type, int code, int parameter, ByteBuffer about) {
    if (!mayReport(type, code, about)) {
      return false;
    }
    begin(out, source, Ipv6.source(about), Ipv6.DEFAULT_HOP_LIMIT, type);
    out.put(Ipv6.HEADER + 1, (byte) code).putInt(parameter);
    // RFC 4443 section 2.4 c: as much as fits what every link carries.
    int quoted = Math.min(about.remaining(), Ipv6.MIN_MTU - Ipv6.HEADER - HEADER);
    out.put(about.duplicate().limit(about.position() + quoted));
    finish(out);
    return true;
  }

  private static boolean mayReport(int type, int code, ByteBuffer about) {
    Ipv6Address source = Ipv6.source(about);
    boolean aboutGroups = type == TOO_BIG || (type == PARAMETER_PROBLEM && code == UNKNOWN_OPTION);
    if (source.isUnspecified()
        || source.isMulticast()
        || (Ipv6.destination(about).isMulticast() && !aboutGroups)) {
      return false;
    }
    Ipv6.Payload payload = Ipv6.payload(about);
    if (payload.protocol() != Ipv6.ICMP) {
      return true;
    }
    if (payload.start() >= about.limit()) {
      return false; // it may have been an error
    }
    int reported = type(about, payload.start());
    return !isError(reported) && reported != REDIRECT;
  }
}
