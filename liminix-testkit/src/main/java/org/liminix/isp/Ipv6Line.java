package org.liminix.isp;

import java.net.Inet6Address;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.liminix.net.EventLoop;
import org.liminix.net.Ipv6Network;
import org.liminix.net.RouterAdvertisement;
import org.liminix.net.RouterAdvertisement.NameServer;
import org.liminix.net.RouterAdvertisement.Prefix;
import org.liminix.net.internal.Dhcpv6Message;
import org.liminix.net.internal.Icmpv6;
import org.liminix.net.internal.Ipv6;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Prefix;
import org.liminix.net.internal.Ndp;

/**
 * The IPv6 of one session: what its client is told in router advertisements (RFC 4861) and gets by
 * DHCPv6. Confined to the loop, but for what it tells others.
 */
final class Ipv6Line implements Ipv6cp.Listener, Dhcpv6Bindings.Listener {
  /** RFC 4861 section 6.2.1: AdvDefaultLifetime. */
  private static final Duration ROUTER_LIFETIME = Duration.ofMinutes(30);

  private static final int UDP_HEADER = 8;

  /** The link it runs on. */
  interface Host {
    /** Sends a packet that is not the client's traffic, and so is neither counted nor shaped. */
    void sendIpv6(ByteBuffer packet);

    void networkOpened(NetworkControl network);

    void networkFinished(NetworkControl network, String why, boolean byPeer);

    void record(IspEvent event);
  }

  private final PppLink link;
  private final Host host;
  private final Ipv6Router router;
  private final Ipv6Service.Terms terms;
  private final Dhcpv6Server dhcp;
  private final Ipv6Prefix network;
  private final Ipv6cp control;
  private final Advertiser advertiser;
  private final Dhcpv6Bindings bindings;
  private final ByteBuffer answer = ByteBuffer.allocate(Ipv6.MIN_MTU);
  private final CompletableFuture<Inet6Address> opened = new CompletableFuture<>();
  private final CompletableFuture<Ipv6Network> delegated = new CompletableFuture<>();

  private Ipv6Address local = Ipv6Address.UNSPECIFIED;
  private Ipv6Address peer = Ipv6Address.UNSPECIFIED;
  private boolean up;
  private boolean closed;
  private volatile List<Ipv6Network> delegations = List.of();

  /**
   * The IPv6 of a link that has been authenticated.
   *
   * @param network of the line
   */
  Ipv6Line(
      EventLoop loop,
      PppLink link,
      Ppp.Link way,
      Host host,
      Ipv6Router router,
      Dhcpv6Server dhcp,
      Ipv6Prefix network) {
    this.link = link;
    this.host = host;
    this.router = router;
    this.terms = router.terms();
    this.dhcp = dhcp;
    this.network = network;
    this.control = new Ipv6cp(loop, way, this);
    this.advertiser = new Advertiser(loop, terms.preferred, () -> advertise(Ipv6Address.ALL_NODES));
    this.bindings =
        new Dhcpv6Bindings(
            terms.delegating ? router.delegations() : null, terms.leasing ? network : null, this);
  }

  NetworkControl control() {
    return control;
  }

  /** The ISP's own address on the line. */
  Ipv6Address address() {
    return local;
  }

  /** The client's link-local address, once there is one. */
  CompletableFuture<Inet6Address> opened() {
    return opened;
  }

  /** The first prefix that was delegated, once one was. */
  CompletableFuture<Ipv6Network> delegated() {
    return delegated;
  }

  /** The network of the line, unless it has none. */
  Optional<Ipv6Network> network() {
    return terms.advertised || terms.leasing ? Optional.of(toPublic(network)) : Optional.empty();
  }

  /** What is delegated at this moment. */
  List<Ipv6Network> delegations() {
    return delegations;
  }

  private static Ipv6Network toPublic(Ipv6Prefix prefix) {
    return new Ipv6Network(prefix.address().toInet(), prefix.length());
  }

  /** Whether an address is one of the client's, which others may answer to. */
  boolean owns(Ipv6Address address) {
    return network.contains(address)
        || bindings.delegated().stream().anyMatch(prefix -> prefix.contains(address));
  }

  @Override
  public void identifiersAgreed(long localId, long peerId) {
    local = Ipv6Address.linkLocal(localId);
    peer = Ipv6Address.linkLocal(peerId);
    up = true;
    host.networkOpened(control);
    router.add(network, link);
    host.record(
        new IspEvent.Ipv6Opened(Instant.now(), link.peer(), link.id(), peer.toInet(), network()));
    opened.complete(peer.toInet());
    advertiser.start();
  }

  @Override
  public void identifiersLost() {
    if (up) {
      up = false;
      advertiser.stop();
      bindings.releaseAll();
      router.remove(network, link);
    }
  }

  @Override
  public void networkFinished(NetworkControl finished, String why, boolean byPeer) {
    host.networkFinished(finished, why, byPeer);
  }

  /** Gives everything back. */
  void close() {
    if (closed) {
      return;
    }
    closed = true;
    identifiersLost();
    control.negotiation().abandon();
    router.release(network);
  }

  private void advertise(Ipv6Address destination) {
    List<Prefix> prefixes =
        terms.advertised
            ? List.of(
                new Prefix(
                    network.address().toInet(),
                    network.length(),
                    true,
                    !terms.leasing,
                    terms.valid,
                    terms.preferred))
            : List.of();
    RouterAdvertisement says =
        new RouterAdvertisement(
            local.toInet(),
            Ipv6.DEFAULT_HOP_LIMIT,
            terms.managed,
            terms.otherConfiguration,
            ROUTER_LIFETIME,
            Optional.empty(),
            prefixes,
            terms.dns.stream()
                .map(address -> new NameServer(address.toInet(), ROUTER_LIFETIME))
                .toList());
    host.sendIpv6(Ndp.writeRouterAdvertisement(answer, destination, says, null));
  }

  /** A valid packet from the client that must not leave the line. */
  void received(ByteBuffer packet) {
    Ipv6Address destination = Ipv6.destination(packet);
    boolean ours = destination.equals(local);
    if (!up || (!ours && !destination.isMulticast())) {
      return;
    }
    Ipv6.Payload payload = Ipv6.payload(packet);
    if (!payload.isGood()) {
      return;
    }
    if (payload.protocol() == Ipv6.ICMP && Icmpv6.isMessage(packet, payload.start())) {
      receivedIcmp(packet, payload.start());
    } else if (payload.protocol() == Ipv6.UDP) {
      receivedUdp(packet, payload.start(), ours);
    }
  }

  private void receivedIcmp(ByteBuffer packet, int at) {
    Ipv6Address source = Ipv6.source(packet);
    switch (Icmpv6.type(packet, at)) {
      case Icmpv6.ROUTER_SOLICITATION -> {
        if (Ndp.isValid(packet, at)) {
          advertise(source.isUnspecified() ? Ipv6Address.ALL_NODES : source);
        }
      }
      case Icmpv6.NEIGHBOUR_SOLICITATION -> {
        if (Ndp.isValid(packet, at) && Ndp.target(packet, at).equals(local)) {
          int flags = Ndp.ROUTER | Ndp.SOLICITED | Ndp.OVERRIDE;
          host.sendIpv6(Ndp.writeAdvertisement(answer, local, source, local, flags, null));
        }
      }
      case Icmpv6.ECHO_REQUEST -> {
        if (packet.limit() - at <= answer.capacity() - Ipv6.HEADER && !source.isUnspecified()) {
          Icmpv6.writeEchoReply(answer, local, Ipv6.DEFAULT_HOP_LIMIT, packet, at);
          host.sendIpv6(answer);
        }
      }
      default -> {} // multicast listeners among them: there is nothing to listen to
    }
  }

  private void receivedUdp(ByteBuffer packet, int at, boolean ours) {
    int available = packet.limit() - at;
    int length = available < UDP_HEADER ? 0 : Short.toUnsignedInt(packet.getShort(at + 4));
    if (length < UDP_HEADER
        || length > available
        || Ipv6.checksum(packet, packet.position(), at, at + length, Ipv6.UDP) != 0) {
      return;
    }
    if (Short.toUnsignedInt(packet.getShort(at + 2)) == Dhcpv6Message.SERVER_PORT) {
      ByteBuffer payload = packet.duplicate().limit(at + length).position(at + UDP_HEADER);
      Dhcpv6Message.parse(payload)
          .flatMap(asked -> dhcp.answer(asked, bindings))
          .ifPresent(reply -> send(reply, Ipv6.source(packet)));
    } else if (ours
        && Icmpv6.writeError(answer, local, Icmpv6.UNREACHABLE, Icmpv6.PORT, 0, packet)) {
      host.sendIpv6(answer);
    }
  }

  private void send(Dhcpv6Message reply, Ipv6Address to) {
    ByteBuffer payload = reply.encode();
    int length = UDP_HEADER + payload.remaining();
    if (Ipv6.HEADER + length > answer.capacity()) {
      return; // nobody asked for so much in earnest
    }
    answer.clear();
    Ipv6.putHeader(answer, local, to, Ipv6.UDP, Ipv6.DEFAULT_HOP_LIMIT, length);
    answer.putShort((short) Dhcpv6Message.SERVER_PORT).putShort((short) Dhcpv6Message.CLIENT_PORT);
    answer.putShort((short) length).putShort((short) 0).put(payload);
    int checksum = Ipv6.checksum(answer, 0, Ipv6.HEADER, answer.position(), Ipv6.UDP);
    answer.putShort(Ipv6.HEADER + 6, (short) (checksum == 0 ? 0xffff : checksum));
    host.sendIpv6(answer.flip());
  }

  @Override
  public void granted(int association, Ipv6Prefix prefix, boolean renewed) {
    if (association == Dhcpv6Message.IA_PD) {
      router.add(prefix, link);
      delegations = bindings.delegated().stream().map(Ipv6Line::toPublic).toList();
      host.record(
          new IspEvent.PrefixDelegated(
              Instant.now(), link.peer(), link.id(), toPublic(prefix), renewed));
      delegated.complete(toPublic(prefix));
    } else {
      host.record(
          new IspEvent.Ipv6AddressLeased(
              Instant.now(), link.peer(), link.id(), prefix.address().toInet(), renewed));
    }
  }

  @Override
  public void released(int association, Ipv6Prefix prefix) {
    if (association == Dhcpv6Message.IA_PD) {
      router.remove(prefix, link);
      delegations = bindings.delegated().stream().map(Ipv6Line::toPublic).toList();
      host.record(
          new IspEvent.PrefixReleased(Instant.now(), link.peer(), link.id(), toPublic(prefix)));
    }
  }

  @Override
  public String toString() {
    return "Ipv6Line[" + network + " " + control + "]";
  }
}
