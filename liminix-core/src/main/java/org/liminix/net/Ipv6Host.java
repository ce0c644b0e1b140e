package org.liminix.net;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.liminix.net.PingFailedException.Reason;
import org.liminix.net.internal.EthernetCard;
import org.liminix.net.internal.Icmpv6;
import org.liminix.net.internal.Ipv6;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Interface;
import org.liminix.net.internal.Ipv6Prefix;
import org.liminix.net.internal.Ipv6Reassembly;

/** What an in-process host does with IPv6 (RFC 8504). Confined to the loop. */
final class Ipv6Host implements InternetLayer, Ipv6Interface.Owner {
  /** Who is told what happens. */
  interface Listener {
    void pinged(ReceivedPing ping);

    void advertised(RouterAdvertisement news);

    void appeared(Inet6Address address);

    void duplicate(Inet6Address address, MacAddress other);
  }

  /**
   * RFC 7559 would begin with four seconds for the sake of slow networks; here the router is at the
   * other end of a memory copy, and may just be booting.
   */
  private static final Duration FIRST_PATIENCE = Duration.ofMillis(250);

  private static final Duration LONGEST_PATIENCE = Duration.ofSeconds(16);

  private final EventLoop loop;
  private final Ipv6Interface card;
  private final UdpPorts udp;
  private final Pinger pinger;
  private final Listener listener;
  private final Ipv6Reassembly reassembly = new Ipv6Reassembly();
  private final ByteBuffer packet = ByteBuffer.allocateDirect(Ipv6.MAX_PACKET);
  private Duration patience = FIRST_PATIENCE;
  private EventLoop.@Nullable Timer solicitation;

  /** A host on that card, which has no address until {@link #start}. */
  Ipv6Host(EventLoop loop, EthernetCard card, UdpPorts udp, Pinger pinger, Listener listener) {
    this.loop = loop;
    this.card = new Ipv6Interface(card, false, this);
    this.udp = udp;
    this.pinger = pinger;
    this.listener = listener;
  }

  /**
   * Begins to speak.
   *
   * @param fixed its address, or null to make itself some where a router says so
   */
  void start(@Nullable Ipv6Prefix fixed, @Nullable Ipv6Address gateway) {
    card.start();
    if (fixed == null) {
      card.autoconfigure();
      solicit();
    } else {
      card.configure(fixed);
    }
    if (gateway != null) {
      card.gateway(gateway);
    }
  }

  private void solicit() {
    card.solicitRouters();
    solicitation = loop.schedule(patience, this::solicit);
    Duration longer = patience.multipliedBy(2);
    patience = longer.compareTo(LONGEST_PATIENCE) < 0 ? longer : LONGEST_PATIENCE;
  }

  void close() {
    card.close();
    if (solicitation != null) {
      solicitation.cancel();
    }
  }

  List<Inet6Address> all() {
    return card.addresses().stream().map(Ipv6Address::toInet).toList();
  }

  Optional<MacAddress> neighbour(Inet6Address address) {
    return card.neighbour(Ipv6Address.of(address));
  }

  @Override
  public void advertised(RouterAdvertisement news) {
    if (solicitation != null && !news.lifetime().isZero()) {
      solicitation.cancel();
      solicitation = null;
    }
    listener.advertised(news);
  }

  @Override
  public void appeared(Ipv6Address address) {
    listener.appeared(address.toInet());
  }

  @Override
  public void duplicate(Ipv6Address address, MacAddress other) {
    listener.duplicate(address.toInet(), other);
  }

  @Override
  public void received(ByteBuffer received, long sender) {
    Ipv6Address destination = Ipv6.destination(received);
    boolean own = card.isOwn(destination);
    if (!own && !card.isMember(destination)) {
      return;
    }
    Ipv6.Payload payload = Ipv6.payload(received);
    if (payload.isGood() && payload.protocol() == Ipv6.FRAGMENT) {
      ByteBuffer whole = reassembly.add(received, payload.start());
      if (whole != null) {
        received(whole, Ipv6.payload(whole), sender);
      }
    } else {
      received(received, payload, sender);
    }
  }

  private void received(ByteBuffer whole, Ipv6.Payload payload, long sender) {
    if (!payload.isGood()) {
      if (payload.problem() != Ipv6.Payload.DISCARD) {
        refuse(whole, Icmpv6.PARAMETER_PROBLEM, payload.problem(), payload.pointer());
      }
      return;
    }
    switch (payload.protocol()) {
      case Ipv6.ICMP -> {
        if (Icmpv6.isMessage(whole, payload.start())) {
          receivedIcmp(whole, payload.start(), sender);
        }
      }
      case Ipv6.UDP -> {
        if (!receivedUdp(whole, payload.start())) {
          refuse(whole, Icmpv6.UNREACHABLE, Icmpv6.PORT, 0);
        }
      }
      case Ipv6.NO_NEXT_HEADER, Ipv6.FRAGMENT -> {}
      default ->
          refuse(whole, Icmpv6.PARAMETER_PROBLEM, Icmpv6.UNKNOWN_NEXT_HEADER, payload.named());
    }
  }

  private boolean receivedUdp(ByteBuffer whole, int start) {
    return udp.received(
        whole,
        start,
        Ipv6.source(whole).toInet(),
        /* checksumMandatory= */ true, // RFC 8200 section 8.1
        end -> Ipv6.checksum(whole, whole.position(), start, end, Ipv6.UDP));
  }

  private void receivedIcmp(ByteBuffer whole, int icmp, long sender) {
    switch (Icmpv6.type(whole, icmp)) {
      case Icmpv6.ECHO_REQUEST -> {
        Ipv6Address peer = Ipv6.source(whole);
        Ipv6Address asked = Ipv6.destination(whole);
        Ipv6Address from = asked.isMulticast() ? card.source(peer) : asked;
        if (from == null || peer.isUnspecified()) {
          return;
        }
        ReceivedPing ping =
            new ReceivedPing(
                peer.toInet(),
                MacAddress.of(sender),
                Ipv6.hopLimit(whole),
                Short.toUnsignedInt(whole.getShort(icmp + 4)),
                Short.toUnsignedInt(whole.getShort(icmp + 6)));
        Icmpv6.writeEchoReply(packet, from, card.hopLimit(), whole, icmp);
        card.send(packet);
        listener.pinged(ping);
      }
      case Icmpv6.ECHO_REPLY ->
          pinger.answered(
              Ipv6.source(whole).toInet(),
              Short.toUnsignedInt(whole.getShort(icmp + 4)),
              Short.toUnsignedInt(whole.getShort(icmp + 6)),
              Ipv6.hopLimit(whole));
      case Icmpv6.UNREACHABLE, Icmpv6.TOO_BIG, Icmpv6.TIME_EXCEEDED, Icmpv6.PARAMETER_PROBLEM ->
          receivedError(whole, icmp);
      default -> {} // RFC 4443 section 2.4 b: information that asks nothing of a host
    }
  }

  private void receivedError(ByteBuffer whole, int icmp) {
    ByteBuffer quoted = whole.duplicate().position(icmp + Icmpv6.HEADER);
    if (quoted.remaining() < Ipv6.HEADER || !card.isOwn(Ipv6.source(quoted))) {
      return;
    }
    Ipv6Address destination = Ipv6.destination(quoted);
    int type = Icmpv6.type(whole, icmp);
    if (type == Icmpv6.TOO_BIG) {
      card.pathCarries(destination, whole.getInt(icmp + 4));
      return; // the next is cut to what fits
    }
    int request = echoRequest(quoted);
    if (request > 0) {
      int code = Icmpv6.code(whole, icmp);
      boolean expired = type == Icmpv6.TIME_EXCEEDED;
      pinger.failed(
          destination.toInet(),
          Short.toUnsignedInt(quoted.getShort(request + 4)),
          expired ? Reason.TIME_EXCEEDED : Reason.UNREACHABLE,
          Ipv6.source(whole).toInet(),
          expired
              ? "its hop limit was reached, as in a routing loop"
              : "%s (ICMPv6 type %d code %d)".formatted(meaning(type, code), type, code));
    }
  }

  private static String meaning(int type, int code) {
    if (type == Icmpv6.PARAMETER_PROBLEM) {
      return "the packet is not understood";
    }
    return switch (code) {
      case Icmpv6.NO_ROUTE -> "no route to the destination";
      case Icmpv6.PROHIBITED -> "administratively prohibited";
      case Icmpv6.BEYOND_SCOPE -> "beyond the scope of the source address";
      case Icmpv6.ADDRESS -> "address unreachable";
      case Icmpv6.PORT -> "port unreachable";
      case Icmpv6.SOURCE_POLICY -> "the source address failed a policy";
      case Icmpv6.REJECTED -> "the route rejects it";
      default -> "unreachable";
    };
  }

  /** Where a packet's echo request begins, or 0 if it is none. */
  private static int echoRequest(ByteBuffer ip) {
    Ipv6.Payload payload = Ipv6.payload(ip);
    return payload.protocol() == Ipv6.ICMP
            && ip.limit() - payload.start() >= Icmpv6.HEADER
            && Icmpv6.type(ip, payload.start()) == Icmpv6.ECHO_REQUEST
        ? payload.start()
        : 0;
  }

  private void refuse(ByteBuffer about, int type, int code, int parameter) {
    Ipv6Address asked = Ipv6.destination(about);
    Ipv6Address from = asked.isMulticast() ? card.source(Ipv6.source(about)) : asked;
    if (from != null && Icmpv6.writeError(packet, from, type, code, parameter, about)) {
      card.send(packet);
    }
  }

  @Override
  public void unreachable(ByteBuffer unsent, boolean noRoute) {
    int request = echoRequest(unsent);
    if (request > 0) {
      pinger.unsent(
          Ipv6.destination(unsent).toInet(),
          Short.toUnsignedInt(unsent.getShort(request + 4)),
          noRoute);
    }
  }

  @Override
  public Optional<Inet6Address> localAddress() {
    return card.addresses().stream()
        .filter(Ipv6Address::isGlobal)
        .findFirst()
        .map(Ipv6Address::toInet);
  }

  @Override
  public void sendUdp(int fromPort, ByteBuffer payload, InetAddress to, int toPort) {
    Ipv6Address destination = Ipv6Address.of((Inet6Address) to);
    Ipv6Address from = card.source(destination);
    if (from == null) {
      payload.position(payload.limit());
      return;
    }
    packet.clear();
    int length = UdpPorts.HEADER + payload.remaining();
    Ipv6.putHeader(packet, from, destination, Ipv6.UDP, card.hopLimit(), length);
    int start = packet.position();
    UdpPorts.put(
        packet, fromPort, toPort, payload, end -> Ipv6.checksum(packet, 0, start, end, Ipv6.UDP));
    card.send(packet.flip());
  }

  @Override
  public boolean sendEcho(InetAddress target, int identifier, int sequence, ByteBuffer data) {
    Ipv6Address destination = Ipv6Address.of((Inet6Address) target);
    Ipv6Address from = card.source(destination);
    if (from == null) {
      return false;
    }
    Icmpv6.writeEchoRequest(packet, from, destination, card.hopLimit(), identifier, sequence, data);
    card.send(packet);
    return true;
  }

  @Override
  public String addresses() {
    return card.addresses().toString();
  }

  @Override
  public Reason silence() {
    return Reason.NO_NEIGHBOUR_ADVERTISEMENT;
  }

  @Override
  public @Nullable InetAddress gatewayTo(InetAddress target) {
    Ipv6Address router = card.router();
    return router == null || card.isOnLink(Ipv6Address.of((Inet6Address) target))
        ? null
        : router.toInet();
  }
}
