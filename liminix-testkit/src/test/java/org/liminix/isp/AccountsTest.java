package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.isp.IspEvent.Limit;
import org.liminix.isp.IspEvent.Reason;
import org.liminix.isp.IspEvent.SessionRefused;
import org.liminix.isp.IspEvent.SessionRenumbered;
import org.liminix.isp.IspEvent.SessionTerminated;
import org.liminix.net.Segments;
import org.liminix.net.internal.Ipv4;

/** What accounts are sold, and the life of their sessions. */
class AccountsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int LOCAL = Ipv4.parse("192.168.100.1");
  private static final Account ANN = Account.of("ann", "secret");

  private final Segments segments = Segments.isolated();
  private final FakeClient client = new FakeClient(segments);

  @AfterEach
  void close() {
    segments.close();
  }

  private static String text(int address) {
    return Ipv4.toString(address);
  }

  @Test
  void givesAnAccountItsOwnAddressAndNobodyElse() throws Exception {
    BorderNetworkGateway.account(ANN.address("192.168.100.10"))
        .account(Account.of("bob", "secret").address("10.9.9.9"))
        .account("eve", "secret")
        .start(segments);
    assertThat(text(client.dialAs("eve", "secret"))).isEqualTo("192.168.100.11");
    assertThat(text(new FakeClient(segments).dialAs("ann", "secret"))).isEqualTo("192.168.100.10");
    assertThat(text(new FakeClient(segments).dialAs("bob", "secret"))).isEqualTo("10.9.9.9");
    // while it is taken
    assertThat(text(new FakeClient(segments).dialAs("ann", "secret"))).isEqualTo("192.168.100.12");
  }

  @Test
  void waitsForTheSessionOfAUser() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.account(ANN).account("bob", "secret").start(segments);
    client.dialAs("ann", "secret");
    assertThatThrownBy(() -> isp.awaitSession("bob", Duration.ofMillis(20)))
        .hasMessageContaining("PPP session of bob");
    new FakeClient(segments).dialAs("bob", "secret");
    assertThat(isp.awaitSession("bob", PATIENCE).user()).isEqualTo("bob");
    assertThat(isp.awaitSession("ann", PATIENCE).user()).isEqualTo("ann");
  }

  @Test
  void givesAFixedAddressAgainWhenItIsFree() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.account(ANN.address("192.168.100.10")).start(segments);
    client.dialAs("ann", "secret");
    isp.awaitSession(PATIENCE).drop();
    assertThat(text(new FakeClient(segments).dialAs("ann", "secret"))).isEqualTo("192.168.100.10");
  }

  @Test
  void givesFreshAddressesIfItIsSuchAnIsp() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.account(ANN)
            .pool("10.1.1.1", "10.1.1.2")
            .freshAddresses()
            .start(segments);
    for (String expected : new String[] {"10.1.1.1", "10.1.1.2", "10.1.1.1"}) {
      assertThat(text(new FakeClient(segments).dialAs("ann", "secret"))).isEqualTo(expected);
      isp.sessions().get(0).drop();
    }
  }

  @Test
  void refusesASessionTooManyOfAnAccount() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.account(ANN.limit(1)).start(segments);
    client.dialAs("ann", "secret");
    FakeClient second = new FakeClient(segments);
    second.connect();
    second.openLcp();
    second.respond("ann", "secret");
    second.next(Ppp.CHAP, 4);
    second.hangUp();
    second.nextDiscovery(Pppoe.PADT);
    SessionRefused refused = isp.awaitEvent(SessionRefused.class, PATIENCE);
    assertThat(refused.limit()).isEqualTo(Limit.ACCOUNT);
    assertThat(refused.peer()).isEqualTo(second.mac);
    assertThat(refused.detail()).contains("ann", "1");
    assertThat(isp.awaitEvent(SessionTerminated.class, PATIENCE).reason()).isEqualTo(Reason.LIMIT);
    isp.awaitSession(PATIENCE).drop();
    new FakeClient(segments).dialAs("ann", "secret");
  }

  @Test
  void refusesASessionTooManyOfAClientAndInAll() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.account(ANN).sessionLimitPerClient(1).sessionLimit(2).start(segments);
    client.dialAs("ann", "secret");
    assertThat(client.refusal(Pppoe.AC_SYSTEM_ERROR)).contains("this client: 1");
    new FakeClient(segments).dialAs("ann", "secret");
    assertThat(new FakeClient(segments).refusal(Pppoe.AC_SYSTEM_ERROR)).contains("sessions: 2");
    assertThat(isp.events())
        .filteredOn(SessionRefused.class::isInstance)
        .extracting(event -> ((SessionRefused) event).limit())
        .containsExactly(Limit.CLIENT, Limit.TOTAL);
    assertThat(isp.sessions()).hasSize(2);
  }

  @Test
  void endsASessionThatIsTooOld() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.account(ANN.sessionTimeout(Duration.ofMillis(300))).start(segments);
    client.dialAs("ann", "secret");
    client.hangUp();
    SessionTerminated end = isp.awaitEvent(SessionTerminated.class, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.SESSION_TIMEOUT);
    assertThat(end.user()).isEqualTo("ann");
    assertThat(end.duration()).isGreaterThanOrEqualTo(Duration.ofMillis(299));
  }

  @Test
  void endsASessionThatIsIdleAndNoOther() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.account(ANN.idleTimeout(Duration.ofMillis(400))).start(segments);
    int address = client.dialAs("ann", "secret");
    long start = System.nanoTime();
    // Packets keep it, and echoes of LCP do not.
    while (System.nanoTime() - start < Duration.ofMillis(800).toNanos()) {
      client.ping(address, LOCAL, 64, 8);
      assertThat(client.nextIcmp()).startsWith("0/0");
    }
    assertThat(isp.sessions()).hasSize(1);
    client.hangUp();
    assertThat(isp.awaitEvent(SessionTerminated.class, PATIENCE).reason()).isEqualTo(Reason.IDLE);
  }

  @Test
  void countsWhatASessionCarries() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.account(ANN).start(segments);
    int address = client.dialAs("ann", "secret");
    PppSession session = isp.awaitSession(PATIENCE);
    assertThat(session.traffic()).isEqualTo(PppTraffic.NONE);
    for (int i = 0; i < 3; i++) {
      client.ping(address, LOCAL, 64, 72);
      client.nextIcmp();
    }
    client.ping(address, Ipv4.parse("192.168.100.1"), 64, 0);
    client.nextIcmp();
    PppTraffic traffic = new PppTraffic(3 * 100 + 28, 4, 3 * 100 + 28, 4, 0);
    assertThat(session.traffic()).isEqualTo(traffic);
    client.discover(client.isp, Pppoe.PADT, client.sessionId);
    SessionTerminated end = isp.awaitEvent(SessionTerminated.class, PATIENCE);
    assertThat(end.traffic()).isEqualTo(traffic);
    assertThat(end.duration()).isPositive().isEqualTo(session.duration());
    assertThat(end.reason()).isEqualTo(Reason.CLIENT);
  }

  @Test
  void givesAClientAnotherAddressInMidSession() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.account(ANN).start(segments);
    int before = client.dialAs("ann", "secret");
    PppSession session = isp.awaitSession(PATIENCE);
    segments.loop().call(client::forget);
    session.renumber("192.168.100.77");
    assertThat(session.state()).isEqualTo(PppSession.State.RENUMBERING);
    assertThat(isp.sessions()).isEmpty();
    assertThat(text(client.openIpcp())).isEqualTo("192.168.100.77");
    SessionRenumbered event = isp.awaitEvent(SessionRenumbered.class, PATIENCE);
    assertThat(event.session()).isSameAs(session);
    assertThat(event.before().getHostAddress()).isEqualTo(text(before));
    assertThat(session.address().getHostAddress()).isEqualTo("192.168.100.77");
    assertThat(isp.sessions()).containsExactly(session);
    client.ping(session.address().hashCode(), LOCAL, 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("0/0 from 192.168.100.1");
    // and the old one is free
    assertThat(new FakeClient(segments).dialAs("ann", "secret")).isEqualTo(before);
  }

  @Test
  void renumbersAgainAndAgain() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.account(ANN).start(segments);
    client.dialAs("ann", "secret");
    PppSession session = isp.awaitSession(PATIENCE);
    for (int i = 1; i < 30; i++) {
      segments.loop().call(client::forget);
      session.renumber("10.7.7." + i);
      assertThat(text(client.openIpcp())).isEqualTo("10.7.7." + i);
    }
    assertThat(isp.sessions()).containsExactly(session);
  }

  @Test
  void renumbersOnlyToAnAddressThatIsFree() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.account(ANN).account("bob", "secret").start(segments);
    client.dialAs("ann", "secret");
    int other = new FakeClient(segments).dialAs("bob", "secret");
    PppSession session = isp.awaitSession(PATIENCE);
    for (String taken : new String[] {text(other), "192.168.100.1", "10.0.2.1"}) {
      assertThatThrownBy(() -> session.renumber(taken))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(taken + " is taken");
    }
    session.drop();
    assertThatThrownBy(() -> session.renumber("10.7.7.7")).hasMessageContaining("not open");
  }

  @Test
  void holdsASessionToItsRateAndCountsWhatDoesNotFit() throws Exception {
    // 100 bytes take 10 ms; in a queue of 100 ms, 10 wait behind the one that is sent.
    BorderNetworkGateway isp =
        BorderNetworkGateway.account(ANN.rate(80_000, 1_000_000_000).queue(Duration.ofMillis(100)))
            .start(segments);
    int address = client.dialAs("ann", "secret");
    PppSession session = isp.awaitSession(PATIENCE);
    long start = System.nanoTime();
    segments
        .loop()
        .call(
            () -> {
              for (int i = 0; i < 40; i++) {
                client.ping(address, LOCAL, 64, 72);
              }
            });
    for (int i = 0; i < 11; i++) {
      client.nextIcmp();
    }
    assertThat(System.nanoTime() - start).isGreaterThan(Duration.ofMillis(100).toNanos());
    PppTraffic traffic = session.traffic();
    assertThat(traffic.packetsIn()).isEqualTo(40);
    assertThat(traffic.dropped()).isBetween(10L, 29L);
    while (session.traffic().packetsOut() + session.traffic().dropped() < 40) {
      client.nextIcmp();
    }
  }

  @Test
  void forgetsWhatWaitsWhenASessionEnds() throws Exception {
    BorderNetworkGateway isp =
        BorderNetworkGateway.account(ANN.rate(1000, 1000).queue(Duration.ofDays(1)))
            .start(segments);
    int address = client.dialAs("ann", "secret");
    PppSession session = isp.awaitSession(PATIENCE);
    for (int i = 0; i < 5; i++) {
      client.ping(address, LOCAL, 64, 72);
    }
    client.send(Ppp.LCP, Ppp.packet(Lcp.ECHO_REQUEST, 3, ByteBuffer.allocate(4)));
    client.next(Ppp.LCP, Lcp.ECHO_REPLY); // control packets do not wait behind the data
    session.drop();
    assertThat(session.traffic().packetsIn()).isZero();
    assertThat(new FakeClient(segments).dialAs("ann", "secret")).isEqualTo(address);
  }

  @Test
  void tellsOfAClientThatForgetsToMasquerade() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.account(ANN).start(segments);
    client.dialAs("ann", "secret");
    for (int i = 0; i < 3; i++) {
      client.ping(Ipv4.parse("192.168.19.50"), LOCAL, 64, 8);
    }
    IspEvent.ForeignSource event = isp.awaitEvent(IspEvent.ForeignSource.class, PATIENCE);
    assertThat(event.source().getHostAddress()).isEqualTo("192.168.19.50");
    assertThat(event.session()).isEqualTo(isp.awaitSession(PATIENCE));
    segments.loop().call(() -> {});
    assertThat(isp.events()).filteredOn(IspEvent.ForeignSource.class::isInstance).hasSize(1);
  }

  @Test
  void rejectsTermsThatMakeNoSense() {
    assertThatThrownBy(() -> Account.of("", "x")).hasMessageContaining("1 to 255");
    assertThatThrownBy(() -> Account.of("a", "x".repeat(256))).hasMessageContaining("secret of a");
    assertThatThrownBy(() -> ANN.address("224.0.0.1")).hasMessageContaining("no address of a host");
    assertThatThrownBy(() -> ANN.limit(0)).hasMessageContaining("at least 1");
    assertThatThrownBy(() -> ANN.rate(0, 1)).hasMessageContaining("positive");
    assertThatThrownBy(() -> ANN.queue(Duration.ofMillis(-1))).hasMessageContaining("negative");
    assertThatThrownBy(() -> ANN.idleTimeout(Duration.ZERO)).hasMessageContaining("idleTimeout");
    assertThatThrownBy(() -> ANN.sessionTimeout(Duration.ZERO)).hasMessageContaining("positive");
    assertThat(ANN).hasToString("Account[ann]");
    BorderNetworkGatewayBuilder builder = BorderNetworkGateway.account(ANN.address("10.7.7.7"));
    assertThatThrownBy(() -> builder.account(ANN)).hasMessageContaining("ann has an account");
    assertThatThrownBy(() -> builder.account(Account.of("b", "").address("10.7.7.7")).spec())
        .hasMessageContaining("two accounts have 10.7.7.7");
    assertThatThrownBy(() -> BorderNetworkGateway.account(ANN.address("192.168.100.1")).spec())
        .hasMessageContaining("an account's");
    assertThatThrownBy(() -> builder.sessionLimit(0)).hasMessageContaining("at least 1");
    assertThatThrownBy(() -> builder.sessionLimitPerClient(0)).hasMessageContaining("at least 1");
  }
}
