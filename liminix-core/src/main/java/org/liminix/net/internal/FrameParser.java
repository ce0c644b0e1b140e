package org.liminix.net.internal;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.liminix.net.Frame;
import org.liminix.net.MacAddress;

/** Finds protocols in an Ethernet frame; what does not parse is not there. */
public final class FrameParser {
  private static final int PPPOE_DISCOVERY = 0x8863;
  private static final int PPPOE_SESSION = 0x8864;
  private static final int PPP_IPV4 = 0x0021;
  private static final int PPP_IPV6 = 0x0057;

  private static final int TCP = 6;
  private static final int ICMPV6 = 58;
  private static final int DNS_PORT = 53;

  private final ByteBuffer frame;

  /** Parses a frame of at least 14 bytes, from position to limit. */
  public FrameParser(ByteBuffer frame) {
    this.frame = frame;
  }

  private int type() {
    return Ethernet.type(frame);
  }

  private ByteBuffer payload() {
    return frame.duplicate().position(frame.position() + Ethernet.HEADER).slice();
  }

  /** RFC 826, of IPv4 on Ethernet. */
  public Optional<Frame.Arp> arp() {
    ByteBuffer arp = payload();
    if (type() != Ethernet.ARP
        || arp.remaining() < 28
        || arp.getLong() >>> 16 != 0x0001_0800_0604L) {
      return Optional.empty();
    }
    int operation = Short.toUnsignedInt(arp.getShort(6));
    return Optional.of(
        new Frame.Arp(
            operation,
            MacAddress.read(arp),
            address(arp, 4),
            MacAddress.read(arp),
            address(arp, 4)));
  }

  /** RFC 2516 section 4. */
  public Optional<Frame.Pppoe> pppoe() {
    ByteBuffer packet = payload();
    if ((type() != PPPOE_DISCOVERY && type() != PPPOE_SESSION)
        || packet.remaining() < 6
        || packet.get() != 0x11) {
      return Optional.empty();
    }
    int code = Byte.toUnsignedInt(packet.get());
    int session = Short.toUnsignedInt(packet.getShort());
    int length = Short.toUnsignedInt(packet.getShort());
    return length > packet.remaining()
        ? Optional.empty()
        : Optional.of(new Frame.Pppoe(code, session, packet.slice().limit(length)));
  }

  /** RFC 1661 section 2. */
  public Optional<Frame.Ppp> ppp() {
    return pppoe()
        .filter(packet -> type() == PPPOE_SESSION && packet.payload().remaining() >= Short.BYTES)
        .map(
            packet -> {
              ByteBuffer rest = packet.payload().duplicate();
              return new Frame.Ppp(Short.toUnsignedInt(rest.getShort()), rest.slice());
            });
  }

  /** RFC 791 and RFC 8200. */
  public Optional<Frame.Ip> ip() {
    if (type() == Ethernet.IPV4) {
      return ipv4(payload());
    }
    if (type() == Ethernet.IPV6) {
      return ipv6(payload());
    }
    return ppp()
        .flatMap(
            packet ->
                switch (packet.protocol()) {
                  case PPP_IPV4 -> ipv4(packet.payload().duplicate());
                  case PPP_IPV6 -> ipv6(packet.payload().duplicate());
                  default -> Optional.empty();
                });
  }

  private static Optional<Frame.Ip> ipv4(ByteBuffer packet) {
    if (packet.remaining() < Ipv4.HEADER) {
      return Optional.empty();
    }
    int header = Ipv4.headerLength(packet);
    int total = Short.toUnsignedInt(packet.getShort(2));
    if (packet.get(0) >>> 4 != 4
        || header < Ipv4.HEADER
        || total < header
        || total > packet.remaining()) {
      return Optional.empty();
    }
    return Optional.of(
        new Frame.Ip(
            4,
            Ipv4.toInet(Ipv4.source(packet)),
            Ipv4.toInet(Ipv4.destination(packet)),
            Ipv4.protocol(packet),
            Ipv4.ttl(packet),
            Ipv4.fragmentOffset(packet),
            packet.duplicate().limit(total).position(header).slice()));
  }

  private static Optional<Frame.Ip> ipv6(ByteBuffer packet) {
    if (packet.remaining() < 40
        || packet.get(0) >>> 4 != 6
        || Short.toUnsignedInt(packet.getShort(4)) > packet.remaining() - 40) {
      return Optional.empty();
    }
    int next = Byte.toUnsignedInt(packet.get(6));
    int hopLimit = Byte.toUnsignedInt(packet.get(7));
    ByteBuffer rest =
        packet.duplicate().limit(40 + Short.toUnsignedInt(packet.getShort(4))).position(8);
    InetAddress source = address(rest, 16);
    InetAddress destination = address(rest, 16);
    int offset = 0;
    while (isExtension(next)) {
      if (rest.remaining() < 8) {
        return Optional.empty();
      }
      int at = rest.position();
      boolean fragment = next == 44;
      int length = fragment ? 8 : 8 * (1 + Byte.toUnsignedInt(rest.get(at + 1)));
      if (fragment) {
        offset = Short.toUnsignedInt(rest.getShort(at + 2)) & ~7;
      }
      if (length > rest.remaining()) {
        return Optional.empty();
      }
      next = Byte.toUnsignedInt(rest.get(at));
      rest.position(at + length);
    }
    return Optional.of(new Frame.Ip(6, source, destination, next, hopLimit, offset, rest.slice()));
  }

  /** Hop-by-hop, routing, fragment and destination options: RFC 8200 section 4. */
  private static boolean isExtension(int next) {
    return next == 0 || next == 43 || next == 44 || next == 60;
  }

  private Optional<Frame.Ip> whole(int protocol, int header) {
    return ip().filter(
            ip ->
                ip.protocol() == protocol
                    && ip.fragmentOffset() == 0
                    && ip.payload().remaining() >= header);
  }

  /** RFC 792 and RFC 4443. */
  public Optional<Frame.Icmp> icmp() {
    return whole(Ipv4.ICMP, 4)
        .filter(ip -> ip.version() == 4)
        .or(() -> whole(ICMPV6, 4).filter(ip -> ip.version() == 6))
        .map(Frame.Ip::payload)
        .map(
            message ->
                new Frame.Icmp(
                    Byte.toUnsignedInt(message.get(0)),
                    Byte.toUnsignedInt(message.get(1)),
                    message.duplicate().position(4).slice()));
  }

  /** RFC 768. */
  public Optional<Frame.Udp> udp() {
    return whole(Ipv4.UDP, 8)
        .map(
            ip -> {
              ByteBuffer datagram = ip.payload().duplicate();
              InetSocketAddress source = end(ip.source(), datagram);
              InetSocketAddress destination = end(ip.destination(), datagram);
              return new Frame.Udp(source, destination, datagram.position(8).slice());
            });
  }

  /** RFC 9293 section 3.1. */
  public Optional<Frame.Tcp> tcp() {
    return whole(TCP, 20)
        .filter(ip -> dataOffset(ip.payload()) >= 20)
        .filter(ip -> dataOffset(ip.payload()) <= ip.payload().remaining())
        .map(
            ip -> {
              ByteBuffer segment = ip.payload().duplicate();
              InetSocketAddress source = end(ip.source(), segment);
              InetSocketAddress destination = end(ip.destination(), segment);
              return new Frame.Tcp(
                  source,
                  destination,
                  Integer.toUnsignedLong(segment.getInt()),
                  Integer.toUnsignedLong(segment.getInt()),
                  Byte.toUnsignedInt(segment.get(13)),
                  segment.position(dataOffset(ip.payload())).slice());
            });
  }

  private static int dataOffset(ByteBuffer segment) {
    return (segment.get(12) >>> 4 & 0xf) * 4;
  }

  private static InetSocketAddress end(InetAddress address, ByteBuffer ports) {
    return new InetSocketAddress(address, Short.toUnsignedInt(ports.getShort()));
  }

  /** RFC 2131. */
  public Optional<Frame.Dhcp> dhcp() {
    return udp()
        .filter(
            udp ->
                udp.destination().getPort() == DhcpMessage.SERVER_PORT
                    || udp.destination().getPort() == DhcpMessage.CLIENT_PORT)
        .flatMap(udp -> DhcpMessage.parse(udp.payload()))
        .map(
            message ->
                new Frame.Dhcp(
                    message.type(),
                    message.transaction(),
                    MacAddress.of(message.hardwareAddress()),
                    Ipv4.toInet(message.yourAddress()),
                    message.options().entrySet().stream()
                        .collect(
                            Collectors.toUnmodifiableMap(
                                Map.Entry::getKey,
                                option -> ByteBuffer.wrap(option.getValue()).asReadOnlyBuffer()))));
  }

  /** RFC 1035 section 4. */
  public Optional<Frame.Dns> dns() {
    return udp()
        .filter(
            udp -> udp.destination().getPort() == DNS_PORT || udp.source().getPort() == DNS_PORT)
        .flatMap(udp -> dns(udp.payload().duplicate()));
  }

  private static Optional<Frame.Dns> dns(ByteBuffer message) {
    if (message.remaining() < 12 || message.getShort(4) == 0) {
      return Optional.empty();
    }
    int flags = Short.toUnsignedInt(message.getShort(2));
    message.position(12);
    StringBuilder name = new StringBuilder();
    while (message.hasRemaining()) {
      int length = Byte.toUnsignedInt(message.get());
      if (length == 0 && message.remaining() >= Short.BYTES) {
        return Optional.of(
            new Frame.Dns(
                Short.toUnsignedInt(message.getShort(0)),
                (flags & 0x8000) != 0,
                flags & 0xf,
                name.toString(),
                Short.toUnsignedInt(message.getShort())));
      }
      if (length == 0 || length > 63 || length > message.remaining()) {
        return Optional.empty();
      }
      byte[] label = new byte[length];
      message.get(label);
      name.append(name.length() == 0 ? "" : ".")
          .append(new String(label, StandardCharsets.ISO_8859_1));
    }
    return Optional.empty();
  }

  private static InetAddress address(ByteBuffer from, int length) {
    byte[] bytes = new byte[length];
    from.get(bytes);
    try {
      return InetAddress.getByAddress(bytes);
    } catch (UnknownHostException e) {
      throw new AssertionError("four or sixteen bytes are an address", e);
    }
  }

  /** The innermost protocol that is known, in words. */
  public String describe() {
    return arp()
        .<Object>map(
            arp ->
                (arp.operation() == 1 ? "ARP who has " : "ARP has ")
                    + host(arp.operation() == 1 ? arp.targetAddress() : arp.senderAddress()))
        .or(
            () ->
                dhcp()
                    .map(
                        dhcp ->
                            "DHCP type %d for %s, address %s"
                                .formatted(dhcp.type(), dhcp.client(), host(dhcp.yourAddress()))))
        .or(
            () ->
                dns()
                    .map(
                        dns ->
                            "DNS %s for %s, type %d"
                                .formatted(
                                    dns.response() ? "answer" : "question",
                                    dns.name(),
                                    dns.type())))
        .or(() -> udp().map(udp -> "UDP " + udp.source() + " > " + udp.destination()))
        .or(() -> tcp().map(tcp -> "TCP " + tcp.source() + " > " + tcp.destination()))
        .or(
            () ->
                icmp()
                    .flatMap(
                        icmp ->
                            ip().map(
                                    ip ->
                                        "ICMP type %d code %d %s > %s"
                                            .formatted(
                                                icmp.type(),
                                                icmp.code(),
                                                host(ip.source()),
                                                host(ip.destination())))))
        .or(
            () ->
                ip().map(
                        ip ->
                            "IP protocol %d %s > %s"
                                .formatted(
                                    ip.protocol(), host(ip.source()), host(ip.destination()))))
        .or(() -> ppp().map(ppp -> "PPP 0x%04x".formatted(ppp.protocol())))
        .or(() -> pppoe().map(packet -> "PPPoE code 0x%02x".formatted(packet.code())))
        .map(Object::toString)
        .orElseGet(() -> "EtherType 0x%04x".formatted(type()));
  }

  private static String host(InetAddress address) {
    return address.getHostAddress();
  }
}
