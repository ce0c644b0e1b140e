package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.net.MacAddress;
import org.liminix.net.RouterAdvertisement;
import org.liminix.net.RouterAdvertisement.Prefix;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * IPv6 on a network card: Neighbor Discovery (RFC 4861), addresses (RFC 4862), the choice of the
 * next hop, fragments. What packets mean is the business of its {@link Owner}, a host or a router.
 * Confined to the loop of the segment.
 *
 * <p>Interface identifiers are made from the card's address (RFC 4291 appendix A) and not opaque
 * (RFC 7217): a test can predict them and recognise them in a capture. Duplicate address detection
 * is optimistic (RFC 4429): an address is used at once and given up if somebody else turns out to
 * have it, so nothing waits a second for what hardly ever happens. Where that RFC would hold back
 * the first packets, ours asks for its neighbour without saying where it is itself, which leaves
 * nobody's cache with a wrong entry either.
 */
public final class Ipv6Interface implements EthernetCard.Handler {
  private static final Logger log = LoggerFactory.getLogger(Ipv6Interface.class);

  /** Who owns the card. */
  public interface Owner {
    /**
     * A valid packet came for this card, whatever address it bears; Neighbor Discovery is done
     * with.
     *
     * @param packet valid during the call
     * @param sender the card it came from
     */
    void received(ByteBuffer packet, long sender);

    /** A packet cannot be sent, for there is no next hop or it does not answer. */
    void unreachable(ByteBuffer packet, boolean noRoute);

    /** Whether to answer for an address besides the card's own (RFC 4389). */
    default boolean proxies(Ipv6Address address) {
      return false;
    }

    /** A host asks for routers. */
    default void solicited() {}

    /** A router has told about itself and the network, and its news are taken in. */
    default void advertised(RouterAdvertisement news) {}

    /** An address can be used from now on. */
    default void appeared(Ipv6Address address) {}

    /** Somebody else has the address, which is no longer used here. */
    default void duplicate(Ipv6Address address, MacAddress other) {}
  }

  private static final Duration FRESH = Duration.ofSeconds(30); // RFC 4861: REACHABLE_TIME

  /** RFC 4862 section 5.1 and RFC 4861 section 10: one question, and so long for an answer. */
  private static final Duration DETECTION = Duration.ofSeconds(1);

  private static final int MAX_PATHS = 256;
  private static final long FOREVER = RouterAdvertisement.FOREVER.toSeconds();

  private final EthernetCard card;
  private final boolean router;
  private final Owner owner;
  private final long interfaceId;
  private final Ipv6Addresses addresses = new Ipv6Addresses();
  private final Ipv6Routes routes = new Ipv6Routes();
  private final Neighbours<Ipv6Address> neighbours;
  private final ByteBuffer message = ByteBuffer.allocate(Ethernet.MTU);
  private final ByteBuffer fragment = ByteBuffer.allocateDirect(Ethernet.MTU);

  /** What is known of paths that carry less than this link (RFC 8201). */
  private final Map<Ipv6Address, Integer> pathMtus =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Ipv6Address, Integer> eldest) {
          return size() > MAX_PATHS;
        }
      };

  private int identification = ThreadLocalRandom.current().nextInt();
  private int hopLimit = Ipv6.DEFAULT_HOP_LIMIT;
  private int mtu = Ethernet.MTU;
  private boolean autonomous;
  private boolean closed;

  /**
   * A card that has no address until {@link #start}.
   *
   * @param router whether it is a router's, who forwards and does not listen to other routers
   */
  public Ipv6Interface(EthernetCard card, boolean router, Owner owner) {
    this.card = card;
    this.router = router;
    this.owner = owner;
    this.interfaceId = Ipv6Address.interfaceId(card.mac());
    this.neighbours = new Neighbours<>(card.loop(), FRESH, new DiscoveryLink());
    card.handle(Ethernet.IPV6, this);
  }

  /** Takes its link-local address. */
  public void start() {
    add(Ipv6Address.linkLocal(interfaceId), 64, FOREVER, FOREVER);
  }

  /** Gives it an address for good. Its network is on the link. */
  public void configure(Ipv6Prefix address) {
    routes.fix(address);
    if (!isOwn(address.address())) {
      add(address.address(), address.length(), FOREVER, FOREVER);
    }
  }

  /** Gives it a router for good. */
  public void gateway(Ipv6Address gateway) {
    routes.gateway(gateway);
  }

  /** Takes addresses and routers from advertisements (RFC 4862) from now on. */
  public void autoconfigure() {
    autonomous = true;
  }

  /** Nothing more is sent; the card is its owner's. */
  public void close() {
    closed = true;
  }

  private void add(Ipv6Address address, int length, long valid, long preferred) {
    Ipv6Addresses.Entry entry = addresses.add(address, length, valid, preferred);
    Ipv6Address group = address.solicitedNode();
    send(Ndp.writeSolicitation(message, Ipv6Address.UNSPECIFIED, group, address, null));
    EventLoop.Timer unused =
        card.loop()
            .schedule(
                DETECTION,
                () -> {
                  entry.settle();
                  if (!closed && addresses.find(address) == entry) {
                    announce(address);
                  }
                });
    owner.appeared(address);
  }

  /** RFC 4861 section 7.2.6: those who knew another card under this address learn of ours. */
  private void announce(Ipv6Address address) {
    advertise(address, address, Ipv6Address.ALL_NODES, Ndp.OVERRIDE);
  }

  private void advertise(
      Ipv6Address source, Ipv6Address target, Ipv6Address destination, int flags) {
    int role = router ? Ndp.ROUTER : 0;
    send(Ndp.writeAdvertisement(message, source, destination, target, flags | role, card.mac()));
  }

  /** Asks for routers, of which {@link Owner#advertised} tells. */
  public void solicitRouters() {
    addresses
        .linkLocal()
        .map(addresses::find)
        .ifPresent(
            own ->
                send(
                    Ndp.writeRouterSolicitation(
                        message, own.address(), own.isOptimistic() ? null : card.mac())));
  }

  /** Tells everybody on the link, as its router. */
  public void advertise(RouterAdvertisement says) {
    send(Ndp.writeRouterAdvertisement(message, Ipv6Address.ALL_NODES, says, card.mac()));
  }

  /** Every address it has, that of the link first. */
  public List<Ipv6Address> addresses() {
    return addresses.all();
  }

  public Optional<Ipv6Address> linkLocal() {
    return addresses.linkLocal();
  }

  /** The address for packets to a destination, or null if there is none. */
  public @Nullable Ipv6Address source(Ipv6Address destination) {
    if (isOwn(destination)) {
      return destination;
    }
    Ipv6Addresses.Entry best = addresses.select(destination);
    return best == null ? null : best.address();
  }

  /** Whether packets to this address are for the owner itself. */
  public boolean isOwn(Ipv6Address destination) {
    return addresses.find(destination) != null;
  }

  /** Whether it is in a group. */
  public boolean isMember(Ipv6Address group) {
    return group.equals(Ipv6Address.ALL_NODES)
        || (router && group.equals(Ipv6Address.ALL_ROUTERS))
        || addresses.solicits(group);
  }

  /** Whether an address is on the link, so that no router is needed. */
  public boolean isOnLink(Ipv6Address destination) {
    return routes.isOnLink(destination);
  }

  /** The router for what is not on the link, or null if there is none. */
  public @Nullable Ipv6Address router() {
    return routes.router();
  }

  /** What packets begin with. */
  public int hopLimit() {
    return hopLimit;
  }

  /** The card that has an address on this segment, if it has told. */
  public Optional<MacAddress> neighbour(Ipv6Address address) {
    return Optional.ofNullable(neighbours.mac(address)).map(MacAddress::of);
  }

  /** Somebody on the way to a destination carries only packets of that length (RFC 8201). */
  public void pathCarries(Ipv6Address destination, int bytes) {
    int most = Math.max(bytes, Ipv6.MIN_MTU); // RFC 8201 section 4
    if (most < mtu) {
      pathMtus.merge(destination, most, Math::min);
    }
  }

  @Override
  public void received(ByteBuffer packet, long sender) {
    if (!Ipv6.accept(packet)) {
      return;
    }
    int at = packet.position() + Ipv6.HEADER;
    // RFC 6980: with extension headers it is no Neighbor Discovery.
    if (Ipv6.nextHeader(packet) == Ipv6.ICMP
        && Icmpv6.isMessage(packet, at)
        && Icmpv6.type(packet, at) >= Icmpv6.ROUTER_SOLICITATION
        && Icmpv6.type(packet, at) <= Icmpv6.REDIRECT) {
      if (Ndp.isValid(packet, at)) {
        discovery(packet, at, sender);
      }
    } else {
      owner.received(packet, sender);
    }
  }

  private void discovery(ByteBuffer packet, int at, long sender) {
    switch (Icmpv6.type(packet, at)) {
      case Icmpv6.NEIGHBOUR_SOLICITATION -> solicitation(packet, at, sender);
      case Icmpv6.NEIGHBOUR_ADVERTISEMENT -> advertisement(packet, at, sender);
      case Icmpv6.ROUTER_SOLICITATION -> routerSolicitation(packet, at);
      case Icmpv6.ROUTER_ADVERTISEMENT -> routerAdvertisement(packet, at);
      default -> {} // a redirect only saves a hop
    }
  }

  /** RFC 4861 section 7.2.3. */
  private void solicitation(ByteBuffer packet, int at, long sender) {
    Ipv6Address target = Ndp.target(packet, at);
    Ipv6Address source = Ipv6.source(packet);
    Ipv6Addresses.Entry own = addresses.find(target);
    if (own == null && !owner.proxies(target)) {
      return;
    }
    int options = at + Ndp.SOLICITATION_OPTIONS;
    if (source.isUnspecified()) {
      if (own != null && own.isOptimistic()) {
        lose(own, sender); // RFC 4862 section 5.4.3: two begin with it at once
      } else {
        advertise(target, target, Ipv6Address.ALL_NODES, Ndp.OVERRIDE);
      }
      return;
    }
    Long mac = Ndp.linkLayer(packet, options, Ndp.SOURCE_LINK_LAYER);
    if (mac != null) {
      neighbours.heard(source, mac);
    }
    boolean override = own != null && !own.isOptimistic();
    Ipv6Address from = own == null ? source(source) : target;
    if (from != null) {
      advertise(from, target, source, Ndp.SOLICITED | (override ? Ndp.OVERRIDE : 0));
    }
  }

  /** RFC 4861 section 7.2.5. */
  private void advertisement(ByteBuffer packet, int at, long sender) {
    Ipv6Address target = Ndp.target(packet, at);
    Ipv6Addresses.Entry own = addresses.find(target);
    if (own != null) {
      if (own.isOptimistic()) {
        lose(own, sender);
      } else {
        log.warn("{} is also that of {}", target, MacAddress.of(sender));
      }
      return;
    }
    Long told = Ndp.linkLayer(packet, at + Ndp.SOLICITATION_OPTIONS, Ndp.TARGET_LINK_LAYER);
    Long known = neighbours.mac(target);
    Long mac = told == null ? known : told; // who is asked alone may leave it out
    int flags = Ndp.flags(packet, at);
    if (mac == null || target.isMulticast()) {
      return;
    }
    boolean overrides = known == null || known.equals(mac) || (flags & Ndp.OVERRIDE) != 0;
    if (overrides && (flags & Ndp.SOLICITED) != 0) {
      neighbours.answered(target, mac);
    } else if (overrides && known != null) {
      neighbours.heard(target, mac);
    }
  }

  private void lose(Ipv6Addresses.Entry entry, long other) {
    addresses.remove(entry);
    MacAddress holder = MacAddress.of(other);
    log.warn("{} is that of {} already and not used", entry.address(), holder);
    owner.duplicate(entry.address(), holder);
  }

  private void routerSolicitation(ByteBuffer packet, int at) {
    if (!router) {
      return;
    }
    Ipv6Address source = Ipv6.source(packet);
    Long mac = Ndp.linkLayer(packet, at + Ndp.ROUTER_SOLICITATION_OPTIONS, Ndp.SOURCE_LINK_LAYER);
    if (mac != null && !source.isUnspecified()) {
      neighbours.heard(source, mac);
    }
    owner.solicited();
  }

  /** RFC 4861 section 6.3.4 and RFC 4862 section 5.5.3. */
  private void routerAdvertisement(ByteBuffer packet, int at) {
    if (router) {
      return;
    }
    Ndp.routerAdvertisement(packet, at)
        .ifPresent(
            news -> {
              Long mac = Ndp.routerLinkLayer(packet, at);
              if (mac != null) {
                neighbours.heard(Ipv6.source(packet), mac);
              }
              if (autonomous) {
                accept(news);
              }
              owner.advertised(news);
            });
  }

  private void accept(RouterAdvertisement news) {
    routes.router(Ipv6Address.of(news.router()), news.lifetime().toSeconds());
    if (news.hopLimit() != 0) {
      hopLimit = news.hopLimit();
    }
    news.mtu()
        .filter(bytes -> bytes >= Ipv6.MIN_MTU && bytes <= Ethernet.MTU)
        .ifPresent(bytes -> mtu = bytes);
    for (Prefix prefix : news.prefixes()) {
      Ipv6Prefix network = new Ipv6Prefix(Ipv6Address.of(prefix.address()), prefix.length());
      if (network.address().isConfined() || network.address().isMulticast()) {
        continue;
      }
      if (prefix.onLink()) {
        routes.onLink(network, prefix.valid().toSeconds());
      }
      // RFC 4862 section 5.5.3 d: prefix and interface identifier fill the address.
      if (prefix.autonomous()
          && prefix.length() == 64
          && prefix.preferred().compareTo(prefix.valid()) <= 0) {
        autoconfigure(network, prefix.valid().toSeconds(), prefix.preferred().toSeconds());
      }
    }
  }

  private void autoconfigure(Ipv6Prefix network, long valid, long preferred) {
    Ipv6Address address = network.host(interfaceId);
    Ipv6Addresses.Entry known = addresses.find(address);
    if (known != null) {
      addresses.renew(known, valid, preferred);
    } else if (valid > 0) {
      add(address, network.length(), valid, preferred);
    }
  }

  /**
   * Sends a packet to its next hop; one of its own in fragments if it is too long for its path.
   *
   * @param packet complete, from position to limit; copied before this returns
   */
  public void send(ByteBuffer packet) {
    Ipv6Address destination = Ipv6.destination(packet);
    if (destination.isMulticast()) {
      transmit(packet, destination.multicastMac());
    } else if (isOwn(destination)) {
      ByteBuffer copy = ByteBuffer.allocate(packet.remaining()).put(packet.duplicate()).flip();
      card.loop().execute(() -> owner.received(copy, card.mac()));
    } else {
      Ipv6Address hop = routes.nextHop(destination);
      if (hop == null) {
        owner.unreachable(packet, true);
      } else {
        neighbours.send(hop, packet);
      }
    }
  }

  private void transmit(ByteBuffer packet, long to) {
    int most = Math.min(mtu, pathMtus.getOrDefault(Ipv6.destination(packet), mtu));
    if (packet.remaining() <= most) {
      card.send(Ethernet.IPV6, to, packet);
    } else {
      Ipv6.fragment(
          packet, most, identification++, fragment, part -> card.send(Ethernet.IPV6, to, part));
    }
  }

  /** How Neighbor Discovery asks, and how IPv6 sends. */
  private final class DiscoveryLink implements Neighbours.Link<Ipv6Address> {
    @Override
    public void ask(Ipv6Address address, @Nullable Long believed) {
      Ipv6Addresses.Entry from = addresses.select(address);
      if (closed || from == null) {
        return;
      }
      Ipv6Address to = believed == null ? address.solicitedNode() : address;
      Long mac = from.isOptimistic() ? null : Long.valueOf(card.mac());
      Ndp.writeSolicitation(message, from.address(), to, address, mac);
      card.send(Ethernet.IPV6, believed == null ? to.multicastMac() : believed, message);
    }

    @Override
    public void transmit(ByteBuffer packet, long mac) {
      Ipv6Interface.this.transmit(packet, mac);
    }

    @Override
    public void silent(Ipv6Address address, Iterable<ByteBuffer> unsent) {
      routes.silent(address);
      unsent.forEach(packet -> owner.unreachable(packet, false));
    }
  }
}
