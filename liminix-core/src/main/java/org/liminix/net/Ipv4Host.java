package org.liminix.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.liminix.net.PingFailedException.Reason;
import org.liminix.net.internal.Checksum;
import org.liminix.net.internal.EthernetCard;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Interface;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.net.internal.Reassembly;

/** What an in-process host does with IPv4 (RFC 1122). Confined to the loop. */
final class Ipv4Host implements InternetLayer, Ipv4Interface.Owner {
  private final Ipv4Interface card;
  private final UdpPorts udp;
  private final Pinger pinger;
  private final Consumer<ReceivedPing> onPing;
  private final Reassembly reassembly = new Reassembly();
  private final ByteBuffer packet = ByteBuffer.allocateDirect(Ipv4.MAX_PACKET);
  private int identification;

  Ipv4Host(EthernetCard card, UdpPorts udp, Pinger pinger, Consumer<ReceivedPing> onPing) {
    this.card = new Ipv4Interface(card, this);
    this.udp = udp;
    this.pinger = pinger;
    this.onPing = onPing;
  }

  Ipv4Interface card() {
    return card;
  }

  @Override
  public void received(ByteBuffer packet, long sender) {
    int destination = Ipv4.destination(packet);
    boolean own = card.isOwn(destination);
    // RFC 2131 section 4.1: before it has an address, a client takes what comes to its card.
    if (!own && !card.isBroadcast(destination) && card.address() != null) {
      return;
    }
    ByteBuffer whole = Ipv4.isFragment(packet) ? reassembly.add(packet) : packet;
    if (whole == null) {
      return;
    }
    switch (Ipv4.protocol(whole)) {
      case Ipv4.ICMP -> {
        if (own && Icmp.isMessage(whole)) {
          receivedIcmp(whole, sender);
        }
      }
      case Ipv4.UDP -> {
        if (!receivedUdp(whole) && own) {
          refuse(whole, Icmp.PORT);
        }
      }
      default -> {
        if (own) {
          refuse(whole, Icmp.PROTOCOL);
        }
      }
    }
  }

  private boolean receivedUdp(ByteBuffer whole) {
    int start = whole.position() + Ipv4.headerLength(whole);
    int source = Ipv4.source(whole);
    return udp.received(
        whole,
        start,
        Ipv4.toInet(source),
        /* checksumMandatory= */ false,
        end ->
            Checksum.withPseudoHeader(
                whole, start, end, source, Ipv4.destination(whole), Ipv4.UDP));
  }

  private void receivedIcmp(ByteBuffer whole, long sender) {
    int icmp = whole.position() + Ipv4.headerLength(whole);
    switch (whole.get(icmp)) {
      case Icmp.ECHO_REQUEST -> {
        ReceivedPing ping =
            new ReceivedPing(
                Ipv4.toInet(Ipv4.source(whole)),
                MacAddress.of(sender),
                Ipv4.ttl(whole),
                Short.toUnsignedInt(whole.getShort(icmp + 4)),
                Short.toUnsignedInt(whole.getShort(icmp + 6)));
        Icmp.writeEchoReply(packet, whole);
        card.send(packet);
        onPing.accept(ping);
      }
      case Icmp.ECHO_REPLY ->
          pinger.answered(
              Ipv4.toInet(Ipv4.source(whole)),
              Short.toUnsignedInt(whole.getShort(icmp + 4)),
              Short.toUnsignedInt(whole.getShort(icmp + 6)),
              Ipv4.ttl(whole));
      case Icmp.UNREACHABLE, Icmp.TIME_EXCEEDED -> receivedError(whole, icmp);
      default -> {} // other messages ask nothing of a host (RFC 1122 section 3.2.2)
    }
  }

  /** An ICMP error, whose header begins at the index: about one of our echo requests, maybe. */
  private void receivedError(ByteBuffer whole, int icmp) {
    ByteBuffer quoted = whole.duplicate().position(icmp + Icmp.HEADER);
    if (quoted.remaining() < Ipv4.HEADER) {
      return;
    }
    int request = quoted.position() + Ipv4.headerLength(quoted);
    if (isEchoRequest(quoted, request)) {
      boolean expired = whole.get(icmp) == Icmp.TIME_EXCEEDED;
      pinger.failed(
          Ipv4.toInet(Ipv4.destination(quoted)),
          Short.toUnsignedInt(quoted.getShort(request + 4)),
          expired ? Reason.TIME_EXCEEDED : Reason.UNREACHABLE,
          Ipv4.toInet(Ipv4.source(whole)),
          expired
              ? "its time to live ended, as in a routing loop"
              : "unreachable (ICMP code " + whole.get(icmp + 1) + ")");
    }
  }

  private static boolean isEchoRequest(ByteBuffer ip, int at) {
    return Ipv4.protocol(ip) == Ipv4.ICMP
        && ip.limit() - at >= Icmp.HEADER
        && ip.get(at) == Icmp.ECHO_REQUEST;
  }

  private void refuse(ByteBuffer about, int code) {
    int own = Ipv4.destination(about);
    if (Icmp.writeError(packet, own, Icmp.UNREACHABLE, code, 0, about)) {
      card.send(packet);
    }
  }

  @Override
  public void unreachable(ByteBuffer unsent, boolean noRoute) {
    int icmp = unsent.position() + Ipv4.headerLength(unsent);
    if (isEchoRequest(unsent, icmp)) {
      pinger.unsent(
          Ipv4.toInet(Ipv4.destination(unsent)),
          Short.toUnsignedInt(unsent.getShort(icmp + 4)),
          noRoute);
    }
  }

  @Override
  public Optional<Inet4Address> localAddress() {
    return Optional.ofNullable(card.address()).map(prefix -> Ipv4.toInet(prefix.address()));
  }

  @Override
  public void sendUdp(int fromPort, ByteBuffer payload, InetAddress to, int toPort) {
    Ipv4Prefix own = card.address();
    int from = own == null ? 0 : own.address();
    int destination = Ipv4.toInt((Inet4Address) to);
    packet.clear();
    Ipv4.putHeader(
        packet,
        from,
        destination,
        Ipv4.UDP,
        identification++,
        UdpPorts.HEADER + payload.remaining());
    int start = packet.position();
    UdpPorts.put(
        packet,
        fromPort,
        toPort,
        payload,
        end -> Checksum.withPseudoHeader(packet, start, end, from, destination, Ipv4.UDP));
    card.send(packet.flip());
  }

  @Override
  public boolean sendEcho(InetAddress target, int identifier, int sequence, ByteBuffer data) {
    Ipv4Prefix own = card.address();
    if (own == null) {
      return false;
    }
    packet.clear();
    int length = Icmp.HEADER + data.remaining();
    int destination = Ipv4.toInt((Inet4Address) target);
    Ipv4.putHeader(packet, own.address(), destination, Ipv4.ICMP, sequence, length);
    Icmp.putEcho(packet, Icmp.ECHO_REQUEST, identifier, sequence, data);
    card.send(packet.flip());
    return true;
  }

  @Override
  public String addresses() {
    return String.valueOf(card.address());
  }

  @Override
  public Reason silence() {
    return Reason.NO_ARP_REPLY;
  }

  @Override
  public @Nullable InetAddress gatewayTo(InetAddress target) {
    Ipv4Prefix own = card.address();
    Integer gateway = card.gateway();
    return own == null || gateway == null || own.contains(Ipv4.toInt((Inet4Address) target))
        ? null
        : Ipv4.toInet(gateway);
  }
}
