package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.isp.FakeClient.Heard;
import org.liminix.isp.IspEvent.AuthenticationFailed;
import org.liminix.isp.IspEvent.Reason;
import org.liminix.isp.IspEvent.SessionTerminated;
import org.liminix.net.Segments;
import org.liminix.net.internal.Ipv4;

/** RFC 1661, RFC 1994 and RFC 1332 where no real client goes on demand. */
class LinkProtocolTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int LOCAL = Ipv4.parse("192.168.100.1");
  private static final int CCP = 0x80fd;
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final Segments segments = Segments.isolated();
  private final FakeClient client = new FakeClient(segments);

  @AfterEach
  void close() {
    segments.close();
  }

  private BorderNetworkGateway start() {
    return BorderNetworkGateway.likeLiminix().start(segments);
  }

  private void stillCarries(int address) throws InterruptedException {
    segments.loop().call(client::forget);
    client.ping(address, LOCAL, 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("0/0 from 192.168.100.1");
  }

  private SessionTerminated end(BorderNetworkGateway isp) {
    return isp.awaitEvent(SessionTerminated.class, PATIENCE);
  }

  /** RFC 1661 section 6.4; every packet comes back as if the client had sent it. */
  @Test
  void tellsALineThatIsLoopedBack() throws Exception {
    BorderNetworkGateway isp = start();
    client.connect();
    Heard heard;
    do {
      heard = client.next();
      if (heard.protocol() == Ppp.LCP) {
        client.send(Ppp.LCP, heard.ppp());
      }
    } while (!heard.isDiscovery(Pppoe.PADT));
    assertThat(end(isp).reason()).isEqualTo(Reason.NEGOTIATION);
    assertThat(end(isp).detail()).contains("looped back");
  }

  @Test
  void tellsALineThatIsLoopedBackLater() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.likeLiminix().echo(Duration.ofMillis(50), 1000).start(segments);
    client.dial();
    client.send(Ppp.LCP, client.next(Ppp.LCP, Lcp.ECHO_REQUEST).ppp());
    assertThat(end(isp).detail()).contains("looped back");
  }

  @Test
  void bearsAClientThatCopiesTheMagicNumberIntoItsReply() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.likeLiminix().echo(Duration.ofMillis(50), 3).start(segments);
    int address = client.dial();
    for (int i = 0; i < 5; i++) {
      Heard request = client.next(Ppp.LCP, Lcp.ECHO_REQUEST);
      client.send(Ppp.LCP, Ppp.packet(Lcp.ECHO_REPLY, request.identifier(), request.data()));
    }
    stillCarries(address);
    assertThat(isp.sessions()).hasSize(1);
  }

  @Test
  void toleratesWhatAsksForNoAnswer() throws Exception {
    start();
    int address = client.dial();
    segments.loop().call(client::forget);
    client.send(Ppp.LCP, Ppp.packet(Lcp.IDENTIFICATION, 1, "\0\0\0\0MSRASV5.20"));
    client.send(Ppp.LCP, Ppp.packet(Lcp.TIME_REMAINING, 2, "\0\0\0\0\0\0\0\7"));
    client.send(Ppp.LCP, Ppp.packet(Lcp.DISCARD_REQUEST, 3, "\0\0\0\0anything"));
    client.send(Ppp.LCP, Ppp.packet(Lcp.ECHO_REPLY, 4, "\0\0\0\0"));
    client.ping(address, LOCAL, 64, 8);
    assertThat(client.next().protocol()).isEqualTo(Ppp.IPV4);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7})
  void endsALinkWhoseClientDoesNotKnowWhatItNeeds(int code) throws Exception {
    BorderNetworkGateway isp = start();
    client.dial();
    client.send(Ppp.LCP, Ppp.packet(Negotiation.CODE_REJECT, 1, Ppp.packet(code, 1, NOTHING)));
    assertThat(end(isp).detail()).contains("code " + code);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, Lcp.ECHO_REQUEST, 100, 200, 255})
  void goesOnWithAClientThatDoesNotKnowTheRest(int code) throws Exception {
    start();
    int address = client.dial();
    client.send(Ppp.LCP, Ppp.packet(Negotiation.CODE_REJECT, 1, Ppp.packet(code, 1, NOTHING)));
    client.send(Ppp.LCP, Ppp.packet(Negotiation.CODE_REJECT, 1, NOTHING));
    stillCarries(address);
  }

  private void rejectProtocol(int protocol) {
    ByteBuffer number = ByteBuffer.allocate(2).putShort((short) protocol).flip();
    client.send(Ppp.LCP, Ppp.packet(Lcp.PROTOCOL_REJECT, 1, number));
  }

  @ParameterizedTest
  @ValueSource(ints = {Ppp.LCP, Ppp.CHAP, Ppp.IPCP, Ppp.IPV4})
  void endsALinkWhoseClientDoesNotSpeakAProtocolItNeeds(int protocol) throws Exception {
    // With IPv6, neither of the two networks is needed.
    BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().withoutIpv6().start(segments);
    client.dial();
    rejectProtocol(0x8057); // with IPv6 alone it would go on
    rejectProtocol(protocol);
    if (protocol != Ppp.LCP) {
      client.hangUp();
    }
    assertThat(end(isp).reason()).isEqualTo(Reason.NEGOTIATION);
  }

  @Test
  void goesOnWithAClientThatDoesNotSpeakAnother() throws Exception {
    start();
    int address = client.dial();
    rejectProtocol(CCP);
    client.send(Ppp.LCP, Ppp.packet(Lcp.PROTOCOL_REJECT, 2, NOTHING));
    stillCarries(address);
  }

  @Test
  void rejectsCompressionPolitely() throws Exception {
    start();
    int address = client.dial();
    ByteBuffer request = Ppp.packet(1, 1, ByteBuffer.wrap(new byte[] {21, 3, 0x2f}));
    client.send(CCP, request.duplicate());
    ByteBuffer rejected = client.next(Ppp.LCP, Lcp.PROTOCOL_REJECT).data();
    assertThat(rejected.getShort()).isEqualTo((short) CCP);
    assertThat(rejected).isEqualTo(request);
    stillCarries(address);
  }

  @Test
  void rejectsEveryIpcpOptionThatItDoesNotServe() throws Exception {
    BorderNetworkGateway.likeLiminix().dns("10.0.2.53", "10.0.2.54").start(segments);
    client.connect();
    client.openLcp();
    client.respond("db123@a.1", "NotReallyTheSecret");
    PppOption address = PppOption.ofInt(Ipcp.IP_ADDRESS, 0);
    PppOption primary = PppOption.ofInt(Ipcp.PRIMARY_DNS, 0);
    PppOption[] unwanted = {
      PppOption.of(1, (byte) 0, (byte) 0, (byte) 0, (byte) 0), // RFC 1332's old IP-Addresses
      PppOption.ofInt(2, 0x002d_0f01), // Van Jacobson
      PppOption.ofInt(130, 0), // NetBIOS name servers of RFC 1877
      PppOption.ofInt(132, 0),
      PppOption.of(99)
    };
    client.send(
        Ppp.IPCP,
        Negotiation.CONFIGURE_REQUEST,
        1,
        unwanted[0],
        unwanted[1],
        address,
        primary,
        unwanted[2],
        unwanted[3],
        unwanted[4]);
    assertThat(client.next(Ppp.IPCP, Negotiation.CONFIGURE_REJECT).options())
        .containsExactly(unwanted);
  }

  @Test
  void insistsOnTheAddressItGivesAndThenSaysNo() throws Exception {
    BorderNetworkGateway isp = start();
    client.connect();
    client.openLcp();
    client.respond("db123@a.1", "NotReallyTheSecret");
    client.acknowledge(client.next(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST));
    PppOption own = PppOption.ofInt(Ipcp.IP_ADDRESS, Ipv4.parse("1.2.3.4"));
    for (int i = 0; i < 10; i++) {
      client.send(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST, i, own);
      client.next(Ppp.IPCP, Negotiation.CONFIGURE_NAK);
    }
    client.send(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST, 11, own); // RFC 1661: Max-Failure
    assertThat(client.next(Ppp.IPCP, Negotiation.CONFIGURE_REJECT).options()).hasSize(1);
    assertThat(isp.sessions()).isEmpty();
  }

  @Test
  void endsALinkWhoseClientRefusesEverything() throws Exception {
    BorderNetworkGateway isp = start();
    client.connect();
    int id = -1;
    while (isp.events().stream().noneMatch(SessionTerminated.class::isInstance)) {
      Heard heard = client.next();
      if (heard.is(Ppp.LCP, Negotiation.CONFIGURE_REQUEST) && heard.identifier() != id) {
        id = heard.identifier();
        client.send(
            Ppp.LCP, Negotiation.CONFIGURE_NAK, id, PppOption.ofShort(Lcp.MRU, 1400 - id % 50));
      }
    }
    assertThat(end(isp).detail()).contains("refuses every configuration");
  }

  @Test
  void asksAgainForWhatTheClientDidNotAnswer() throws Exception {
    start();
    client.connect();
    Heard request = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1);
    client.next(Ppp.LCP, Negotiation.CONFIGURE_ACK);
    segments.loop().call(client::forget);
    // From now on at the pace of RFC 1661's restart timer, with the same identifier.
    Heard again = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    assertThat(again.ppp()).isEqualTo(request.ppp());
    client.acknowledge(again);
    client.next(Ppp.CHAP, 1);
  }

  @Test
  void asksAgainAndAgainForProofIfItIsTold() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.likeLiminix().rechallenge(Duration.ofMillis(50)).start(segments);
    client.connect();
    client.openLcp();
    client.respond("db123@a.1", "NotReallyTheSecret");
    client.next(Ppp.CHAP, 3);
    int address = client.openIpcp();
    ByteBuffer before = NOTHING;
    for (int i = 0; i < 3; i++) {
      Heard challenge = client.next(Ppp.CHAP, 1);
      assertThat(challenge.ppp()).isNotEqualTo(before);
      before = challenge.ppp();
      client.respond(challenge, "db123@a.1", "NotReallyTheSecret");
      client.next(Ppp.CHAP, 3);
    }
    assertThat(isp.sessions()).hasSize(1);
    assertThat(isp.events()).filteredOn(IspEvent.SessionOpened.class::isInstance).hasSize(1);
    stillCarries(address);
    client.respond(client.next(Ppp.CHAP, 1), "db123@a.1", "guess");
    client.next(Ppp.CHAP, 4);
    client.hangUp();
    assertThat(end(isp).reason()).isEqualTo(Reason.AUTHENTICATION);
    assertThat(isp.awaitEvent(AuthenticationFailed.class, PATIENCE).reason())
        .isEqualTo("wrong secret");
  }

  @Test
  void letsNobodyBecomeSomebodyElseInMidSession() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.account("ann", "a")
            .account("bob", "b")
            .rechallenge(Duration.ofMillis(50))
            .start(segments);
    client.dialAs("ann", "a");
    client.respond("bob", "b");
    client.hangUp();
    assertThat(isp.awaitEvent(AuthenticationFailed.class, PATIENCE).reason())
        .isEqualTo("first it was ann");
  }

  @Test
  void answersARepeatedResponseAsBefore() throws Exception {
    BorderNetworkGateway isp = start();
    client.connect();
    client.openLcp();
    Heard challenge = client.next(Ppp.CHAP, 1);
    client.respond(challenge, "db123@a.1", "NotReallyTheSecret");
    client.respond(challenge, "db123@a.1", "NotReallyTheSecret");
    client.respond(challenge, "mallory", "?");
    for (int i = 0; i < 3; i++) {
      client.next(Ppp.CHAP, 3);
    }
    client.openIpcp();
    assertThat(isp.awaitSession(PATIENCE).user()).isEqualTo("db123@a.1");
    assertThat(isp.events()).noneMatch(AuthenticationFailed.class::isInstance);
  }

  @Test
  void cutsWhatItRejectsToWhatTheClientTakes() throws Exception {
    start();
    client.connect();
    Heard request = client.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1, PppOption.ofShort(Lcp.MRU, 100));
    client.acknowledge(request);
    client.respond("db123@a.1", "NotReallyTheSecret");
    client.next(Ppp.CHAP, 3);
    client.openIpcp();
    client.send(CCP, Ppp.packet(1, 1, ByteBuffer.allocate(1000)));
    assertThat(client.next(Ppp.LCP, Lcp.PROTOCOL_REJECT).ppp().limit()).isEqualTo(100);
    client.send(Ppp.LCP, Ppp.packet(99, 1, ByteBuffer.allocate(1000)));
    assertThat(client.next(Ppp.LCP, Negotiation.CODE_REJECT).ppp().limit()).isEqualTo(100);
  }
}
