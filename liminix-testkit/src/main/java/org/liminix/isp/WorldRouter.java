package org.liminix.isp;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.EthernetCard;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Interface;

/**
 * The IP side of the ISP: a router (RFC 1812) between its sessions and the world, where hosts that
 * have no route to the sessions find them by proxy ARP. Confined to the loop.
 */
final class WorldRouter implements Ipv4Interface.Owner {
  /** How packets reach a session. */
  interface Sessions {
    void send(PppLink link, ByteBuffer packet);
  }

  private final int localAddress;
  private final AddressPool pool;
  private final Sessions sessions;
  private final Ipv4Interface card;
  private final Map<Integer, PppLink> byAddress = new HashMap<>();

  /** A packet on its way through; errors and answers are written elsewhere. */
  private final ByteBuffer transit = ByteBuffer.allocateDirect(Ipv4.MAX_PACKET);

  private final ByteBuffer answer = ByteBuffer.allocateDirect(Ipv4.MAX_PACKET);
  private final ByteBuffer fragment;

  WorldRouter(EthernetCard world, IspSettings settings, AddressPool pool, Sessions sessions) {
    this.localAddress = settings.localAddress();
    this.pool = pool;
    this.fragment = ByteBuffer.allocateDirect(settings.maxPayload());
    this.sessions = sessions;
    this.card = new Ipv4Interface(world, this);
    card.configure(settings.worldAddress(), null);
  }

  void add(int address, PppLink link) {
    byAddress.put(address, link);
  }

  void remove(int address, PppLink link) {
    byAddress.remove(address, link);
  }

  /** A packet came from a session. */
  void receivedFrom(PppLink link, ByteBuffer packet) {
    Integer address = link.address();
    // RFC 2827: a source that is not the client's is one that nobody could answer, which a router
    // that forgot to masquerade should learn here and not from mysterious silence.
    if (address != null && Ipv4.source(packet) == address) {
      route(packet);
    }
  }

  @Override
  public void received(ByteBuffer packet, long sender) {
    if (!card.isBroadcast(Ipv4.destination(packet))) {
      route(packet);
    }
  }

  @Override
  public boolean proxies(int address) {
    return byAddress.containsKey(address);
  }

  @Override
  public void unreachable(ByteBuffer packet, boolean noRoute) {
    if (!isOwn(Ipv4.source(packet))) {
      report(Icmp.UNREACHABLE, noRoute ? Icmp.NET : Icmp.HOST, 0, packet);
    }
  }

  private boolean isOwn(int address) {
    return address == localAddress || card.isOwn(address);
  }

  private void route(ByteBuffer packet) {
    int destination = Ipv4.destination(packet);
    if (isOwn(destination)) {
      receivedByUs(packet);
    } else if (Ipv4.isMulticast(destination) || destination == Ipv4.BROADCAST) {
      return; // no multicast routing here
    } else if (Ipv4.ttl(packet) <= 1) {
      report(Icmp.TIME_EXCEEDED, 0, 0, packet);
    } else {
      forward(packet, destination);
    }
  }

  private void forward(ByteBuffer packet, int destination) {
    PppLink link = byAddress.get(destination);
    if (link == null && pool.contains(destination)) {
      report(Icmp.UNREACHABLE, Icmp.HOST, 0, packet);
      return;
    }
    transit.clear();
    transit.put(packet.duplicate()).flip();
    Ipv4.decrementTtl(transit);
    if (link == null) {
      card.send(transit);
    } else {
      sendTo(link, transit);
    }
  }

  private void sendTo(PppLink link, ByteBuffer packet) {
    if (packet.remaining() <= link.mtu()) {
      sessions.send(link, packet);
    } else if (Ipv4.dontFragment(packet)) {
      report(Icmp.UNREACHABLE, Icmp.FRAGMENTATION_NEEDED, link.mtu(), packet);
    } else {
      Ipv4.fragment(packet, link.mtu(), fragment, part -> sessions.send(link, part));
    }
  }

  private void receivedByUs(ByteBuffer packet) {
    if (Ipv4.isFragment(packet)) {
      return; // pings that need fragments prove nothing about the ISP
    }
    if (Ipv4.protocol(packet) != Ipv4.ICMP) {
      report(
          Icmp.UNREACHABLE,
          Ipv4.protocol(packet) == Ipv4.UDP ? Icmp.PORT : Icmp.PROTOCOL,
          0,
          packet);
    } else if (Icmp.isMessage(packet)
        && packet.get(packet.position() + Ipv4.headerLength(packet)) == Icmp.ECHO_REQUEST) {
      Icmp.writeEchoReply(answer, packet);
      sendAnswer();
    }
  }

  private void report(int type, int code, int nextHopMtu, ByteBuffer about) {
    if (Icmp.writeError(answer, reporterFor(about), type, code, nextHopMtu, about)) {
      sendAnswer();
    }
  }

  /** The address by which the sender of a packet knows us. */
  private int reporterFor(ByteBuffer about) {
    @Nullable PppLink link = byAddress.get(Ipv4.source(about));
    var world = card.address();
    return link != null || world == null ? localAddress : world.address();
  }

  private void sendAnswer() {
    PppLink link = byAddress.get(Ipv4.destination(answer));
    if (link != null) {
      sendTo(link, answer);
    } else {
      card.send(answer);
    }
  }
}
