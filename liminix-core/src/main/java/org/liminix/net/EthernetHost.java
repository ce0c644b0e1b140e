package org.liminix.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import org.liminix.net.internal.EventLog;
import org.liminix.net.internal.Futures;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Interface;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.net.internal.Reassembly;

/**
 * A computer with one network card that exists only in this JVM: it answers ARP (RFC 826) and pings
 * (RFC 792), has UDP ports of any number without root, and can be a DHCP client (RFC 2131).
 *
 * <pre>{@code
 * EthernetHost server = EthernetHost.on(WORLD).address("10.0.2.2/24").gateway("10.0.2.1").start(segments);
 * EthernetHost pc = EthernetHost.on(LAN).start(segments);
 * DhcpLease lease = pc.dhcp();
 * Duration time = pc.ping("10.0.2.2", Duration.ofSeconds(5)).roundTrip();
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
  private final Ipv4Interface card;
  private final UdpPorts udp;
  private final Pinger pinger;
  private final DhcpClient dhcpClient;
  private final Reassembly reassembly = new Reassembly();
  private final ByteBuffer answer = ByteBuffer.allocateDirect(Ipv4.MAX_PACKET);
  private final EventLog<ReceivedPing> receivedPings = new EventLog<>();
  private final EventLog<DhcpLease> leases = new EventLog<>();
  private volatile Optional<DhcpLease> lease = Optional.empty();
  private final Runnable onClose;

  /** On the loop. */
  EthernetHost(EthernetHostSpec spec, Segment segment, Runnable onClose) {
    this.network = spec.network();
    this.name = spec.name();
    this.mac = spec.mac();
    this.loop = segment.loop();
    this.onClose = onClose;
    this.card = new Ipv4Interface(segment, name, mac, new Receiver());
    this.udp = new UdpPorts(loop, card, name);
    this.pinger = new Pinger(loop, card, name);
    this.dhcpClient = new DhcpClient(loop, udp, mac, name, this::leased);
    Ipv4Prefix address = spec.address();
    if (address != null) {
      card.configure(address, spec.gateway());
    }
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

  /** The address it has now, given or leased. */
  public Optional<Inet4Address> address() {
    return loop.compute(
        () -> Optional.ofNullable(card.address()).map(prefix -> Ipv4.toInet(prefix.address())));
  }

  /**
   * Sends echo requests, one a second, until one is answered.
   *
   * @param target an IPv4 address; names are not looked up
   * @param timeout until when an answer must have come
   * @throws PingFailedException if none came or an ICMP error did; its reason says which
   */
  public Ping ping(String target, Duration timeout) {
    int address = Ipv4.parse(target);
    // The pinger keeps the time itself and knows the reason; the wait is only its backstop.
    return Futures.await(
        loop,
        () -> pinger.ping(address, timeout),
        timeout.plusSeconds(10),
        "end of the ping of " + target);
  }

  /** As {@link #ping(String, Duration)}. */
  public Ping ping(Inet4Address target, Duration timeout) {
    return ping(target.getHostAddress(), timeout);
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
    return card;
  }

  @Override
  public Optional<MacAddress> linkAddress(InetAddress neighbour) {
    return neighbour instanceof Inet4Address address
        ? card.neighbour(Ipv4.parse(address.getHostAddress()))
        : Optional.empty();
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
          card.configure(
              new Ipv4Prefix(Ipv4.toInt(terms.address()), terms.prefixLength()),
              terms.router().map(Ipv4::toInt).orElse(null));
          leases.add(terms);
        },
        card::unconfigure);
  }

  /** Takes the host off the network. Idempotent. */
  @Override
  public void close() {
    card.close();
    try {
      loop.execute(dhcpClient::close);
    } catch (RejectedExecutionException e) {
      return; // its segments, and everything on their loop, ended before
    }
    onClose.run();
  }

  @Override
  public String toString() {
    return "EthernetHost[" + name() + " on " + network() + "]";
  }

  /** What the host does with packets. */
  private final class Receiver implements Ipv4Interface.Owner {
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
          if (!udp.received(whole) && own) {
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

    private void receivedIcmp(ByteBuffer packet, long sender) {
      int icmp = packet.position() + Ipv4.headerLength(packet);
      switch (packet.get(icmp)) {
        case Icmp.ECHO_REQUEST -> {
          ReceivedPing ping =
              new ReceivedPing(
                  Ipv4.toInet(Ipv4.source(packet)),
                  MacAddress.of(sender),
                  Ipv4.ttl(packet),
                  Short.toUnsignedInt(packet.getShort(icmp + 4)),
                  Short.toUnsignedInt(packet.getShort(icmp + 6)));
          Icmp.writeEchoReply(answer, packet);
          card.send(answer);
          receivedPings.add(ping);
        }
        case Icmp.ECHO_REPLY -> pinger.reply(packet, icmp);
        case Icmp.UNREACHABLE, Icmp.TIME_EXCEEDED -> pinger.error(packet, icmp);
        default -> {} // other messages ask nothing of a host (RFC 1122 section 3.2.2)
      }
    }

    private void refuse(ByteBuffer packet, int code) {
      int own = Ipv4.destination(packet);
      if (Icmp.writeError(answer, own, Icmp.UNREACHABLE, code, 0, packet)) {
        card.send(answer);
      }
    }

    @Override
    public void unreachable(ByteBuffer packet, boolean noRoute) {
      pinger.unsent(packet, noRoute);
    }
  }
}
