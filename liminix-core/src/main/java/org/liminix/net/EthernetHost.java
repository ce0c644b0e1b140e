package org.liminix.net;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import org.liminix.net.internal.EthernetCard;
import org.liminix.net.internal.EventLog;
import org.liminix.net.internal.Futures;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Interface;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.process.WaitTimeoutException;

/**
 * A computer with one network card that exists only in this JVM: it answers ARP (RFC 826) and pings
 * (RFC 792), has UDP ports of any number without root, and can be a DHCP client (RFC 2131). With
 * IPv6 it finds its neighbours (RFC 4861), answers pings (RFC 4443) and, unless it was given an
 * address, makes itself one in every network that a router advertises (RFC 4862); the rest of these
 * addresses comes from its card's (RFC 4291 appendix A).
 *
 * <pre>{@code
 * EthernetHost server = EthernetHost.on(WORLD).address("10.0.2.2/24").gateway("10.0.2.1").start(segments);
 * EthernetHost pc = EthernetHost.on(LAN).start(segments);
 * DhcpLease lease = pc.dhcp();
 * Duration time = pc.ping("10.0.2.2", Duration.ofSeconds(5)).roundTrip();
 * Inet6Address address = pc.awaitIpv6Address(Duration.ofSeconds(30));
 * server.awaitPing(ping -> ping.source().equals(routerAddress), Duration.ofSeconds(1));
 * }</pre>
 *
 * <p>Thread-safe; methods that wait do so on the calling thread, never on the event loop, honour
 * interrupts and throw {@link org.liminix.process.WaitTimeoutException}. Whoever started it closes
 * it.
 */
public final class EthernetHost implements DatagramHost, LinkAddresses, AutoCloseable {
  /** What {@link #dhcp()} waits at most: a router that is just booting fits in. */
  private static final Duration DHCP_PATIENCE = Duration.ofSeconds(30);

  private final Network network;
  private final String name;
  private final MacAddress mac;
  private final EventLoop loop;
  private final EthernetCard card;
  private final UdpPorts udp;
  private final Pinger pinger;
  private final Ipv4Host ipv4;
  private final Optional<Ipv6Host> ipv6;
  private final DhcpClient dhcpClient;
  private final EventLog<ReceivedPing> receivedPings = new EventLog<>();
  private final EventLog<DhcpLease> leases = new EventLog<>();
  private final EventLog<RouterAdvertisement> advertisements = new EventLog<>();
  private final EventLog<Inet6Address> ipv6News = new EventLog<>();
  private final Set<Inet6Address> ipv6Addresses = ConcurrentHashMap.newKeySet();
  private final Map<Inet6Address, MacAddress> duplicates = new ConcurrentHashMap<>();
  private volatile Optional<DhcpLease> lease = Optional.empty();
  private final Runnable onClose;

  /** On the loop. */
  EthernetHost(EthernetHostSpec spec, Segment segment, Runnable onClose) {
    this.network = spec.network();
    this.name = spec.name();
    this.mac = spec.mac();
    this.loop = segment.loop();
    this.onClose = onClose;
    this.card = new EthernetCard(segment, name, mac);
    InternetLayer.Layers layers = new Layers();
    this.udp = new UdpPorts(loop, name, layers);
    this.pinger = new Pinger(loop, name, layers);
    this.ipv4 = new Ipv4Host(card, udp, pinger, receivedPings::add);
    this.ipv6 =
        spec.ipv6()
            ? Optional.of(new Ipv6Host(loop, card, udp, pinger, new Ipv6Listener()))
            : Optional.empty();
    this.dhcpClient = new DhcpClient(loop, udp, mac, name, this::leased);
    Ipv4Prefix address = spec.address();
    if (address != null) {
      ipv4.card().configure(address, spec.gateway());
    }
    ipv6.ifPresent(host -> host.start(spec.ipv6Address(), spec.ipv6Gateway()));
    if (spec.dhcp()) {
      dhcpClient.keepLeased();
    }
  }

  /** Begins the description of a host on that network. */
  public static EthernetHostBuilder on(Network network) {
    return new EthernetHostBuilder(network);
  }

  /** The network it is on. */
  public Network network() {
    return network;
  }

  /** What captures and messages call it. */
  public String name() {
    return name;
  }

  /** The address of its card. */
  public MacAddress macAddress() {
    return mac;
  }

  /** The IPv4 address it has now, given or leased. */
  public Optional<Inet4Address> address() {
    return loop.compute(ipv4::localAddress);
  }

  /**
   * The IPv6 addresses it has now: that of the link (RFC 4291 section 2.5.6), then what was given
   * or made from router advertisements.
   */
  public List<Inet6Address> ipv6Addresses() {
    return loop.compute(() -> ipv6.map(Ipv6Host::all).orElse(List.of()));
  }

  /**
   * Waits until it has an IPv6 address beyond the link's, given or made from a router
   * advertisement, and returns one.
   */
  public Inet6Address awaitIpv6Address(Duration timeout) {
    return awaitIpv6Address(address -> !address.isLinkLocalAddress(), timeout);
  }

  /** Waits until it has an IPv6 address that matches, and returns one. */
  public Inet6Address awaitIpv6Address(
      Predicate<? super Inet6Address> predicate, Duration timeout) {
    try {
      return ipv6News.await(
          address -> ipv6Addresses.contains(address) && predicate.test(address),
          timeout,
          "such IPv6 address of " + name);
    } catch (WaitTimeoutException e) {
      duplicates.forEach(
          (address, holder) ->
              e.addSuppressed(
                  new NetworkException(
                      address.getHostAddress() + " is that of " + holder + " already")));
      throw e;
    }
  }

  /** What routers have told this host (RFC 4861), oldest first. */
  public List<RouterAdvertisement> routerAdvertisements() {
    return advertisements.all();
  }

  /** The first router advertisement that matches, of those that came and those that will. */
  public RouterAdvertisement awaitRouterAdvertisement(
      Predicate<? super RouterAdvertisement> predicate, Duration timeout) {
    return advertisements.await(predicate, timeout, "such router advertisement to " + name);
  }

  /**
   * Sends echo requests, one a second, until one is answered.
   *
   * @param target an IPv4 or IPv6 address; names are not looked up
   * @param timeout until when an answer must have come
   * @throws PingFailedException if none came or an ICMP error did; its reason says which
   */
  public Ping ping(String target, Duration timeout) {
    return ping(parse(target), timeout);
  }

  private static InetAddress parse(String address) {
    return address.indexOf(':') < 0
        ? Ipv4.toInet(Ipv4.parse(address))
        : Ipv6Address.parse(address).toInet();
  }

  /** As {@link #ping(String, Duration)}. */
  public Ping ping(InetAddress target, Duration timeout) {
    // The pinger keeps the time itself and knows the reason; the wait is only its backstop.
    return Futures.await(
        loop,
        () -> pinger.ping(target, timeout),
        timeout.plusSeconds(10),
        "end of the ping of " + target.getHostAddress());
  }

  /** The pings that have reached this host and were answered, oldest first. */
  public List<ReceivedPing> receivedPings() {
    return receivedPings.all();
  }

  /**
   * The first ping that matches, of those that have reached this host and those that will.
   *
   * @throws org.liminix.process.WaitTimeoutException if none does in time; the message lists others
   */
  public ReceivedPing awaitPing(Predicate<? super ReceivedPing> predicate, Duration timeout) {
    return receivedPings.await(predicate, timeout, "such ping of " + name());
  }

  @Override
  public DatagramEndpoint bind(int port, DatagramHandler handler) {
    return loop.compute(() -> udp.bind(port, handler));
  }

  @Override
  public EventLoop loop() {
    return loop;
  }

  /** Its IPv4, for servers on it that need more than ports. Confined to the loop. */
  Ipv4Interface card() {
    return ipv4.card();
  }

  @Override
  public Optional<MacAddress> linkAddress(InetAddress neighbour) {
    return neighbour instanceof Inet6Address address
        ? ipv6.flatMap(host -> host.neighbour(address))
        : ipv4.card().neighbour(Ipv4.toInt((Inet4Address) neighbour));
  }

  /** Broadcasts DHCPDISCOVER, again and again, until a server makes an offer. */
  public DhcpOffer discover(Duration timeout) {
    return Futures.await(loop, dhcpClient::discover, timeout, "DHCP offer for " + name());
  }

  /**
   * Asks for what was offered and, once it is granted, uses it as its own address and gateway.
   *
   * @throws NetworkException if the server refuses
   */
  public DhcpLease request(DhcpOffer offer, Duration timeout) {
    return Futures.await(
        loop, () -> dhcpClient.request(offer), timeout, "DHCP acknowledgement for " + name());
  }

  /** Gets a lease within half a minute: {@link #discover} and {@link #request} in one. */
  public DhcpLease dhcp() {
    return dhcp(DHCP_PATIENCE);
  }

  /** Gets a lease: {@link #discover} and {@link #request} in one. */
  public DhcpLease dhcp(Duration timeout) {
    return Futures.await(loop, dhcpClient::lease, timeout, "DHCP lease for " + name());
  }

  /** The lease it has now. It is renewed while the host runs. */
  public Optional<DhcpLease> lease() {
    return lease;
  }

  /** Waits until the host has a lease, for one described with {@link EthernetHostBuilder#dhcp}. */
  public DhcpLease awaitLease(Duration timeout) {
    Optional<DhcpLease> held = lease();
    return held.isPresent()
        ? held.get()
        : leases.await(granted -> lease().isPresent(), timeout, "DHCP lease for " + name);
  }

  private void leased(Optional<DhcpLease> granted) {
    lease = granted;
    granted.ifPresentOrElse(
        terms -> {
          ipv4.card()
              .configure(
                  new Ipv4Prefix(Ipv4.toInt(terms.address()), terms.prefixLength()),
                  terms.router().map(Ipv4::toInt).orElse(null));
          leases.add(terms);
        },
        ipv4.card()::unconfigure);
  }

  /** Takes the host off the network. Idempotent. */
  @Override
  public void close() {
    card.close();
    try {
      loop.execute(
          () -> {
            dhcpClient.close();
            ipv6.ifPresent(Ipv6Host::close);
          });
    } catch (RejectedExecutionException e) {
      return; // its segments, and everything on their loop, ended before
    }
    onClose.run();
  }

  @Override
  public String toString() {
    return "EthernetHost[" + name() + " on " + network() + "]";
  }

  private final class Layers implements InternetLayer.Layers {
    @Override
    public InternetLayer to(InetAddress address) {
      return address instanceof Inet4Address
          ? ipv4
          : ipv6.orElseThrow(
              () ->
                  new IllegalArgumentException(
                      "%s has no way to %s: leave out withoutIpv6()"
                          .formatted(name, address.getHostAddress())));
    }

    @Override
    public InetAddress localAddress() {
      return ipv4.localAddress()
          .<InetAddress>map(own -> own)
          .or(() -> ipv6.flatMap(Ipv6Host::localAddress))
          .orElseGet(() -> Ipv4.toInet(0));
    }
  }

  /** Remembers what happens to IPv6. */
  private final class Ipv6Listener implements Ipv6Host.Listener {
    @Override
    public void pinged(ReceivedPing ping) {
      receivedPings.add(ping);
    }

    @Override
    public void advertised(RouterAdvertisement news) {
      advertisements.add(news);
    }

    @Override
    public void appeared(Inet6Address address) {
      ipv6Addresses.add(address);
      ipv6News.add(address);
    }

    @Override
    public void duplicate(Inet6Address address, MacAddress other) {
      ipv6Addresses.remove(address);
      duplicates.put(address, other);
    }
  }
}
