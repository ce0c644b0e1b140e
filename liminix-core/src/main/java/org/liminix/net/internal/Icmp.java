package org.liminix.net.internal;

import java.nio.ByteBuffer;

/** ICMP messages (RFC 792) and when hosts and routers send them (RFC 1122, RFC 1812). */
public final class Icmp {
  public static final int HEADER = 8;

  public static final int ECHO_REPLY = 0;
  public static final int UNREACHABLE = 3;
  public static final int ECHO_REQUEST = 8;
  public static final int TIME_EXCEEDED = 11;

  /** Codes of {@link #UNREACHABLE}. */
  public static final int NET = 0;

  public static final int HOST = 1;
  public static final int PROTOCOL = 2;
  public static final int PORT = 3;
  public static final int FRAGMENTATION_NEEDED = 4;

  private Icmp() {}

  /** Whether the payload of a whole, unfragmented packet is an ICMP message. */
  public static boolean isMessage(ByteBuffer packet) {
    int start = packet.position() + Ipv4.headerLength(packet);
    return packet.limit() - start >= HEADER && Checksum.of(packet, start, packet.limit()) == 0;
  }

  /** Writes an echo request or reply of this identifier, sequence number and data. */
  public static void putEcho(
      ByteBuffer out, int type, int identifier, int sequence, ByteBuffer data) {
    int start = out.position();
    out.put((byte) type)
        .put((byte) 0)
        .putShort((short) 0)
        .putShort((short) identifier)
        .putShort((short) sequence)
        .put(data);
    out.putShort(start + 2, (short) Checksum.of(out, start, out.position()));
  }

  /**
   * Writes the packet that answers an echo request, from the address it was sent to.
   *
   * @param out cleared, written and flipped
   */
  public static void writeEchoReply(ByteBuffer out, ByteBuffer request) {
    int icmp = request.position() + Ipv4.headerLength(request);
    int length = request.limit() - icmp;
    out.clear();
    Ipv4.putHeader(
        out,
        /* source= */ Ipv4.destination(request),
        /* destination= */ Ipv4.source(request),
        Ipv4.ICMP,
        Ipv4.identification(request),
        length);
    putEcho(
        out,
        ECHO_REPLY,
        request.getShort(icmp + 4),
        request.getShort(icmp + 6),
        request.duplicate().position(icmp + HEADER));
    out.flip();
  }

  /**
   * Writes the packet that reports an error about another packet, if one may be sent.
   *
   * @param out cleared, written and flipped
   * @param source the address of the reporter
   * @param nextHopMtu for {@link #FRAGMENTATION_NEEDED} (RFC 1191), otherwise 0
   * @return false if no error may be reported about this packet (RFC 1122 section 3.2.2)
   */
  public static boolean writeError(
      ByteBuffer out, int source, int type, int code, int nextHopMtu, ByteBuffer about) {
    if (!mayReport(about)) {
      return false;
    }
    // As much as fits in the 576 bytes that every host takes (RFC 1812 section 4.3.2.3).
    int quoted = Math.min(about.remaining(), 576 - Ipv4.HEADER - HEADER);
    out.clear();
    Ipv4.putHeader(out, source, Ipv4.source(about), Ipv4.ICMP, 0, HEADER + quoted);
    int start = out.position();
    out.put((byte) type).put((byte) code).putShort((short) 0);
    out.putShort((short) 0).putShort((short) nextHopMtu);
    out.put(about.duplicate().limit(about.position() + quoted));
    out.putShort(start + 2, (short) Checksum.of(out, start, out.position()));
    out.flip();
    return true;
  }

  private static boolean mayReport(ByteBuffer about) {
    int destination = Ipv4.destination(about);
    int source = Ipv4.source(about);
    if (destination == Ipv4.BROADCAST
        || Ipv4.isMulticast(destination)
        || source == 0
        || Ipv4.isMulticast(source)
        || source == Ipv4.BROADCAST
        || Ipv4.fragmentOffset(about) > 0) {
      return false;
    }
    int payload = about.position() + Ipv4.headerLength(about);
    if (Ipv4.protocol(about) != Ipv4.ICMP) {
      return true;
    }
    int type = payload < about.limit() ? about.get(payload) : UNREACHABLE;
    return type == ECHO_REQUEST || type == ECHO_REPLY;
  }
}
