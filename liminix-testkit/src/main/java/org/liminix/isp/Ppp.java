package org.liminix.isp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Numbers of PPP (RFC 1661, IANA "PPP numbers") and the packets that all its protocols share. */
final class Ppp {
  static final int IPV4 = 0x0021;
  static final int IPV6 = 0x0057;
  static final int IPCP = 0x8021;
  static final int IPV6CP = 0x8057;
  static final int LCP = 0xc021;
  static final int PAP = 0xc023;
  static final int CHAP = 0xc223;

  /**
   * The largest PPP payload inside an Ethernet of 1500 bytes (RFC 2516 section 7); clients whose
   * Ethernet takes more say so (RFC 4638).
   */
  static final int MAX_MRU = 1492;

  /** Every implementation can take this much, whatever was negotiated (RFC 1661 section 6.1). */
  static final int DEFAULT_MRU = 1500;

  /** Code, identifier and length, with which packets of control protocols begin. */
  static final int HEADER = 4;

  private Ppp() {}

  /** The protocol of an IP packet. */
  static int protocolOf(ByteBuffer packet) {
    return packet.get(packet.position()) >>> 4 == 6 ? IPV6 : IPV4;
  }

  /** The protocol that configures the network of a protocol, or itself (RFC 1661 section 2). */
  static int controlOf(int protocol) {
    return protocol | 0x8000;
  }

  /** A way for packets of one protocol to the peer. */
  @FunctionalInterface
  interface Link {
    /**
     * Sends one packet.
     *
     * @param protocol its number
     * @param packet from position to limit; copied before this returns
     */
    void send(int protocol, ByteBuffer packet);
  }

  /**
   * Whether a control packet begins at the buffer's position. The limit moves to its end, away from
   * padding (RFC 1661 section 5).
   */
  static boolean accept(ByteBuffer packet) {
    if (packet.remaining() < HEADER) {
      return false;
    }
    int length = Short.toUnsignedInt(packet.getShort(packet.position() + 2));
    if (length < HEADER || length > packet.remaining()) {
      return false;
    }
    packet.limit(packet.position() + length);
    return true;
  }

  static int code(ByteBuffer packet) {
    return Byte.toUnsignedInt(packet.get(packet.position()));
  }

  static int identifier(ByteBuffer packet) {
    return Byte.toUnsignedInt(packet.get(packet.position() + 1));
  }

  /** What follows the header. */
  static ByteBuffer data(ByteBuffer packet) {
    return packet.duplicate().position(packet.position() + HEADER);
  }

  /** A packet with that much room for data; {@link #finish} makes it complete. */
  static ByteBuffer begin(int code, int identifier, int room) {
    return ByteBuffer.allocate(HEADER + room)
        .put((byte) code)
        .put((byte) identifier)
        .putShort((short) 0);
  }

  static ByteBuffer finish(ByteBuffer packet) {
    packet.flip();
    return packet.putShort(2, (short) packet.limit());
  }

  static ByteBuffer packet(int code, int identifier, ByteBuffer data) {
    return finish(begin(code, identifier, data.remaining()).put(data.duplicate()));
  }

  static ByteBuffer packet(int code, int identifier, String text) {
    return packet(code, identifier, ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }
}
