package org.liminix.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.liminix.net.internal.FrameParser;

/**
 * An Ethernet frame that passed on a {@link Segment}, and what it carries.
 *
 * <pre>{@code
 * Frame offer = log.await(frame -> frame.dhcp().filter(dhcp -> dhcp.type() == 2).isPresent(), timeout);
 * InetAddress address = offer.dhcp().orElseThrow().yourAddress();
 * }</pre>
 *
 * <p>A view of a protocol is there if the frame carries it and it is whole as far as its header and
 * lengths go; checksums are not looked at. What lies in a PPPoE session is seen as what lies on the
 * Ethernet itself. An immutable value: buffers are read-only and the caller's own.
 */
public final class Frame {
  private static final int HEADER = 14;

  private final Instant time;
  private final String sender;
  private final String note;
  private final ByteBuffer bytes;
  private final FrameParser parser;

  private Frame(Instant time, String sender, String note, ByteBuffer bytes) {
    this.time = time;
    this.sender = sender;
    this.note = note;
    this.bytes = bytes;
    this.parser = new FrameParser(bytes);
  }

  /** A copy of a frame of at least 14 bytes. */
  static Frame of(String sender, String note, ByteBuffer frame) {
    ByteBuffer copy = ByteBuffer.allocate(frame.remaining()).put(frame.duplicate()).flip();
    return new Frame(Instant.now(), sender, note, copy.asReadOnlyBuffer());
  }

  /** When it passed the switch. */
  public Instant time() {
    return time;
  }

  /** The name of the station that sent it. */
  public String sender() {
    return sender;
  }

  /** What a damaged {@link Cable} did to it, as captures tell; empty if nothing. */
  public String note() {
    return note;
  }

  /** All of it, from destination address to end of payload. */
  public ByteBuffer bytes() {
    return bytes.duplicate();
  }

  /** Its length in bytes. */
  public int length() {
    return bytes.remaining();
  }

  /** Whom it is for. */
  public MacAddress destination() {
    return MacAddress.read(bytes());
  }

  /** Whose address it bears. */
  public MacAddress source() {
    return MacAddress.read(bytes().position(MacAddress.LENGTH));
  }

  /** EtherType, as 0x0800; below 0x0600 a length (IEEE 802.3, 3.2.6). */
  public int etherType() {
    return Short.toUnsignedInt(bytes.getShort(HEADER - Short.BYTES));
  }

  /** What it carries. */
  public ByteBuffer payload() {
    return bytes().position(HEADER).slice();
  }

  /** Address resolution: RFC 826. */
  public Optional<Arp> arp() {
    return parser.arp();
  }

  /** IPv4 or IPv6. */
  public Optional<Ip> ip() {
    return parser.ip();
  }

  /** RFC 792 or, over IPv6, RFC 4443. */
  public Optional<Icmp> icmp() {
    return parser.icmp();
  }

  /** RFC 768. */
  public Optional<Udp> udp() {
    return parser.udp();
  }

  /** RFC 9293. */
  public Optional<Tcp> tcp() {
    return parser.tcp();
  }

  /** DHCP for IPv4: RFC 2131. */
  public Optional<Dhcp> dhcp() {
    return parser.dhcp();
  }

  /** DNS over UDP at port 53: RFC 1035. */
  public Optional<Dns> dns() {
    return parser.dns();
  }

  /** Discovery or session: RFC 2516. */
  public Optional<Pppoe> pppoe() {
    return parser.pppoe();
  }

  /** PPP in a PPPoE session: RFC 1661. */
  public Optional<Ppp> ppp() {
    return parser.ppp();
  }

  /** In a line: sender, addresses and the innermost protocol that is known. */
  @Override
  public String toString() {
    return "%s: %s > %s %s%s"
        .formatted(
            sender,
            source(),
            destination(),
            parser.describe(),
            note.isEmpty() ? "" : " (" + note + ")");
  }

  /**
   * Who has which address.
   *
   * @param operation 1 asks, 2 answers
   * @param sender the sender's address on the Ethernet
   * @param senderAddress its address, 0.0.0.0 in a probe
   * @param target whom it is for, zero in a question
   * @param targetAddress whose address is asked for
   */
  public record Arp(
      int operation,
      MacAddress sender,
      InetAddress senderAddress,
      MacAddress target,
      InetAddress targetAddress) {}

  /**
   * A packet of the internet layer.
   *
   * @param version 4 or 6
   * @param protocol of the payload: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6
   * @param hopLimit the time to live
   * @param fragmentOffset where the payload belongs in the whole one, in bytes
   * @param payload behind the header and, with IPv6, its extensions
   */
  public record Ip(
      int version,
      InetAddress source,
      InetAddress destination,
      int protocol,
      int hopLimit,
      int fragmentOffset,
      ByteBuffer payload) {}

  /**
   * A message about the network.
   *
   * @param type 8 and 0 are echo request and reply, with IPv6 128 and 129
   * @param code details of the type
   * @param body behind type, code and checksum
   */
  public record Icmp(int type, int code, ByteBuffer body) {}

  /**
   * A datagram.
   *
   * @param source address and port
   * @param destination address and port
   */
  public record Udp(InetSocketAddress source, InetSocketAddress destination, ByteBuffer payload) {}

  /**
   * A segment of a connection.
   *
   * @param source address and port
   * @param destination address and port
   * @param flags the low byte: 1 FIN, 2 SYN, 4 RST, 8 PSH, 16 ACK
   */
  public record Tcp(
      InetSocketAddress source,
      InetSocketAddress destination,
      long sequence,
      long acknowledgement,
      int flags,
      ByteBuffer payload) {}

  /**
   * A message that leases addresses.
   *
   * @param type 1 discover, 2 offer, 3 request, 5 acknowledgement, 6 refusal; 0 if it says none
   * @param transaction the same in question and answer
   * @param client the client's address on the Ethernet
   * @param yourAddress what the client is given, else 0.0.0.0
   * @param options by their codes in RFC 2132
   */
  public record Dhcp(
      int type,
      int transaction,
      MacAddress client,
      InetAddress yourAddress,
      Map<Integer, ByteBuffer> options) {}

  /**
   * A question about names, or its answer.
   *
   * @param id the same in question and answer
   * @param response whether it is an answer
   * @param code how the server fared: 0 well, 3 no such name
   * @param name the first name asked for, without the dot at its end
   * @param type what is asked about it: 1 A, 28 AAAA
   */
  public record Dns(int id, boolean response, int code, String name, int type) {}

  /**
   * A packet of PPPoE.
   *
   * @param code 0x09 PADI, 0x07 PADO, 0x19 PADR, 0x65 PADS, 0xa7 PADT, 0 in a session
   * @param session its number, 0 before there is one
   * @param payload tags, or PPP
   */
  public record Pppoe(int code, int session, ByteBuffer payload) {}

  /**
   * A packet of PPP.
   *
   * @param protocol 0xc021 LCP, 0xc023 PAP, 0xc223 CHAP, 0x8021 IPCP, 0x8057 IPV6CP, 0x0021 IPv4
   * @param payload behind the protocol
   */
  public record Ppp(int protocol, ByteBuffer payload) {}
}
