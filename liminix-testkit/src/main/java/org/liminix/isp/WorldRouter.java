package org.liminix.isp;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.EthernetCard;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Interface;
import org.liminix.net.internal.Reassembly;

/**
 * The IP side of the ISP: a router (RFC 1812) between its sessions and the world, where hosts that
 * have no route to the sessions find them by proxy ARP. Confined to the loop.
 */
final class WorldRouter implements Ipv4Interface.Owner {
  /** How packets reach a session. */
  interface Sessions {
    void deliver(PppLink link, ByteBuffer packet);

    /** Whether a packet gets lost on the way. */
    boolean swallows(ByteBuffer packet);
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

  /** None if packets pass unchanged. */
  private final @Nullable Nat nat;

  private final Reassembly wholes = new Reassembly();

  WorldRouter(EthernetCard world, IspSettings settings, AddressPool pool, Sessions sessions) {
    this.localAddress = settings.localAddress();
    this.pool = pool;
    this.fragment = ByteBuffer.allocateDirect(settings.maxPayload());
    this.sessions = sessions;
    this.card = new Ipv4Interface(world, this);
    card.configure(settings.worldAddress(), null);
    this.nat = settings.nat() ? new Nat(settings.worldAddress().address(), System::nanoTime) : null;
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
    // RFC 2827: a source that is not the client's is one that nobody could answer, which who tests
    // a router that forgot to masquerade should learn here and not from mysterious silence.
    if (address != null && Ipv4.source(packet) == address) {
      route(packet);
    } else {
      link.sentFrom(Ipv4.source(packet));
    }
  }

  @Override
  public void received(ByteBuffer packet, long sender) {
    int destination = Ipv4.destination(packet);
    if (card.isBroadcast(destination)) {
      return;
    }
    if (nat == null) {
      route(packet);
    } else if (byAddress.containsKey(destination)) {
      report(Icmp.UNREACHABLE, Icmp.HOST, 0, packet); // those addresses mean nothing out here
    } else {
      receivedOutside(nat, packet);
    }
  }

  /** A packet came from the world to where only the ISP's own address is known. */
  private void receivedOutside(Nat translation, ByteBuffer received) {
    ByteBuffer packet = whole(received);
    if (packet == null) {
      return;
    }
    transit.clear();
    transit.put(packet.duplicate()).flip();
    PppLink link =
        card.isOwn(Ipv4.destination(packet)) && translation.inbound(transit)
            ? byAddress.get(Ipv4.destination(transit))
            : null;
    if (link == null) {
      route(packet);
    } else if (Ipv4.ttl(packet) <= 1) {
      report(Icmp.TIME_EXCEEDED, 0, 0, packet);
    } else {
      Ipv4.decrementTtl(transit);
      sendTo(link, transit, packet);
    }
  }

  /** Ports are in the first fragment only (RFC 4787 REQ-14); null until the packet is complete. */
  private @Nullable ByteBuffer whole(ByteBuffer packet) {
    return Ipv4.isFragment(packet) ? wholes.add(packet) : packet;
  }

  @Override
  public boolean proxies(int address) {
    return nat == null && byAddress.containsKey(address);
  }

  @Override
  public void unreachable(ByteBuffer packet, boolean noRoute) {
    ByteBuffer about = ByteBuffer.allocate(packet.remaining()).put(packet.duplicate()).flip();
    if (!isOwn(Ipv4.source(about)) || (nat != null && nat.undo(about))) {
      report(Icmp.UNREACHABLE, noRoute ? Icmp.NET : Icmp.HOST, 0, about);
    }
  }

  boolean isOwn(int address) {
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
    if (link != null) {
      transit.clear();
      transit.put(packet.duplicate()).flip();
      Ipv4.decrementTtl(transit);
      sendTo(link, transit, packet);
    } else if (pool.contains(destination)) {
      report(Icmp.UNREACHABLE, Icmp.HOST, 0, packet);
    } else {
      sendOutside(packet);
    }
  }

  private void sendOutside(ByteBuffer fromClient) {
    if (Ipv4.dontFragment(fromClient) && fromClient.remaining() > Ethernet.MTU) {
      report(Icmp.UNREACHABLE, Icmp.FRAGMENTATION_NEEDED, Ethernet.MTU, fromClient);
      return;
    }
    ByteBuffer packet = nat == null ? fromClient : whole(fromClient);
    if (packet == null) {
      return;
    }
    transit.clear();
    transit.put(packet.duplicate()).flip();
    Ipv4.decrementTtl(transit);
    if (nat == null || nat.outbound(transit)) {
      card.send(transit);
    } else {
      report(Icmp.UNREACHABLE, Icmp.PROTOCOL, 0, packet);
    }
  }

  /**
   * Sends a packet to a client.
   *
   * @param about the packet as whoever sent it knows it
   */
  private void sendTo(PppLink link, ByteBuffer packet, ByteBuffer about) {
    if (sessions.swallows(packet)) {
      return;
    }
    if (packet.remaining() <= link.mtu()) {
      sessions.deliver(link, packet);
    } else if (Ipv4.dontFragment(packet)) {
      report(Icmp.UNREACHABLE, Icmp.FRAGMENTATION_NEEDED, link.mtu(), about);
    } else {
      Ipv4.fragment(packet, link.mtu(), fragment, part -> sessions.deliver(link, part));
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
      sendTo(link, answer, answer);
    } else {
      card.send(answer);
    }
  }
}
