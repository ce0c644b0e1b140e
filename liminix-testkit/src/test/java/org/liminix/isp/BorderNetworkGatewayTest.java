package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.WORLD;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.liminix.isp.FakeClient.Heard;
import org.liminix.isp.IspEvent.AuthenticationFailed;
import org.liminix.isp.IspEvent.Discovery;
import org.liminix.isp.IspEvent.Reason;
import org.liminix.isp.IspEvent.SessionTerminated;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.EthernetHost;
import org.liminix.net.MacAddress;
import org.liminix.net.Segments;
import org.liminix.net.internal.Ipv4;
import org.liminix.process.WaitTimeoutException;

class BorderNetworkGatewayTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int LOCAL = Ipv4.parse("192.168.100.1");

  private final Segments segments = Segments.isolated();
  private final FakeClient client = new FakeClient(segments);

  @AfterEach
  void close() {
    segments.close();
  }

  private BorderNetworkGateway start() {
    return BorderNetworkGateway.likeLiminix().start(segments);
  }

  private static Tag service(String name) {
    return Tag.of(Pppoe.SERVICE_NAME, name);
  }

  @Test
  void offersItsServiceAndEchoesWhatTheClientAndRelaysNeed() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.likeLiminix().acName("exchange").serviceName("fibre").start(segments);
    client.discover(
        MacAddress.BROADCAST,
        Pppoe.PADI,
        0,
        service(""),
        Tag.of(Pppoe.HOST_UNIQ, "uniq"),
        Tag.of(Pppoe.RELAY_SESSION_ID, "relay"));
    Heard offer = client.nextDiscovery(Pppoe.PADO);
    assertThat(offer.sessionId()).isZero();
    assertThat(offer.tag(Pppoe.AC_NAME)).isEqualTo("exchange");
    assertThat(offer.tag(Pppoe.HOST_UNIQ)).isEqualTo("uniq");
    assertThat(offer.tag(Pppoe.RELAY_SESSION_ID)).isEqualTo("relay");
    assertThat(offer.tags()).contains(service(""), service("fibre"));
    Discovery event = isp.awaitEvent(Discovery.class, PATIENCE);
    assertThat(event.peer()).isEqualTo(client.mac);
    assertThat(event.offered()).isTrue();
  }

  @Test
  void staysSilentToAClientThatWantsAnotherService() throws Exception {
    BorderNetworkGateway isp = start();
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, service("television"));
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0); // and to one that names none
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, service("internet"));
    assertThat(client.next().tags()).contains(service("internet"));
    assertThat(client.peek()).isNull();
    assertThat(isp.awaitEvent(Discovery.class, PATIENCE).offered()).isFalse();
  }

  @Test
  void refusesASessionForAnotherService() throws Exception {
    start();
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, service(""));
    Tag cookie = Pppoe.find(client.nextDiscovery(Pppoe.PADO).tags(), Pppoe.AC_COOKIE).orElseThrow();
    client.discover(client.isp, Pppoe.PADR, 0, service("television"), cookie);
    Heard refusal = client.nextDiscovery(Pppoe.PADS);
    assertThat(refusal.sessionId()).isZero();
    assertThat(refusal.tag(Pppoe.SERVICE_NAME_ERROR)).isNotEqualTo("(none)");
  }

  @Test
  void givesNoSessionToAClientThatNeverSawItsOffer() throws Exception {
    start();
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, service(""));
    Heard offer = client.nextDiscovery(Pppoe.PADO);
    Tag forged = Tag.of(Pppoe.AC_COOKIE, "0123456789abcdef");
    client.discover(client.isp, Pppoe.PADR, 0, service(""), forged);
    client.discover(client.isp, Pppoe.PADR, 0, service(""));
    client.request(offer, Tag.of(Pppoe.HOST_UNIQ, "me"));
    assertThat(client.nextDiscovery(Pppoe.PADS).tag(Pppoe.HOST_UNIQ)).isEqualTo("me");
  }

  @Test
  void givesTheSameSessionToAClientThatMissedTheAnswer() throws Exception {
    start();
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, service(""));
    Heard offer = client.nextDiscovery(Pppoe.PADO);
    client.request(offer, Tag.of(Pppoe.HOST_UNIQ, "one"));
    client.request(offer, Tag.of(Pppoe.HOST_UNIQ, "one"));
    client.request(offer, Tag.of(Pppoe.HOST_UNIQ, "two"));
    assertThat(client.nextDiscovery(Pppoe.PADS).sessionId()).isEqualTo(1);
    assertThat(client.nextDiscovery(Pppoe.PADS).sessionId()).isEqualTo(1);
    assertThat(client.nextDiscovery(Pppoe.PADS).sessionId()).isEqualTo(2);
  }

  @Test
  void repeatsItsFirstRequestUntilTheClientSpeaks() throws Exception {
    start();
    client.connect();
    Heard first = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    for (int i = 0; i < 5; i++) {
      Heard again = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
      assertThat(again.ppp()).isEqualTo(first.ppp()); // identifier and all
    }
    assertThat(client.dialRest()).isEqualTo(Ipv4.parse("192.168.100.10"));
  }

  @Test
  void repeatsItsRequestBeforeItAcknowledgesTheClients() throws Exception {
    start();
    client.connect();
    client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    segments.loop().call(client::forget);
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1, PppOption.ofShort(Lcp.MRU, 1492));
    Heard acknowledgement = null;
    Heard before = null;
    while (acknowledgement == null) {
      Heard heard = client.next();
      if (heard.is(Ppp.LCP, Negotiation.CONFIGURE_ACK)) {
        acknowledgement = heard;
      } else {
        before = heard;
      }
    }
    assertThat(before).isNotNull();
    assertThat(before.is(Ppp.LCP, Negotiation.CONFIGURE_REQUEST)).isTrue();
  }

  @Test
  void ignoresStaleAndSecondAcknowledgements() throws Exception {
    start();
    client.connect();
    Heard request = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    ByteBuffer stale =
        Ppp.packet(Negotiation.CONFIGURE_ACK, request.identifier() + 1, request.data());
    ByteBuffer altered =
        Ppp.packet(Negotiation.CONFIGURE_ACK, request.identifier(), ByteBuffer.allocate(0));
    client.send(Ppp.LCP, stale);
    client.send(Ppp.LCP, altered);
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1);
    client.next(Ppp.LCP, Negotiation.CONFIGURE_ACK);
    ByteBuffer noMagic = ByteBuffer.allocate(4);
    client.send(Ppp.LCP, Ppp.packet(Lcp.ECHO_REQUEST, 1, noMagic)); // not open yet: no reply
    client.acknowledge(request);
    client.acknowledge(request);
    client.send(Ppp.LCP, Ppp.packet(Lcp.ECHO_REQUEST, 2, noMagic));
    client.respond("db123@a.1", "NotReallyTheSecret");
    assertThat(client.next(Ppp.LCP, Lcp.ECHO_REPLY).identifier()).isEqualTo(2);
    client.next(Ppp.CHAP, 3);
    client.openIpcp();
  }

  @Test
  void rejectsWhatMakesNoSenseOverEthernet() throws Exception {
    start();
    client.connect();
    client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    PppOption accm = PppOption.ofInt(2, 0);
    PppOption pfc = PppOption.of(7);
    PppOption acfc = PppOption.of(8);
    client.send(
        Ppp.LCP,
        Negotiation.CONFIGURE_REQUEST,
        9,
        PppOption.ofShort(Lcp.MRU, 1492),
        accm,
        PppOption.ofInt(Lcp.MAGIC_NUMBER, 42),
        pfc,
        acfc);
    Heard reject = client.next(Ppp.LCP, Negotiation.CONFIGURE_REJECT);
    assertThat(reject.identifier()).isEqualTo(9);
    assertThat(reject.options()).containsExactly(accm, pfc, acfc);
  }

  @Test
  void suggestsAnMruThatFitsAndTellsALoopedLine() throws Exception {
    start();
    client.connect();
    Heard request = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    PppOption magic =
        request.options().stream()
            .filter(option -> option.type() == Lcp.MAGIC_NUMBER)
            .findFirst()
            .orElseThrow();
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1, PppOption.ofShort(Lcp.MRU, 1500), magic);
    List<PppOption> suggested = client.next(Ppp.LCP, Negotiation.CONFIGURE_NAK).options();
    assertThat(suggested).hasSize(1);
    assertThat(suggested.get(0).type()).isEqualTo(Lcp.MAGIC_NUMBER);
    assertThat(suggested.get(0)).isNotEqualTo(magic);
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 2, PppOption.ofShort(Lcp.MRU, 1500));
    assertThat(client.next(Ppp.LCP, Negotiation.CONFIGURE_NAK).options())
        .containsExactly(PppOption.ofShort(Lcp.MRU, 1492));
  }

  /** RFC 4638; what the client's Ethernet takes, the ISP's limit, and what they agree on. */
  @ParameterizedTest
  @CsvSource({"1500, 1500, 1500", "9000, 1500, 1500", "1500, 4000, 1500", "9000, 4000, 4000"})
  void carriesLongerPacketsForAClientWhoseEthernetDoes(int wanted, int limit, int agreed)
      throws Exception {
    BorderNetworkGateway.likeLiminix().maxPayload(limit).start(segments);
    Tag want = Tag.ofShort(Pppoe.MAX_PAYLOAD, wanted);
    Tag agree = Tag.ofShort(Pppoe.MAX_PAYLOAD, agreed);
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, service(""), want);
    Heard offer = client.nextDiscovery(Pppoe.PADO);
    assertThat(offer.tags()).contains(agree);
    Tag cookie = Pppoe.find(offer.tags(), Pppoe.AC_COOKIE).orElseThrow();
    client.discover(client.isp, Pppoe.PADR, 0, service(""), cookie, want);
    Heard session = client.nextDiscovery(Pppoe.PADS);
    assertThat(session.tags()).contains(agree);
    client.sessionId = session.sessionId();
    Heard request = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    assertThat(request.options()).contains(PppOption.ofShort(Lcp.MRU, agreed));
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1, PppOption.ofShort(Lcp.MRU, agreed + 1));
    assertThat(client.next(Ppp.LCP, Negotiation.CONFIGURE_NAK).options())
        .containsExactly(PppOption.ofShort(Lcp.MRU, agreed));
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 2, PppOption.ofShort(Lcp.MRU, agreed));
    client.next(Ppp.LCP, Negotiation.CONFIGURE_ACK);
  }

  @Test
  void promisesNoLongerPacketsThanItsEthernetOrTheClientsTake() throws Exception {
    BorderNetworkGateway.likeLiminix().maxPayload(1492).start(segments);
    Tag want = Tag.ofShort(Pppoe.MAX_PAYLOAD, 1500);
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, service(""), want);
    assertThat(client.nextDiscovery(Pppoe.PADO).tag(Pppoe.MAX_PAYLOAD)).isEqualTo("(none)");
  }

  @Test
  void promisesNothingToAClientThatWantsLessOrNonsense() throws Exception {
    start();
    for (Tag want :
        new Tag[] {
          Tag.ofShort(Pppoe.MAX_PAYLOAD, 1400),
          Tag.of(Pppoe.MAX_PAYLOAD, ""),
          Tag.of(Pppoe.MAX_PAYLOAD, "long")
        }) {
      client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, service(""), want);
      assertThat(client.nextDiscovery(Pppoe.PADO).tag(Pppoe.MAX_PAYLOAD)).isEqualTo("(none)");
    }
  }

  @Test
  void fallsBackToPapForAClientThatRefusesChap() throws Exception {
    BorderNetworkGateway isp = start();
    client.connect();
    Heard request = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    assertThat(request.options()).contains(AuthMethod.CHAP_MD5.option());
    client.send(Ppp.LCP, Negotiation.CONFIGURE_NAK, request.identifier(), AuthMethod.PAP.option());
    Heard second =
        client.next(
            heard ->
                heard.is(Ppp.LCP, Negotiation.CONFIGURE_REQUEST)
                    && heard.options().contains(AuthMethod.PAP.option()));
    assertThat(second.identifier()).isNotEqualTo(request.identifier());
    client.acknowledge(second);
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1);
    client.next(Ppp.LCP, Negotiation.CONFIGURE_ACK);
    client.pap("db123@a.1", "NotReallyTheSecret");
    client.next(Ppp.PAP, 2);
    client.openIpcp();
    assertThat(isp.awaitSession(PATIENCE).user()).isEqualTo("db123@a.1");
  }

  @Test
  void endsALinkOnWhichNobodyWantsToAuthenticate() throws Exception {
    BorderNetworkGateway isp = start();
    client.connect();
    Heard request = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    client.send(
        Ppp.LCP, Negotiation.CONFIGURE_REJECT, request.identifier(), AuthMethod.CHAP_MD5.option());
    client.nextDiscovery(Pppoe.PADT);
    assertThat(isp.awaitEvent(SessionTerminated.class, PATIENCE).reason())
        .isEqualTo(Reason.NEGOTIATION);
  }

  @Test
  void recordsWhoFailedToAuthenticateAndHangsUp() throws Exception {
    BorderNetworkGateway isp = start();
    client.connect();
    client.openLcp();
    client.respond("db123@a.1", "guess");
    client.next(Ppp.CHAP, 4);
    Heard terminate = client.next(Ppp.LCP, Negotiation.TERMINATE_REQUEST);
    client.send(Ppp.LCP, Negotiation.TERMINATE_ACK, terminate.identifier());
    client.nextDiscovery(Pppoe.PADT);
    AuthenticationFailed failure = isp.awaitEvent(AuthenticationFailed.class, PATIENCE);
    assertThat(failure.user()).isEqualTo("db123@a.1");
    assertThat(failure.reason()).isEqualTo("wrong secret");
    assertThat(failure.peer()).isEqualTo(client.mac);
    assertThat(isp.sessions()).isEmpty();
    assertThat(isp.awaitEvent(SessionTerminated.class, PATIENCE).reason())
        .isEqualTo(Reason.AUTHENTICATION);
  }

  @Test
  void givesNoAddressBeforeTheClientIsKnown() throws Exception {
    start();
    client.connect();
    client.openLcp();
    client.send(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST, 1, PppOption.ofInt(Ipcp.IP_ADDRESS, 0));
    client.respond("db123@a.1", "NotReallyTheSecret");
    Heard heard = client.next(packet -> packet.protocol() != Ppp.LCP);
    assertThat(heard.protocol()).isEqualTo(Ppp.CHAP);
  }

  @Test
  void tellsNameServersAndRejectsCompression() throws Exception {
    BorderNetworkGateway.likeLiminix().dns("10.0.2.53").start(segments);
    client.connect();
    client.openLcp();
    client.respond("db123@a.1", "NotReallyTheSecret");
    PppOption vanJacobson = PppOption.ofInt(2, 0x002d_0f01);
    PppOption address = PppOption.ofInt(Ipcp.IP_ADDRESS, 0);
    PppOption first = PppOption.ofInt(Ipcp.PRIMARY_DNS, 0);
    PppOption second = PppOption.ofInt(Ipcp.SECONDARY_DNS, 0);
    client.send(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST, 1, vanJacobson, address, first, second);
    assertThat(client.next(Ppp.IPCP, Negotiation.CONFIGURE_REJECT).options())
        .containsExactly(vanJacobson);
    client.send(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST, 2, address, first, second);
    int server = Ipv4.parse("10.0.2.53");
    assertThat(client.next(Ppp.IPCP, Negotiation.CONFIGURE_NAK).options())
        .containsExactly(
            PppOption.ofInt(Ipcp.IP_ADDRESS, Ipv4.parse("192.168.100.10")),
            PppOption.ofInt(Ipcp.PRIMARY_DNS, server),
            PppOption.ofInt(Ipcp.SECONDARY_DNS, server));
  }

  @Test
  void rejectsProtocolsItDoesNotSpeakAndCodesItDoesNotKnow() throws Exception {
    start();
    client.dial();
    ByteBuffer ccp = Ppp.packet(1, 1, "xx");
    client.send(0x80fd, ccp.duplicate());
    ByteBuffer rejected = client.next(Ppp.LCP, Lcp.PROTOCOL_REJECT).data();
    assertThat(rejected.getShort()).isEqualTo((short) 0x80fd);
    assertThat(rejected).isEqualTo(ccp);
    client.send(Ppp.LCP, 99, 3);
    assertThat(client.next(Ppp.LCP, Negotiation.CODE_REJECT).data().get(0)).isEqualTo((byte) 99);
  }

  @Test
  void answersEchoRequestsAndEndsTheSessionOfAClientThatDoesNot() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.likeLiminix().echo(Duration.ofMillis(500), 3).start(segments);
    client.dial();
    client.send(Ppp.LCP, Ppp.packet(Lcp.ECHO_REQUEST, 77, "\0\0\0\0data"));
    Heard reply = client.next(Ppp.LCP, Lcp.ECHO_REPLY);
    assertThat(reply.identifier()).isEqualTo(77);
    assertThat(reply.data().position(4))
        .isEqualTo(ByteBuffer.wrap("data".getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    client.next(Ppp.LCP, Lcp.ECHO_REQUEST);
    client.nextDiscovery(Pppoe.PADT);
    assertThat(isp.awaitEvent(SessionTerminated.class, PATIENCE).reason())
        .isEqualTo(Reason.SILENCE);
    assertThat(isp.sessions()).isEmpty();
  }

  @Test
  void freesTheSessionWhenTheClientTerminatesOrSendsAPadt() throws Exception {
    BorderNetworkGateway isp = start();
    int address = client.dial();
    client.send(Ppp.LCP, Ppp.packet(Negotiation.TERMINATE_REQUEST, 5, "User request"));
    assertThat(client.next(Ppp.LCP, Negotiation.TERMINATE_ACK).identifier()).isEqualTo(5);
    SessionTerminated end = isp.awaitEvent(SessionTerminated.class, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.CLIENT);
    assertThat(end.detail()).contains("User request");

    client.forget();
    assertThat(client.dial()).isEqualTo(address);
    client.discover(client.isp, Pppoe.PADT, client.sessionId);
    assertThat(
            isp.awaitEvent(
                event -> event instanceof SessionTerminated last && last.sessionId() == 2,
                PATIENCE))
        .isNotNull();
    assertThat(isp.sessions()).isEmpty();
  }

  @Test
  void ignoresAPadtThatAnotherStationSendsForTheSession() throws Exception {
    BorderNetworkGateway isp = start();
    client.dial();
    FakeClient stranger = new FakeClient(segments);
    stranger.discover(client.isp, Pppoe.PADT, client.sessionId);
    client.ping(Ipv4.parse("192.168.100.10"), LOCAL, 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("0/0 from 192.168.100.1");
    assertThat(isp.sessions()).hasSize(1);
  }

  @Test
  void tellsAClientThatItsSessionIsGone() throws Exception {
    BorderNetworkGateway isp = start();
    int address = client.dial();
    isp.awaitSession(PATIENCE).drop();
    client.nextDiscovery(Pppoe.PADT);
    client.ping(address, LOCAL, 64, 8);
    assertThat(client.nextDiscovery(Pppoe.PADT).sessionId()).isEqualTo(client.sessionId);
  }

  @Test
  void terminatesInOrderAndThenSendsAPadt() throws Exception {
    BorderNetworkGateway isp = start();
    client.dial();
    PppSession session = isp.awaitSession(PATIENCE);
    session.terminate();
    assertThat(session.state()).isEqualTo(PppSession.State.TERMINATING);
    assertThat(isp.sessions()).isEmpty();
    Heard request = client.next(Ppp.LCP, Negotiation.TERMINATE_REQUEST);
    client.send(Ppp.LCP, Negotiation.TERMINATE_ACK, request.identifier());
    client.nextDiscovery(Pppoe.PADT);
    assertThat(isp.awaitEvent(SessionTerminated.class, PATIENCE).reason()).isEqualTo(Reason.ISP);
    assertThat(session.state()).isEqualTo(PppSession.State.CLOSED);
    session.terminate();
    session.drop();
  }

  @Test
  void hangsUpOnEverybodyWhenItCloses() throws Exception {
    BorderNetworkGateway isp = start();
    client.dial();
    isp.close();
    isp.close();
    client.nextDiscovery(Pppoe.PADT);
    assertThat(isp.sessions()).isEmpty();
  }

  @Test
  void refusesClientsWhenThePoolIsEmptyUntilAnAddressIsFree() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.likeLiminix().pool("10.1.1.1", "10.1.1.1").start(segments);
    client.dial();
    FakeClient second = new FakeClient(segments);
    second.connect();
    second.openLcp();
    second.respond("db123@a.1", "NotReallyTheSecret");
    second.next(Ppp.LCP, Negotiation.TERMINATE_REQUEST);
    isp.awaitSession(PATIENCE).drop();
    FakeClient third = new FakeClient(segments);
    assertThat(third.dial()).isEqualTo(Ipv4.parse("10.1.1.1"));
  }

  @Test
  void letsClientsNegotiateAnew() throws Exception {
    BorderNetworkGateway isp = start();
    int address = client.dial();
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 9);
    Heard request = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    client.next(Ppp.LCP, Negotiation.CONFIGURE_ACK);
    assertThat(isp.sessions()).isEmpty();
    client.acknowledge(request);
    client.respond("db123@a.1", "NotReallyTheSecret");
    client.next(Ppp.CHAP, 3);
    assertThat(client.openIpcp()).isEqualTo(address);
    assertThat(isp.sessions()).hasSize(1);
  }

  @Test
  void routesBetweenClientsAndTheWorldAndReportsWhatItCannot() throws Exception {
    start();
    EthernetHost server =
        EthernetHost.on(WORLD).address("10.0.2.2/24").gateway("10.0.2.1").start(segments);
    int address = client.dial();
    client.ping(address, Ipv4.parse("10.0.2.2"), 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("0/0 from 10.0.2.2");
    assertThat(server.receivedPings().get(0).ttl()).isEqualTo(63);
    client.ping(address, LOCAL, 1, 8);
    assertThat(client.nextIcmp()).isEqualTo("0/0 from 192.168.100.1");
    client.ping(address, Ipv4.parse("10.0.2.2"), 1, 8);
    assertThat(client.nextIcmp()).isEqualTo("11/0 from 192.168.100.1");
    client.ping(address, Ipv4.parse("192.168.100.50"), 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("3/1 from 192.168.100.1");
    client.ping(address, Ipv4.parse("8.8.8.8"), 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("3/0 from 192.168.100.1");
    client.ping(address, Ipv4.parse("10.0.2.99"), 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("3/1 from 192.168.100.1");

    FakeClient neighbour = new FakeClient(segments);
    int other = neighbour.dial();
    client.ping(address, other, 64, 8);
    ByteBuffer packet = neighbour.next(Ppp.IPV4, 0).ppp();
    assertThat(Ipv4.ttl(packet)).isEqualTo(63);
  }

  @Test
  void routesNothingWithASourceThatIsNotTheClients() throws Exception {
    start();
    EthernetHost server =
        EthernetHost.on(WORLD).address("10.0.2.2/24").gateway("10.0.2.1").start(segments);
    int address = client.dial();
    client.ping(Ipv4.parse("192.168.19.50"), Ipv4.parse("10.0.2.2"), 64, 8);
    client.ping(address, Ipv4.parse("10.0.2.2"), 64, 8);
    client.nextIcmp();
    assertThat(server.receivedPings())
        .extracting(ping -> ping.source().getHostAddress())
        .containsExactly("192.168.100.10");
  }

  @Test
  void saysWhatHappenedWhenNoSessionCame() {
    BorderNetworkGateway isp = start();
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, service("television"));
    isp.awaitEvent(Discovery.class, PATIENCE);
    assertThatThrownBy(() -> isp.awaitSession(Duration.ofMillis(50)))
        .isInstanceOf(WaitTimeoutException.class)
        .hasMessageContainingAll("PPP session", "50 ms", "television");
  }

  @Test
  void rejectsMisuseOfItsBuilderAtOnce() {
    BorderNetworkGatewayBuilder builder = BorderNetworkGateway.likeLiminix();
    assertThatThrownBy(() -> builder.account("db123@a.1", "x")).hasMessageContaining("db123@a.1");
    assertThatThrownBy(() -> builder.pool("10.0.0.9", "10.0.0.1")).hasMessageContaining("swap");
    assertThatThrownBy(() -> builder.dns()).hasMessageContaining("one or two");
    assertThatThrownBy(() -> builder.localAddress("example.org")).hasMessageContaining("192.168");
    assertThatThrownBy(() -> builder.echo(Duration.ZERO, 1)).hasMessageContaining("positive");
    assertThatThrownBy(() -> builder.authentication(AuthMethod.PAP, AuthMethod.PAP))
        .hasMessageContaining("once");
    builder.acName("a");
    assertThatThrownBy(() -> builder.acName("b")).hasMessageContaining("acName");
    assertThatThrownBy(() -> builder.localAddress("192.168.100.10").spec())
        .hasMessageContaining("pool");
    assertThatThrownBy(() -> BorderNetworkGateway.account("a", "b").world(ACCESS).spec())
        .hasMessageContaining("two networks");
  }
}
