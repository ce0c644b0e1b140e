package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.liminix.net.Network.LAN;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.net.PingFailedException.Reason;
import org.liminix.net.RouterAdvertisement.NameServer;
import org.liminix.net.RouterAdvertisement.Prefix;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.Icmpv6;
import org.liminix.net.internal.Ipv6;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ndp;
import org.liminix.process.WaitTimeoutException;

/** Hosts among themselves, and a router played by the test for what no real one says on demand. */
class EthernetHostIpv6Test {
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Ipv6Address ROUTER = Ipv6Address.parse("fe80::1");
  private static final MacAddress ROUTER_MAC = MacAddress.parse("52:54:00:00:00:01");

  private final Segments segments = Segments.isolated();
  private final BlockingQueue<Frame> heard = new LinkedBlockingQueue<>();
  private final Station router =
      segments.get(LAN).attach("router", frame -> heard.add(copy(frame)));

  @AfterEach
  void close() {
    segments.close();
  }

  private static Frame copy(ByteBuffer frame) {
    return Frame.of("", "", frame);
  }

  private EthernetHost host(String address) {
    return EthernetHost.on(LAN).address(address).start(segments);
  }

  private void send(MacAddress to, ByteBuffer packet) {
    ByteBuffer frame = ByteBuffer.allocate(Ethernet.HEADER + packet.remaining());
    Ethernet.putHeader(frame, to.toLong(), ROUTER_MAC.toLong(), Ethernet.IPV6);
    router.send(frame.put(packet).flip());
  }

  private static InetAddress inet(String address) {
    return Ipv6Address.parse(address).toInet();
  }

  private static Prefix prefix(String address, Duration valid, Duration preferred) {
    return new Prefix((Inet6Address) inet(address), 64, true, true, valid, preferred);
  }

  private void advertise(Duration lifetime, Prefix... prefixes) {
    RouterAdvertisement says =
        new RouterAdvertisement(
            ROUTER.toInet(),
            61,
            false,
            true,
            lifetime,
            Optional.of(1480),
            List.of(prefixes),
            List.of(new NameServer((Inet6Address) inet("2001:db8::53"), HOUR)));
    send(
        MacAddress.BROADCAST,
        Ndp.writeRouterAdvertisement(
            ByteBuffer.allocate(1500), Ipv6Address.ALL_NODES, says, ROUTER_MAC.toLong()));
  }

  private Frame next(int icmpType) throws InterruptedException {
    while (true) {
      Frame frame = heard.poll(10, TimeUnit.SECONDS);
      assertThat(frame).as("ICMPv6 of type %d", icmpType).isNotNull();
      if (frame.icmp().filter(icmp -> icmp.type() == icmpType).isPresent()
          && frame.etherType() == Ethernet.IPV6) {
        return frame;
      }
    }
  }

  /** Its link-local address follows from its card's. */
  private static Inet6Address linkLocal(EthernetHost host) {
    return Ipv6Address.linkLocal(Ipv6Address.interfaceId(host.macAddress().toLong())).toInet();
  }

  @Test
  void pingsAnotherHostByEachOfItsAddresses() {
    EthernetHost a = host("2001:db8::1/64");
    EthernetHost b =
        EthernetHost.on(LAN)
            .mac(MacAddress.parse("52:54:00:12:34:56"))
            .address("2001:db8::2/64")
            .address("10.0.0.2/24")
            .start(segments);
    assertThat(b.ipv6Addresses())
        .containsExactly(
            (Inet6Address) inet("fe80::5054:ff:fe12:3456"), (Inet6Address) inet("2001:db8::2"));
    Ping ping = a.ping("2001:db8::2", PATIENCE);
    assertThat(ping.target()).isEqualTo(inet("2001:db8::2"));
    assertThat(ping.ttl()).isEqualTo(64);
    assertThat(b.awaitPing(any -> true, PATIENCE).source()).isEqualTo(inet("2001:db8::1"));
    assertThat(b.receivedPings().get(0).sourceMac()).isEqualTo(a.macAddress());
    a.ping("fe80::5054:ff:fe12:3456", PATIENCE);
    assertThat(b.awaitPing(received -> received.source().equals(linkLocal(a)), PATIENCE))
        .isNotNull();
    assertThat(a.ping("2001:db8::1", PATIENCE).requests()).isEqualTo(1); // itself
  }

  @Test
  void saysWhyAPingFailed() {
    EthernetHost a = host("2001:db8::1/64");
    EthernetHost lost =
        EthernetHost.on(LAN).address("2001:db8::9/64").gateway("fe80::254").start(segments);
    EthernetHost old = EthernetHost.on(LAN).address("10.0.0.1/24").withoutIpv6().start(segments);
    Duration patience = Duration.ofSeconds(4);
    assertThat(reason(a, "2001:db8:1::1", patience)).isEqualTo(Reason.NO_ROUTE);
    assertThat(reason(a, "10.0.0.1", patience)).isEqualTo(Reason.NO_ROUTE);
    assertThat(reason(a, "2001:db8::77", patience)).isEqualTo(Reason.NO_NEIGHBOUR_ADVERTISEMENT);
    assertThatThrownBy(() -> lost.ping("2001:db8:1::1", patience))
        .isInstanceOf(PingFailedException.class)
        .hasMessageContainingAll("fe80:0:0:0:0:0:0:254", "does not answer neighbour solicitations");
    assertThatThrownBy(() -> old.ping("2001:db8::1", patience))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("withoutIpv6");
  }

  private static Reason reason(EthernetHost host, String to, Duration timeout) {
    return catchThrowableOfType(PingFailedException.class, () -> host.ping(to, timeout)).reason();
  }

  @Test
  void exchangesDatagramsOfAnySize() throws InterruptedException {
    EthernetHost server = host("2001:db8::1/64");
    EthernetHost client = host("2001:db8::2/64");
    server.bind(69, (payload, source, port) -> port.send(payload, source));
    BlockingQueue<String> echoes = new LinkedBlockingQueue<>();
    DatagramEndpoint endpoint =
        client.bind(
            0,
            (payload, source, port) ->
                echoes.add(StandardCharsets.US_ASCII.decode(payload) + " from " + source));
    assertThat(endpoint.localAddress().getAddress()).isEqualTo(inet("2001:db8::2"));
    for (int length : new int[] {0, 1, 1452, 1453, 9001, 65_527}) {
      ByteBuffer payload = ByteBuffer.wrap("x".repeat(length).getBytes(StandardCharsets.US_ASCII));
      endpoint.send(payload, new InetSocketAddress("2001:db8::1", 69));
      assertThat(echoes.poll(10, TimeUnit.SECONDS))
          .isEqualTo("x".repeat(length) + " from /[2001:db8:0:0:0:0:0:1]:69");
    }
    assertThatThrownBy(
            () ->
                endpoint.send(
                    ByteBuffer.allocate(65_528), new InetSocketAddress("2001:db8::1", 69)))
        .hasMessageContaining("65527");
  }

  @Test
  void makesItselfAnAddressInEveryNetworkThatARouterAdvertises() throws InterruptedException {
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    Frame solicitation = next(Icmpv6.ROUTER_SOLICITATION);
    assertThat(solicitation.destination()).hasToString("33:33:00:00:00:02");
    assertThat(solicitation.ip().orElseThrow().hopLimit()).isEqualTo(255);
    assertThat(pc.ipv6Addresses()).containsExactly(linkLocal(pc));
    advertise(
        HOUR, prefix("2001:db8:1::", HOUR, HOUR), prefix("fd00:0:0:7::", HOUR, Duration.ZERO));
    Inet6Address address = pc.awaitIpv6Address(PATIENCE);
    assertThat(address.getAddress()).startsWith(0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0);
    assertThat(address.getAddress()).endsWith(bytes(linkLocal(pc).getAddress(), 8));
    assertThat(pc.awaitIpv6Address(a -> a.getAddress()[0] == (byte) 0xfd, PATIENCE)).isNotNull();
    RouterAdvertisement news = pc.routerAdvertisements().get(0);
    assertThat(news.router()).isEqualTo(ROUTER.toInet());
    assertThat(news.otherConfiguration()).isTrue();
    assertThat(news.managed()).isFalse();
    assertThat(news.mtu()).contains(1480);
    assertThat(news.prefixes()).hasSize(2).contains(prefix("2001:db8:1::", HOUR, HOUR));
    assertThat(news.nameServers())
        .containsExactly(new NameServer((Inet6Address) inet("2001:db8::53"), HOUR));

    // What goes elsewhere goes to the router, from the address that is not deprecated.
    new Thread(
            () ->
                assertThatExceptionOfType(PingFailedException.class)
                    .isThrownBy(() -> pc.ping("2600::1", SHORT)))
        .start();
    Frame ping = next(Icmpv6.ECHO_REQUEST);
    assertThat(ping.destination()).isEqualTo(ROUTER_MAC);
    assertThat(ping.ip().orElseThrow().source()).isEqualTo(address);
    assertThat(ping.ip().orElseThrow().hopLimit()).isEqualTo(61);
  }

  private static byte[] bytes(byte[] all, int from) {
    return java.util.Arrays.copyOfRange(all, from, all.length);
  }

  @Test
  void keepsAnAddressForTwoHoursWhateverARouterSays() {
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    advertise(HOUR, prefix("2001:db8:1::", Duration.ofDays(1), Duration.ofDays(1)));
    pc.awaitIpv6Address(PATIENCE);
    advertise(
        HOUR,
        prefix("2001:db8:1::", Duration.ofSeconds(1), Duration.ZERO),
        prefix("2001:db8:2::", Duration.ofSeconds(1), Duration.ofSeconds(2)), // contradicts itself
        prefix("fe80::", HOUR, HOUR));
    pc.awaitRouterAdvertisement(news -> news.prefixes().size() == 3, PATIENCE);
    assertThat(pc.ipv6Addresses()).hasSize(2);
  }

  @Test
  void hasNoRouteAnyMoreWhenTheRouterResigns() {
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    advertise(HOUR, prefix("2001:db8:1::", HOUR, HOUR));
    pc.awaitIpv6Address(PATIENCE);
    advertise(Duration.ZERO);
    pc.awaitRouterAdvertisement(news -> news.lifetime().isZero(), PATIENCE);
    assertThat(reason(pc, "2600::1", SHORT)).isEqualTo(Reason.NO_ROUTE);
  }

  @Test
  void believesNoRouterFromBeyondTheLink() {
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    RouterAdvertisement says =
        new RouterAdvertisement(
            ROUTER.toInet(),
            0,
            true,
            true,
            HOUR,
            Optional.empty(),
            List.of(prefix("2001:db8:1::", HOUR, HOUR)),
            List.of());
    ByteBuffer packet =
        Ndp.writeRouterAdvertisement(ByteBuffer.allocate(1500), Ipv6Address.ALL_NODES, says, null);
    Ipv6.setHopLimit(packet, 254); // the checksum does not cover it
    send(MacAddress.BROADCAST, packet);
    assertThatThrownBy(() -> pc.awaitIpv6Address(SHORT))
        .isInstanceOf(WaitTimeoutException.class)
        .hasMessageContaining("such IPv6 address of " + pc.name());
    assertThat(pc.routerAdvertisements()).isEmpty();
  }

  @Test
  void asksForRoutersUntilOneAnswers() throws InterruptedException {
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    next(Icmpv6.ROUTER_SOLICITATION);
    next(Icmpv6.ROUTER_SOLICITATION);
    advertise(HOUR);
    pc.awaitRouterAdvertisement(any -> true, PATIENCE);
    heard.clear();
    assertThatThrownBy(() -> pc.awaitIpv6Address(Duration.ofSeconds(1)))
        .isInstanceOf(WaitTimeoutException.class);
    assertThat(heard)
        .noneMatch(
            frame -> frame.icmp().filter(i -> i.type() == Icmpv6.ROUTER_SOLICITATION).isPresent());
  }

  @Test
  void givesUpAnAddressThatSomebodyElseHas() {
    EthernetHost first = host("2001:db8::1/64");
    // Its own detection is over when it speaks for its address unasked.
    try (FrameLog log = segments.get(LAN).log()) {
      log.await(
          frame ->
              frame.icmp().filter(i -> i.type() == Icmpv6.NEIGHBOUR_ADVERTISEMENT).isPresent()
                  && frame.ip().orElseThrow().source().equals(inet("2001:db8::1")),
          PATIENCE);
    }
    EthernetHost second = host("2001:db8::1/64");
    EthernetHost third = host("2001:db8::3/64");
    assertThatThrownBy(() -> second.awaitIpv6Address(address -> false, SHORT))
        .hasSuppressedException(
            new NetworkException(
                "2001:db8:0:0:0:0:0:1 is that of " + first.macAddress() + " already"));
    assertThat(second.ipv6Addresses()).containsExactly(linkLocal(second));
    third.ping("2001:db8::1", PATIENCE);
    assertThat(first.receivedPings()).hasSize(1);
  }

  @Test
  void cutsItsDatagramsToWhatThePathCarries() throws InterruptedException {
    EthernetHost a = host("2001:db8::1/64");
    EthernetHost b = host("2001:db8::2/64");
    BlockingQueue<Integer> lengths = new LinkedBlockingQueue<>();
    b.bind(69, (payload, source, port) -> lengths.add(payload.remaining()));
    DatagramEndpoint endpoint = a.bind(0, (payload, source, port) -> {});
    endpoint.send(ByteBuffer.allocate(1400), new InetSocketAddress("2001:db8::2", 69));
    assertThat(lengths.poll(10, TimeUnit.SECONDS)).isEqualTo(1400);
    ByteBuffer about = ByteBuffer.allocate(100);
    Ipv6.putHeader(
        about,
        Ipv6Address.parse("2001:db8::1"),
        Ipv6Address.parse("2001:db8::2"),
        Ipv6.UDP,
        60,
        60);
    ByteBuffer report = ByteBuffer.allocate(1500);
    assertThat(
            Icmpv6.writeError(
                report, Ipv6Address.parse("2001:db8::ff"), Icmpv6.TOO_BIG, 0, 1300, about.clear()))
        .isTrue();
    send(a.macAddress(), report);
    try (FrameLog log = segments.get(LAN).log()) {
      endpoint.send(ByteBuffer.allocate(1400), new InetSocketAddress("2001:db8::2", 69));
      assertThat(lengths.poll(10, TimeUnit.SECONDS)).isEqualTo(1400);
      assertThat(log.frames(frame -> frame.sender().equals(a.name())))
          .filteredOn(frame -> frame.ip().filter(ip -> ip.protocol() == Ipv6.UDP).isPresent())
          .hasSize(2)
          .allMatch(frame -> frame.length() <= Ethernet.HEADER + 1300);
    }
  }

  @Test
  void refusesWhatItDoesNotUnderstand() throws InterruptedException {
    EthernetHost a = host("2001:db8::1/64");
    Ipv6Address source = Ipv6Address.parse("2001:db8::ee");
    Ipv6Address to = Ipv6Address.parse("2001:db8::1");
    // Learns where the sender is.
    send(a.macAddress(), ndSolicitation(source, to));
    next(Icmpv6.NEIGHBOUR_ADVERTISEMENT);
    ByteBuffer packet = ByteBuffer.allocate(64);
    Ipv6.putHeader(packet, source, to, 253, 64, 24);
    send(a.macAddress(), packet.clear());
    Frame problem = next(Icmpv6.PARAMETER_PROBLEM);
    assertThat(problem.icmp().orElseThrow().code()).isEqualTo(Icmpv6.UNKNOWN_NEXT_HEADER);
    assertThat(problem.icmp().orElseThrow().body().getInt(0)).isEqualTo(6);
    // A destination option that wants to be reported (RFC 8200 section 4.2: 10xxxxxx).
    packet.clear();
    Ipv6.putHeader(packet, source, to, 60, 64, 24);
    packet.put((byte) 59).put((byte) 0).put((byte) 0x9e).put((byte) 4);
    send(a.macAddress(), packet.clear());
    problem = next(Icmpv6.PARAMETER_PROBLEM);
    assertThat(problem.icmp().orElseThrow().code()).isEqualTo(Icmpv6.UNKNOWN_OPTION);
    assertThat(problem.icmp().orElseThrow().body().getInt(0)).isEqualTo(42);
    // A port nobody has opened.
    packet.clear();
    Ipv6.putHeader(packet, source, to, Ipv6.UDP, 64, 8);
    packet.putShort((short) 1).putShort((short) 2).putShort((short) 8).putShort((short) 0);
    int checksum = Ipv6.checksum(packet, 0, 40, 48, Ipv6.UDP);
    packet.putShort(46, (short) checksum);
    send(a.macAddress(), packet.flip());
    assertThat(next(Icmpv6.UNREACHABLE).icmp().orElseThrow().code()).isEqualTo(Icmpv6.PORT);
  }

  private static ByteBuffer ndSolicitation(Ipv6Address source, Ipv6Address target) {
    ByteBuffer out = ByteBuffer.allocate(72);
    Ipv6.putHeader(out, source, target, Ipv6.ICMP, 255, 32);
    out.putInt(Icmpv6.NEIGHBOUR_SOLICITATION << 24).putInt(0);
    target.put(out);
    out.put((byte) 1).put((byte) 1);
    ROUTER_MAC.write(out);
    return out.putShort(42, (short) Ipv6.checksum(out, 0, 40, 72, Ipv6.ICMP)).flip();
  }

  @Test
  void rejectsMisuseOfItsBuilderAtOnce() {
    EthernetHostBuilder fixed = EthernetHost.on(LAN).address("2001:db8::1/64");
    assertThatThrownBy(() -> fixed.address("2001:db8::2/64")).hasMessageContaining("one of each");
    assertThatThrownBy(() -> fixed.withoutIpv6()).hasMessageContaining("leave out one");
    assertThatThrownBy(() -> fixed.gateway("2001:db8:1::1")).hasMessageContaining("fe80::1");
    assertThatThrownBy(() -> EthernetHost.on(LAN).gateway("fe80::1"))
        .hasMessageContaining("before the gateway");
    assertThatThrownBy(() -> EthernetHost.on(LAN).address("2001:db8::1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("2001:db8::2/64");
    assertThatThrownBy(() -> EthernetHost.on(LAN).address("ff02::1/64"))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> EthernetHost.on(LAN).withoutIpv6().address("2001:db8::1/64"))
        .hasMessageContaining("leave out one");
    assertThatThrownBy(() -> host("2001:db8::1/64").ping("fe80::1%eth0", SHORT))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
