package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Network.WORLD;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.isp.FakeClient.Heard;
import org.liminix.isp.IspEvent.Ipv6Opened;
import org.liminix.isp.IspEvent.PrefixDelegated;
import org.liminix.isp.IspEvent.PrefixReleased;
import org.liminix.isp.IspEvent.Reason;
import org.liminix.isp.IspEvent.SessionTerminated;
import org.liminix.net.EthernetHost;
import org.liminix.net.Ipv6Network;
import org.liminix.net.PingFailedException;
import org.liminix.net.RouterAdvertisement;
import org.liminix.net.Segments;
import org.liminix.net.internal.Dhcpv6Message;
import org.liminix.net.internal.Dhcpv6Message.Association;
import org.liminix.net.internal.Dhcpv6Message.Option;
import org.liminix.net.internal.Icmpv6;
import org.liminix.net.internal.Ipv6;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Prefix;
import org.liminix.net.internal.Ndp;

/** The IPv6 of the ISP and a client played by the test; real clients are in {@link RealIpv6IT}. */
class Ipv6ServiceTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Ipv6Address OURS = Ipv6Address.parse("fe80::2:3");
  private static final Ipv6Address ISP = Ipv6Address.parse("fe80::1");
  private static final Option CLIENT =
      Option.of(Dhcpv6Message.CLIENT_ID, (byte) 0, (byte) 4, (byte) 7);
  private static final Option WANTS_DNS =
      Option.of(Dhcpv6Message.OPTION_REQUEST, (byte) 0, (byte) Dhcpv6Message.DNS_SERVERS);

  private final Segments segments = Segments.isolated();
  private final FakeClient client = new FakeClient(segments);
  private int transaction = 100;

  @AfterEach
  void close() {
    segments.close();
  }

  private BorderNetworkGateway start(Ipv6Service service) {
    return BorderNetworkGateway.likeLiminix().ipv6(service).start(segments);
  }

  private static PppOption identifier(long value) {
    return PppOption.of(Ipv6cp.INTERFACE_IDENTIFIER, ByteBuffer.allocate(8).putLong(value).array());
  }

  /** Agrees on IPv6 and returns what the ISP's first router advertisement says. */
  private RouterAdvertisement openIpv6() throws InterruptedException {
    client.acknowledge(client.next(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST));
    client.send(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST, 1, identifier(OURS.low()));
    client.next(Ppp.IPV6CP, Negotiation.CONFIGURE_ACK);
    return advertisement();
  }

  private RouterAdvertisement dial() throws Exception {
    client.dial();
    return openIpv6();
  }

  private ByteBuffer nextPacket(int protocol, int icmpType) throws InterruptedException {
    while (true) {
      ByteBuffer packet = client.next(heard -> heard.protocol() == Ppp.IPV6).ppp();
      assertThat(Ipv6.accept(packet)).isTrue();
      Ipv6.Payload payload = Ipv6.payload(packet);
      if (payload.protocol() == protocol
          && (protocol != Ipv6.ICMP || Icmpv6.type(packet, payload.start()) == icmpType)) {
        assertThat(
                protocol == Ipv6.FRAGMENT
                    ? 0
                    : Ipv6.checksum(packet, 0, payload.start(), packet.limit(), protocol))
            .isZero();
        return packet;
      }
    }
  }

  private RouterAdvertisement advertisement() throws InterruptedException {
    ByteBuffer packet = nextPacket(Ipv6.ICMP, Icmpv6.ROUTER_ADVERTISEMENT);
    assertThat(Ndp.isValid(packet, Ipv6.HEADER)).isTrue();
    return Ndp.routerAdvertisement(packet, Ipv6.HEADER).orElseThrow();
  }

  private void ping(String from, String to, int hopLimit, int length) {
    ByteBuffer out = ByteBuffer.allocate(2000);
    Icmpv6.writeEchoRequest(
        out,
        Ipv6Address.parse(from),
        Ipv6Address.parse(to),
        hopLimit,
        1,
        1,
        ByteBuffer.allocate(length));
    client.send(Ppp.IPV6, out);
  }

  /** Type, code, parameter and sender of the next error. */
  private String nextError(int type) throws InterruptedException {
    ByteBuffer packet = nextPacket(Ipv6.ICMP, type);
    return "%d/%d %d from %s"
        .formatted(
            type,
            Icmpv6.code(packet, Ipv6.HEADER),
            packet.getInt(Ipv6.HEADER + 4),
            Ipv6.source(packet));
  }

  private void say(int type, Option... options) {
    ByteBuffer payload = new Dhcpv6Message(type, ++transaction, List.of(options)).encode();
    ByteBuffer out = ByteBuffer.allocate(1280);
    int length = 8 + payload.remaining();
    Ipv6.putHeader(out, OURS, Dhcpv6Message.ALL_SERVERS, Ipv6.UDP, 1, length);
    out.putShort((short) Dhcpv6Message.CLIENT_PORT).putShort((short) Dhcpv6Message.SERVER_PORT);
    out.putShort((short) length).putShort((short) 0).put(payload);
    int checksum = Ipv6.checksum(out, 0, Ipv6.HEADER, out.position(), Ipv6.UDP);
    client.send(Ppp.IPV6, out.putShort(Ipv6.HEADER + 6, (short) checksum).flip());
  }

  private Dhcpv6Message ask(int type, Option... options) throws InterruptedException {
    say(type, options);
    ByteBuffer packet = nextPacket(Ipv6.UDP, 0);
    assertThat(Ipv6.source(packet)).isEqualTo(ISP);
    assertThat(Ipv6.destination(packet)).isEqualTo(OURS);
    Dhcpv6Message answer = Dhcpv6Message.parse(packet.position(Ipv6.HEADER + 8)).orElseThrow();
    assertThat(answer.transaction()).isEqualTo(transaction);
    return answer;
  }

  private static Option wants(int code, Option... holding) {
    return new Association(code, 7, 0, 0, List.of(holding)).toOption();
  }

  private static Option server(Dhcpv6Message answer) {
    return new Option(Dhcpv6Message.SERVER_ID, answer.find(Dhcpv6Message.SERVER_ID).orElseThrow());
  }

  private static Ipv6Prefix prefix(Dhcpv6Message answer) {
    return answer.associations().get(0).prefixes().get(0);
  }

  private static int status(List<Option> options) {
    return options.stream()
        .filter(option -> option.code() == Dhcpv6Message.STATUS_CODE)
        .map(option -> (int) option.data().getShort(0))
        .findFirst()
        .orElse(-1);
  }

  /** Solicit to Reply; returns the reply. */
  private Dhcpv6Message delegate() throws InterruptedException {
    Dhcpv6Message offer = ask(Dhcpv6Message.SOLICIT, CLIENT, wants(Dhcpv6Message.IA_PD));
    assertThat(offer.type()).isEqualTo(Dhcpv6Message.ADVERTISE);
    Dhcpv6Message reply =
        ask(
            Dhcpv6Message.REQUEST,
            CLIENT,
            server(offer),
            WANTS_DNS,
            offer.associations().get(0).toOption());
    assertThat(reply.type()).isEqualTo(Dhcpv6Message.REPLY);
    assertThat(prefix(reply)).isEqualTo(prefix(offer));
    return reply;
  }

  @Test
  void agreesOnDifferentInterfaceIdentifiersThatAreNotZero() throws Exception {
    BorderNetworkGateway isp = start(Ipv6Service.standard());
    client.dial();
    Heard request = client.next(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST);
    assertThat(request.options()).containsExactly(identifier(1));
    client.acknowledge(request);
    for (long bad : new long[] {0, 1}) {
      client.send(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST, (int) bad, identifier(bad));
      PppOption suggested = client.next(Ppp.IPV6CP, Negotiation.CONFIGURE_NAK).options().get(0);
      assertThat(suggested.data().getLong(0)).isNotIn(0L, 1L);
    }
    client.send(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST, 5);
    client.next(Ppp.IPV6CP, Negotiation.CONFIGURE_NAK); // it takes what it is not told
    PppOption compression = PppOption.ofShort(2, 0x4f);
    client.send(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST, 6, identifier(OURS.low()), compression);
    assertThat(client.next(Ppp.IPV6CP, Negotiation.CONFIGURE_REJECT).options())
        .containsExactly(compression);
    client.send(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST, 7, identifier(OURS.low()));
    client.next(Ppp.IPV6CP, Negotiation.CONFIGURE_ACK);
    Ipv6Opened opened = isp.awaitEvent(Ipv6Opened.class, PATIENCE);
    assertThat(opened.linkLocal()).isEqualTo(OURS.toInet());
    PppSession session = isp.awaitSession(PATIENCE);
    assertThat(session.awaitIpv6(PATIENCE)).isEqualTo(OURS.toInet());
    assertThat(session.ipv6Network()).contains(Ipv6Network.parse("2001:db8:1::/64"));
    assertThat(session.delegatedPrefixes()).isEmpty();
  }

  @Test
  void advertisesItselfOnTheLineAsRealIspsDo() throws Exception {
    start(Ipv6Service.standard().dns("2001:db8::53"));
    RouterAdvertisement news = dial();
    assertThat(news.router()).isEqualTo(ISP.toInet());
    assertThat(news.lifetime()).isEqualTo(Duration.ofMinutes(30));
    assertThat(news.managed()).isFalse();
    assertThat(news.otherConfiguration()).isTrue();
    assertThat(news.prefixes())
        .containsExactly(
            new RouterAdvertisement.Prefix(
                Ipv6Address.parse("2001:db8:1::").toInet(),
                64,
                true,
                true,
                Duration.ofHours(2),
                Duration.ofHours(1)));
    assertThat(news.nameServers())
        .extracting(RouterAdvertisement.NameServer::address)
        .containsExactly(Ipv6Address.parse("2001:db8::53").toInet());
    ByteBuffer solicitation = ByteBuffer.allocate(48);
    Ipv6.putHeader(solicitation, OURS, Ipv6Address.ALL_ROUTERS, Ipv6.ICMP, 255, 8);
    solicitation.putInt(Icmpv6.ROUTER_SOLICITATION << 24).putInt(0);
    int checksum = Ipv6.checksum(solicitation, 0, 40, 48, Ipv6.ICMP);
    client.send(Ppp.IPV6, solicitation.putShort(42, (short) checksum).flip());
    ByteBuffer answer = nextPacket(Ipv6.ICMP, Icmpv6.ROUTER_ADVERTISEMENT);
    while (Ipv6.destination(answer).isMulticast()) { // a later unsolicited one
      answer = nextPacket(Ipv6.ICMP, Icmpv6.ROUTER_ADVERTISEMENT);
    }
    assertThat(Ipv6.destination(answer)).isEqualTo(OURS);
  }

  @Test
  void advertisesItselfBeforeAddressesCeaseToBePreferred() throws Exception {
    start(Ipv6Service.standard().lifetimes(Duration.ofSeconds(1), Duration.ofSeconds(10)));
    dial();
    for (int i = 1; i < 6; i++) { // the first three come soon whatever the lifetimes are
      assertThat(advertisement().prefixes()).isNotEmpty();
    }
  }

  @Test
  void delegatesAPrefixAndRoutesIt() throws Exception {
    BorderNetworkGateway isp = start(Ipv6Service.standard().dns("2001:db8::53"));
    EthernetHost server =
        EthernetHost.on(WORLD).address("2001:db8::2/64").gateway("2001:db8::1").start(segments);
    dial();
    Dhcpv6Message reply = delegate();
    assertThat(prefix(reply)).hasToString("2001:db8:100::/56");
    Association held = reply.associations().get(0);
    assertThat(held.t1()).isEqualTo(1800);
    assertThat(held.t2()).isEqualTo(2880);
    assertThat(Ipv6Address.read(reply.find(Dhcpv6Message.DNS_SERVERS).orElseThrow(), 0))
        .hasToString("2001:db8::53");
    PppSession session = isp.awaitSession(PATIENCE);
    Ipv6Network prefix = Ipv6Network.parse("2001:db8:100::/56");
    assertThat(session.awaitDelegation(PATIENCE)).isEqualTo(prefix);
    assertThat(session.delegatedPrefixes()).containsExactly(prefix);
    assertThat(isp.awaitEvent(PrefixDelegated.class, PATIENCE).renewed()).isFalse();

    ping("2001:db8:100:ff::9", "2001:db8::2", 64, 100);
    ByteBuffer answer = nextPacket(Ipv6.ICMP, Icmpv6.ECHO_REPLY);
    assertThat(Ipv6.destination(answer)).hasToString("2001:db8:100:ff::9");
    assertThat(Ipv6.hopLimit(answer)).isEqualTo(63);
    assertThat(server.receivedPings()).singleElement().returns(63, ping -> ping.ttl());
    ping("2001:db8:1::9", "2001:db8::1", 64, 100); // from the line to the ISP itself
    assertThat(Ipv6.source(nextPacket(Ipv6.ICMP, Icmpv6.ECHO_REPLY))).hasToString("2001:db8::1");
  }

  @Test
  void renewsAndTakesBackWhatItDelegated() throws Exception {
    BorderNetworkGateway isp = start(Ipv6Service.standard());
    dial();
    Dhcpv6Message reply = delegate();
    Option held = reply.associations().get(0).toOption();
    assertThat(prefix(ask(Dhcpv6Message.RENEW, CLIENT, server(reply), held)))
        .isEqualTo(prefix(reply));
    isp.awaitEvent(event -> event instanceof PrefixDelegated d && d.renewed(), PATIENCE);
    assertThat(prefix(ask(Dhcpv6Message.REBIND, CLIENT, held))).isEqualTo(prefix(reply));
    Dhcpv6Message released = ask(Dhcpv6Message.RELEASE, CLIENT, server(reply), held);
    assertThat(status(released.options())).isEqualTo(Dhcpv6Message.SUCCESS);
    assertThat(isp.awaitEvent(PrefixReleased.class, PATIENCE).prefix())
        .hasToString("2001:db8:100::/56");
    Dhcpv6Message unknown = ask(Dhcpv6Message.RENEW, CLIENT, server(reply), held);
    assertThat(status(unknown.associations().get(0).options())).isEqualTo(Dhcpv6Message.NO_BINDING);
    // RFC 8415 section 18.3.5: what is not the client's is to be forgotten, with no time left.
    Option nothing = unknown.associations().get(0).options().get(0);
    assertThat(nothing.data().getLong(0)).isZero();
    ping("2001:db8:100::9", "2001:db8::1", 64, 10);
    assertThat(nextError(Icmpv6.UNREACHABLE)).isEqualTo("1/5 0 from 2001:db8::1");
  }

  @Test
  void answersEveryOtherQuestionOfDhcp() throws Exception {
    start(Ipv6Service.standard().dns("2001:db8::53", "2001:db8::54").leaseAddresses());
    RouterAdvertisement news = dial();
    assertThat(news.managed()).isTrue();
    assertThat(news.prefixes()).singleElement().returns(false, prefix -> prefix.autonomous());
    Dhcpv6Message info = ask(Dhcpv6Message.INFORMATION_REQUEST, WANTS_DNS);
    assertThat(info.find(Dhcpv6Message.DNS_SERVERS).orElseThrow().remaining()).isEqualTo(32);
    Dhcpv6Message rapid =
        ask(
            Dhcpv6Message.SOLICIT,
            CLIENT,
            Option.of(Dhcpv6Message.RAPID_COMMIT),
            wants(Dhcpv6Message.IA_PD),
            wants(Dhcpv6Message.IA_NA));
    assertThat(rapid.type()).isEqualTo(Dhcpv6Message.REPLY);
    assertThat(rapid.find(Dhcpv6Message.RAPID_COMMIT)).isPresent();
    assertThat(prefix(rapid)).hasToString("2001:db8:100::/56");
    Ipv6Prefix address = rapid.associations().get(1).prefixes().get(0);
    assertThat(address).hasToString("2001:db8:1::100/128");
    Option holding = Dhcpv6Message.holding(Dhcpv6Message.IA_NA, address, 1, 1);
    Option foreign =
        Dhcpv6Message.holding(Dhcpv6Message.IA_NA, Ipv6Prefix.parse("2001:db8:dead::1/128"), 1, 1);
    assertThat(
            status(
                ask(Dhcpv6Message.CONFIRM, CLIENT, wants(Dhcpv6Message.IA_NA, holding)).options()))
        .isEqualTo(Dhcpv6Message.SUCCESS);
    assertThat(
            status(
                ask(Dhcpv6Message.CONFIRM, CLIENT, wants(Dhcpv6Message.IA_NA, foreign)).options()))
        .isEqualTo(Dhcpv6Message.NOT_ON_LINK);
    assertThat(
            status(
                ask(
                        Dhcpv6Message.DECLINE,
                        CLIENT,
                        server(info),
                        wants(Dhcpv6Message.IA_NA, holding))
                    .options()))
        .isEqualTo(Dhcpv6Message.SUCCESS);
    // RFC 8415 section 16: these are discarded, and the next is answered.
    say(Dhcpv6Message.REQUEST, CLIENT, wants(Dhcpv6Message.IA_PD)); // without a server
    say(Dhcpv6Message.SOLICIT, wants(Dhcpv6Message.IA_PD)); // without a client
    say(Dhcpv6Message.SOLICIT, CLIENT, server(info)); // with a server
    say(Dhcpv6Message.CONFIRM, CLIENT); // about nothing
    say(Dhcpv6Message.REPLY, CLIENT, server(info));
    ask(Dhcpv6Message.INFORMATION_REQUEST);
  }

  @Test
  void saysThatThereIsNothingLeftToDelegate() throws Exception {
    start(Ipv6Service.standard().delegate("2001:db8:200::/48", 48));
    dial();
    assertThat(prefix(delegate())).hasToString("2001:db8:200::/48");
    Option other = Option.of(Dhcpv6Message.CLIENT_ID, (byte) 9);
    Dhcpv6Message none = ask(Dhcpv6Message.SOLICIT, other, wants(Dhcpv6Message.IA_PD));
    assertThat(none.type()).isEqualTo(Dhcpv6Message.ADVERTISE);
    assertThat(status(none.associations().get(0).options()))
        .isEqualTo(Dhcpv6Message.NO_PREFIX_AVAILABLE);
    Dhcpv6Message address = ask(Dhcpv6Message.SOLICIT, other, wants(Dhcpv6Message.IA_NA));
    assertThat(status(address.associations().get(0).options()))
        .isEqualTo(Dhcpv6Message.NO_ADDRESS_AVAILABLE);
  }

  @Test
  void givesAPrefixBackWhenTheSessionEnds() throws Exception {
    BorderNetworkGateway isp = start(Ipv6Service.standard());
    dial();
    delegate();
    PppSession session = isp.awaitSession(PATIENCE);
    session.drop();
    isp.awaitEvent(PrefixReleased.class, PATIENCE);
    assertThat(session.delegatedPrefixes()).isEmpty();
    client.forget();
    dial();
    assertThat(prefix(delegate())).hasToString("2001:db8:100::/56");
  }

  @Test
  void reportsWhatItDoesNotForward() throws Exception {
    start(Ipv6Service.standard());
    EthernetHost server =
        EthernetHost.on(WORLD).address("2001:db8::2/64").gateway("2001:db8::1").start(segments);
    dial();
    ping("2001:db8:1::9", "2001:db8::2", 1, 10);
    assertThat(nextError(Icmpv6.TIME_EXCEEDED)).isEqualTo("3/0 0 from 2001:db8::1");
    ping("2001:db8:100::1", "2001:db8::2", 64, 10); // not delegated: RFC 2827
    assertThat(nextError(Icmpv6.UNREACHABLE)).isEqualTo("1/5 0 from 2001:db8::1");
    ping(OURS.toString(), "2001:db8::2", 64, 10);
    assertThat(nextError(Icmpv6.UNREACHABLE)).isEqualTo("1/2 0 from fe80::1");
    ping("2001:db8:1::9", "2001:db8:1ff::1", 64, 10);
    assertThat(nextError(Icmpv6.UNREACHABLE)).isEqualTo("1/0 0 from 2001:db8::1");
    ping("2001:db8:1::9", "2600::1", 64, 10);
    assertThat(nextError(Icmpv6.UNREACHABLE)).isEqualTo("1/0 0 from 2001:db8::1");
    ping("2001:db8:1::9", "2001:db8::77", 64, 10); // after three seconds
    assertThat(nextError(Icmpv6.UNREACHABLE)).isEqualTo("1/3 0 from 2001:db8::1");
    assertThatThrownBy(() -> server.ping("2001:db8:150::1", PATIENCE))
        .isInstanceOf(PingFailedException.class)
        .hasMessageContaining("no route to the destination");
    assertThat(server.receivedPings()).isEmpty();
  }

  @Test
  void tellsTheWorldWhatALineCarries() throws Exception {
    start(Ipv6Service.standard());
    EthernetHost server =
        EthernetHost.on(WORLD).address("2001:db8::2/64").gateway("2001:db8::1").start(segments);
    dial();
    var endpoint = server.bind(9, (payload, source, port) -> {});
    InetSocketAddress to = new InetSocketAddress("2001:db8:1::9", 9);
    endpoint.send(ByteBuffer.allocate(1452), to); // 1500 bytes, and the line has 1492
    server.ping("2001:db8::1", PATIENCE); // the report has come by then
    endpoint.send(ByteBuffer.allocate(1452), to);
    List<Integer> lengths = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      lengths.add(nextPacket(Ipv6.FRAGMENT, 0).remaining());
    }
    assertThat(lengths).allMatch(length -> length <= 1492);
  }

  private void authenticate() throws Exception {
    client.connect();
    client.openLcp();
    client.respond("db123@a.1", "NotReallyTheSecret");
  }

  /** A slow client would run its script for IPv6 before it goes on with IPv4. */
  @Test
  void answersAtOnceButAsksForIpv6OnceIpv4IsAgreedOn() throws Exception {
    start(Ipv6Service.standard());
    authenticate();
    client.send(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST, 1, identifier(OURS.low()));
    Heard first = client.next(packet -> packet.protocol() == Ppp.IPV6CP);
    assertThat(first.is(Ppp.IPV6CP, Negotiation.CONFIGURE_ACK)).as("%s", first).isTrue();
    client.openIpcp();
    client.acknowledge(client.next(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST));
    advertisement();
  }

  @Test
  void asksForIpv6ThoughTheClientIsSilentAboutIpv4() throws Exception {
    start(Ipv6Service.standard());
    authenticate();
    openIpv6();
  }

  /** RFC 1661 section 2: each network control protocol for itself. */
  @Test
  void keepsALinkAsLongAsOneOfItsNetworksIsLeft() throws Exception {
    BorderNetworkGateway isp = start(Ipv6Service.standard());
    authenticate();
    client.next(Ppp.CHAP, 3);
    ByteBuffer rejected = Ppp.begin(Lcp.PROTOCOL_REJECT, 9, 2).putShort((short) Ppp.IPCP);
    client.send(Ppp.LCP, Ppp.finish(rejected));
    openIpv6();
    delegate();
    ping("2001:db8:100::1", "2001:db8::1", 64, 10);
    nextPacket(Ipv6.ICMP, Icmpv6.ECHO_REPLY);
    assertThat(isp.sessions()).isEmpty(); // of IPv4
    client.send(Ppp.IPV6CP, Negotiation.TERMINATE_REQUEST, 1);
    SessionTerminated end = isp.awaitEvent(SessionTerminated.class, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.CLIENT);
    assertThat(end.detail()).startsWith("IPV6CP ended");
  }

  @Test
  void keepsIpv4WhenTheClientKnowsNoIpv6() throws Exception {
    BorderNetworkGateway isp = start(Ipv6Service.standard());
    client.dial();
    ByteBuffer rejected = Ppp.begin(Lcp.PROTOCOL_REJECT, 9, 2).putShort((short) Ppp.IPV6CP);
    client.send(Ppp.LCP, Ppp.finish(rejected));
    PppSession session = isp.awaitSession(PATIENCE);
    assertThatThrownBy(() -> session.awaitIpv6(Duration.ofMillis(50)))
        .hasMessageContaining("No IPv6 in PppSession[1");
    assertThat(isp.sessions()).containsExactly(session);
    client.send(Ppp.IPCP, Negotiation.TERMINATE_REQUEST, 1);
    assertThat(isp.awaitEvent(SessionTerminated.class, PATIENCE).reason()).isEqualTo(Reason.CLIENT);
  }

  @Test
  void canDoWithoutIpv6() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().withoutIpv6().start(segments);
    client.dial();
    client.send(Ppp.IPV6CP, Negotiation.CONFIGURE_REQUEST, 1, identifier(OURS.low()));
    assertThat(client.next(Ppp.LCP, Lcp.PROTOCOL_REJECT).data().getShort(0))
        .isEqualTo((short) Ppp.IPV6CP);
    PppSession session = isp.awaitSession(PATIENCE);
    assertThatThrownBy(() -> session.awaitIpv6(PATIENCE))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("start the ISP with ipv6");
    EthernetHost host = EthernetHost.on(WORLD).start(segments);
    assertThatThrownBy(() -> host.awaitIpv6Address(Duration.ofMillis(300)))
        .hasMessageContaining("No such IPv6 address");
  }

  @Test
  void givesHostsOfTheWorldTheirAddresses() {
    start(Ipv6Service.standard());
    EthernetHost host = EthernetHost.on(WORLD).start(segments);
    assertThat(Ipv6Network.parse("2001:db8::/64").contains(host.awaitIpv6Address(PATIENCE)))
        .isTrue();
    assertThat(host.ping("2001:db8::1", PATIENCE).ttl()).isEqualTo(64);
    assertThatThrownBy(() -> host.ping("2001:db8:100::1", PATIENCE))
        .hasMessageContaining("no route");
  }

  @Test
  void rejectsMisuseAtOnce() {
    assertThatThrownBy(() -> Ipv6Service.standard().delegate("2001:db8::1/40", 56))
        .hasMessageContaining("write 2001:db8::/40");
    assertThatThrownBy(() -> Ipv6Service.standard().delegate("2001:db8::/32", 56))
        .hasMessageContaining("40 to 56");
    assertThatThrownBy(() -> Ipv6Service.standard().delegate("2001:db8::/60", 80))
        .hasMessageContaining("up to 64");
    assertThatThrownBy(
            () -> Ipv6Service.standard().lifetimes(Duration.ofHours(2), Duration.ofHours(1)))
        .hasMessageContaining("at most the valid one");
    assertThatThrownBy(() -> Ipv6Service.standard().worldAddress("fe80::1/64"))
        .hasMessageContaining("the world could use");
    Ipv6Service nested = Ipv6Service.standard().delegate("2001:db8:1:100::/56", 64);
    assertThatThrownBy(() -> BorderNetworkGateway.likeLiminix().ipv6(nested))
        .hasMessageContaining("2001:db8:1:100::/56")
        .hasMessageContaining("2001:db8:1::/48")
        .hasMessageContaining("choose two that do not");
    Ipv6Service ofTheWorld = Ipv6Service.standard().worldAddress("2001:db8:1:7::1/64");
    assertThatThrownBy(() -> BorderNetworkGateway.likeLiminix().ipv6(ofTheWorld))
        .hasMessageContaining("sessions 2001:db8:1::/48 and worldAddress 2001:db8:1:7::1/64");
    BorderNetworkGateway.likeLiminix().ipv6(nested.withoutDelegation());
    assertThatThrownBy(
            () -> BorderNetworkGateway.likeLiminix().withoutIpv6().ipv6(Ipv6Service.standard()))
        .hasMessageContaining("leave out one");
    assertThatThrownBy(
            () -> BorderNetworkGateway.likeLiminix().ipv6(Ipv6Service.standard()).withoutIpv6())
        .hasMessageContaining("leave out one");
  }
}
