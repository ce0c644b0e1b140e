package org.liminix.isp;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.net.RouterAdvertisement;
import org.liminix.net.RouterAdvertisement.NameServer;
import org.liminix.net.RouterAdvertisement.Prefix;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.EthernetCard;
import org.liminix.net.internal.Icmpv6;
import org.liminix.net.internal.Ipv6;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Interface;
import org.liminix.net.internal.Ipv6Prefix;

/**
 * The IPv6 side of the ISP: a router (RFC 8200) between its sessions and the world. Confined to the
 * loop.
 */
final class Ipv6Router implements Ipv6Interface.Owner {
  private static final Duration ROUTER_LIFETIME = Duration.ofMinutes(30);

  private final Ipv6Service.Terms terms;
  private final WorldRouter.Sessions sessions;
  private final Ipv6Interface card;
  private final Advertiser advertiser;
  private final PrefixPool networks;
  private final PrefixPool delegations;

  /** None contains another, see {@link Ipv6Service#requireDistinctRanges}. */
  private final Map<Ipv6Prefix, PppLink> routes = new HashMap<>();

  /** The lengths of the routes' prefixes. */
  private final SortedSet<Integer> lengths = new TreeSet<>();

  /** A packet on its way through; errors and answers are written elsewhere. */
  private final ByteBuffer transit = ByteBuffer.allocateDirect(Ipv6.MAX_PACKET);

  private final ByteBuffer answer = ByteBuffer.allocateDirect(Ipv6.MAX_PACKET);

  Ipv6Router(
      EventLoop loop, EthernetCard world, Ipv6Service.Terms terms, WorldRouter.Sessions sessions) {
    this.terms = terms;
    this.sessions = sessions;
    this.networks = new PrefixPool(terms.sessions, 64);
    this.delegations = new PrefixPool(terms.delegations, terms.delegatedLength);
    this.card = new Ipv6Interface(world, true, this);
    this.advertiser = new Advertiser(loop, terms.preferred, this::advertise);
    card.start();
    card.configure(terms.world);
    if (terms.advertisedToWorld) {
      advertiser.start();
    }
  }

  Ipv6Service.Terms terms() {
    return terms;
  }

  PrefixPool delegations() {
    return delegations;
  }

  /** A network for a line, or null if all are taken. */
  @Nullable Ipv6Prefix allocate() {
    return networks.allocate();
  }

  void release(Ipv6Prefix network) {
    networks.release(network);
  }

  void add(Ipv6Prefix prefix, PppLink link) {
    routes.put(prefix, link);
    lengths.add(prefix.length());
  }

  void remove(Ipv6Prefix prefix, PppLink link) {
    routes.remove(prefix, link);
  }

  void close() {
    advertiser.stop();
    card.close();
  }

  private @Nullable PppLink find(Ipv6Address destination) {
    for (int length : lengths) {
      PppLink link = routes.get(new Ipv6Prefix(destination.network(length), length));
      if (link != null) {
        return link;
      }
    }
    return null;
  }

  /** Tells the world about its network. */
  private void advertise() {
    Optional<Ipv6Address> own = card.linkLocal();
    if (own.isEmpty()) {
      return;
    }
    Prefix network =
        new Prefix(
            terms.world.network().address().toInet(),
            terms.world.length(),
            true,
            true,
            terms.valid,
            terms.preferred);
    List<NameServer> dns = new ArrayList<>();
    for (Ipv6Address address : terms.dns) {
      dns.add(new NameServer(address.toInet(), ROUTER_LIFETIME));
    }
    card.advertise(
        new RouterAdvertisement(
            own.get().toInet(),
            Ipv6.DEFAULT_HOP_LIMIT,
            false,
            false,
            ROUTER_LIFETIME,
            Optional.empty(),
            List.of(network),
            dns));
  }

  @Override
  public void solicited() {
    if (terms.advertisedToWorld) {
      advertise();
    }
  }

  /** A packet came from a session. */
  void receivedFrom(PppLink link, Ipv6Line line, ByteBuffer packet) {
    Ipv6Address source = Ipv6.source(packet);
    Ipv6Address destination = Ipv6.destination(packet);
    if (destination.isConfined()) {
      line.received(packet);
    } else if (line.owns(source)) {
      route(packet);
    } else {
      // RFC 2827: nobody could answer that source; RFC 4443 section 3.1 has a code for it.
      int code = source.isConfined() ? Icmpv6.BEYOND_SCOPE : Icmpv6.SOURCE_POLICY;
      Ipv6Address reporter = source.isConfined() ? line.address() : terms.world.address();
      if (Icmpv6.writeError(answer, reporter, Icmpv6.UNREACHABLE, code, 0, packet)) {
        link.deliver(answer); // back to where it came from, whoever it claims to be
      }
    }
  }

  @Override
  public void received(ByteBuffer packet, long sender) {
    route(packet);
  }

  @Override
  public void unreachable(ByteBuffer packet, boolean noRoute) {
    if (!card.isOwn(Ipv6.source(packet))) {
      ByteBuffer about = ByteBuffer.allocate(packet.remaining()).put(packet.duplicate()).flip();
      report(Icmpv6.UNREACHABLE, noRoute ? Icmpv6.NO_ROUTE : Icmpv6.ADDRESS, 0, about);
    }
  }

  private void route(ByteBuffer packet) {
    Ipv6Address destination = Ipv6.destination(packet);
    Ipv6Address source = Ipv6.source(packet);
    if (card.isOwn(destination) || destination.isConfined()) {
      receivedByUs(packet, destination);
    } else if (destination.isMulticast() || source.isUnspecified() || source.isLoopback()) {
      return; // no multicast routing here
    } else if (source.isLinkLocal()) {
      report(Icmpv6.UNREACHABLE, Icmpv6.BEYOND_SCOPE, 0, packet);
    } else if (Ipv6.hopLimit(packet) <= 1) {
      report(Icmpv6.TIME_EXCEEDED, 0, 0, packet);
    } else {
      forward(packet, destination);
    }
  }

  private void forward(ByteBuffer packet, Ipv6Address destination) {
    PppLink link = find(destination);
    if (link == null
        && (terms.sessions.contains(destination) || terms.delegations.contains(destination))) {
      report(Icmpv6.UNREACHABLE, Icmpv6.NO_ROUTE, 0, packet);
      return;
    }
    int mtu = link == null ? Ethernet.MTU : link.mtu();
    if (packet.remaining() > mtu) {
      if (link == null || !sessions.swallows(packet)) {
        report(Icmpv6.TOO_BIG, 0, mtu, packet);
      }
      return;
    }
    transit.clear();
    transit.put(packet.duplicate()).flip();
    Ipv6.decrementHopLimit(transit);
    send(link, transit);
  }

  private void send(@Nullable PppLink link, ByteBuffer packet) {
    if (link == null) {
      card.send(packet);
    } else if (!sessions.swallows(packet)) {
      sessions.deliver(link, packet);
    }
  }

  private void receivedByUs(ByteBuffer packet, Ipv6Address destination) {
    if (!card.isOwn(destination) && !card.isMember(destination)) {
      return;
    }
    Ipv6.Payload payload = Ipv6.payload(packet);
    if (!payload.isGood()) {
      if (payload.problem() != Ipv6.Payload.DISCARD) {
        report(Icmpv6.PARAMETER_PROBLEM, payload.problem(), payload.pointer(), packet);
      }
      return;
    }
    switch (payload.protocol()) {
      case Ipv6.ICMP -> {
        Ipv6Address from = card.source(Ipv6.source(packet));
        if (from != null
            && Icmpv6.isMessage(packet, payload.start())
            && Icmpv6.type(packet, payload.start()) == Icmpv6.ECHO_REQUEST) {
          Ipv6Address own = destination.isMulticast() ? from : destination;
          Icmpv6.writeEchoReply(answer, own, Ipv6.DEFAULT_HOP_LIMIT, packet, payload.start());
          sendAnswer();
        }
      }
      case Ipv6.UDP -> report(Icmpv6.UNREACHABLE, Icmpv6.PORT, 0, packet);
      case Ipv6.FRAGMENT, Ipv6.NO_NEXT_HEADER -> {} // pings in fragments prove nothing about an ISP
      default ->
          report(Icmpv6.PARAMETER_PROBLEM, Icmpv6.UNKNOWN_NEXT_HEADER, payload.named(), packet);
    }
  }

  private void report(int type, int code, int parameter, ByteBuffer about) {
    Optional<Ipv6Address> linkLocal = card.linkLocal();
    Ipv6Address reporter =
        Ipv6.source(about).isLinkLocal() && linkLocal.isPresent()
            ? linkLocal.get()
            : terms.world.address();
    if (Icmpv6.writeError(answer, reporter, type, code, parameter, about)) {
      sendAnswer();
    }
  }

  private void sendAnswer() {
    Ipv6Address destination = Ipv6.destination(answer);
    PppLink link = find(destination);
    if (link == null || answer.remaining() <= link.mtu()) {
      send(link, answer);
    }
  }
}
