package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.liminix.isp.FakeClient.Heard;
import org.liminix.isp.IspEvent.AuthenticationFailed;
import org.liminix.isp.IspEvent.Reason;
import org.liminix.isp.IspEvent.SessionTerminated;
import org.liminix.isp.IspFaults.Refusal;
import org.liminix.isp.IspFaults.Stage;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.MacAddress;
import org.liminix.net.Segments;
import org.liminix.net.internal.Ipv4;

/** How an ISP misbehaves; what real clients make of it is in IspFaultsIT. */
class IspFaultsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int LOCAL = Ipv4.parse("192.168.100.1");
  private static final Tag ANY = Tag.of(Pppoe.SERVICE_NAME, "");
  private static final IspFaults GOOD = IspFaults.none();

  private final Segments segments = Segments.isolated();
  private final FakeClient client = new FakeClient(segments);
  private final BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().start(segments);

  @AfterEach
  void close() {
    segments.close();
  }

  private void discover() {
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, ANY);
  }

  @Test
  void misbehavesFromTheStartAndOnlyAsLongAsItIsTold() throws Exception {
    isp.close();
    BorderNetworkGateway silent =
        BorderNetworkGateway.likeLiminix().faults(GOOD.silent(Stage.PADI)).start(segments);
    discover();
    segments.loop().call(() -> {});
    assertThat(client.peek()).isNull();
    assertThat(silent.events()).isEmpty();
    silent.misbehave(GOOD);
    client.dial();
    silent.misbehave(GOOD.silent(Stage.PADI));
    assertThat(silent.sessions()).hasSize(1);
  }

  @Test
  void fallsSilentAfterItsOffer() throws Exception {
    isp.misbehave(GOOD.silent(Stage.PADR));
    discover();
    Heard offer = client.nextDiscovery(Pppoe.PADO);
    client.request(offer, Tag.of(Pppoe.HOST_UNIQ, "one"));
    segments.loop().call(() -> {});
    assertThat(client.peek()).isNull();
    isp.misbehave(GOOD);
    client.request(offer, Tag.of(Pppoe.HOST_UNIQ, "two"));
    assertThat(client.nextDiscovery(Pppoe.PADS).tag(Pppoe.HOST_UNIQ)).isEqualTo("two");
  }

  /** What a client hears before the ISP falls silent, and that it goes on afterwards. */
  @ParameterizedTest
  @EnumSource(names = {"LCP", "AUTHENTICATION", "NETWORK"})
  void fallsSilentAtAStageOfPpp(Stage stage) throws Exception {
    isp.misbehave(GOOD.silent(stage));
    client.connect();
    if (stage == Stage.LCP) {
      client.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1);
    } else {
      client.openLcp();
    }
    if (stage == Stage.NETWORK) {
      client.respond("db123@a.1", "NotReallyTheSecret");
      client.next(Ppp.CHAP, 3);
      client.send(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST, 1);
    }
    if (stage != Stage.LCP) { // it is alive all the while
      client.send(Ppp.LCP, Ppp.packet(Lcp.ECHO_REQUEST, 1, ByteBuffer.allocate(4)));
      client.next(Ppp.LCP, Lcp.ECHO_REPLY);
    }
    segments.loop().call(() -> {});
    assertThat(client.peek()).isNull();
  }

  @Test
  void takesItsTimeOverEachStage() throws Exception {
    Duration time = Duration.ofMillis(60);
    IspFaults slow = GOOD;
    for (Stage stage : Stage.values()) {
      slow = slow.delay(stage, time);
    }
    isp.misbehave(slow);
    long start = System.nanoTime();
    client.dial();
    // PADI, PADR, LCP (two packets that overlap), CHAP, and two rounds of IPCP
    assertThat(System.nanoTime() - start).isGreaterThan(time.multipliedBy(5).toNanos());
    assertThat(isp.awaitSession(PATIENCE).setupTime()).isGreaterThan(time.multipliedBy(3));
  }

  @Test
  void givesNoSessionWhenItHasClosedMeanwhile() throws Exception {
    isp.misbehave(GOOD.delay(Stage.PADR, Duration.ofMillis(50)));
    discover();
    client.request(client.nextDiscovery(Pppoe.PADO), Tag.of(Pppoe.HOST_UNIQ, "late"));
    isp.close();
    // Another delay, handed in later, has passed when this has.
    CountDownLatch later = new CountDownLatch(1);
    var unused = segments.loop().schedule(Duration.ofMillis(60), later::countDown);
    assertThat(later.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(isp.events()).noneMatch(IspEvent.SessionStarted.class::isInstance);
  }

  @Test
  void offersAnotherServiceThanItIsAskedFor() throws Exception {
    isp.misbehave(GOOD.offerOnly("telephone"));
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, Tag.of(Pppoe.SERVICE_NAME, "internet"));
    Heard offer = client.nextDiscovery(Pppoe.PADO);
    assertThat(offer.tags()).filteredOn(tag -> tag.type() == Pppoe.SERVICE_NAME).hasSize(1);
    assertThat(offer.tag(Pppoe.SERVICE_NAME)).isEqualTo("telephone");
  }

  @ParameterizedTest
  @EnumSource
  void refusesSessionsWithEachError(Refusal refusal) throws Exception {
    isp.misbehave(GOOD.refuseSessions(refusal, "go away"));
    int tag =
        switch (refusal) {
          case SERVICE_NAME -> 0x0201;
          case AC_SYSTEM -> 0x0202;
          case GENERIC -> 0x0203;
        };
    assertThat(client.refusal(tag)).isEqualTo("go away");
    assertThat(isp.sessions()).isEmpty();
    assertThat(isp.events()).noneMatch(IspEvent.SessionStarted.class::isInstance);
  }

  @Test
  void refusesEvenTheRightSecret() throws Exception {
    isp.misbehave(GOOD.refuseAuthentication());
    client.connect();
    client.openLcp();
    client.respond("db123@a.1", "NotReallyTheSecret");
    client.next(Ppp.CHAP, 4);
    assertThat(isp.awaitEvent(AuthenticationFailed.class, PATIENCE).reason()).contains("a fault");
  }

  @Test
  void hasNoAddress() throws Exception {
    isp.misbehave(GOOD.noAddresses());
    client.connect();
    client.openLcp();
    client.respond("db123@a.1", "NotReallyTheSecret");
    client.hangUp();
    assertThat(isp.awaitEvent(SessionTerminated.class, PATIENCE).reason())
        .isEqualTo(Reason.NO_ADDRESS);
    isp.misbehave(GOOD);
    client.forget();
    client.dial();
  }

  @Test
  void swallowsLongPacketsWithoutAWord() throws Exception {
    int address = client.dial();
    isp.misbehave(GOOD.blackHole(1000));
    client.ping(address, LOCAL, 64, 973);
    client.ping(address, LOCAL, 64, 972);
    assertThat(client.next(Ppp.IPV4, 0).ppp().remaining()).isEqualTo(1000);
    FakeClient neighbour = new FakeClient(segments);
    int other = neighbour.dial();
    isp.misbehave(GOOD);
    client.ping(address, other, 64, 973);
    assertThat(neighbour.next(Ppp.IPV4, 0).ppp().remaining()).isEqualTo(1001);
    assertThat(client.hasIpv4()).isFalse();
  }

  @Test
  void doesNotAnswerEchoes() throws Exception {
    int address = client.dial();
    isp.misbehave(GOOD.silent(Stage.ECHO));
    segments.loop().call(client::forget);
    client.send(Ppp.LCP, Ppp.packet(Lcp.ECHO_REQUEST, 1, ByteBuffer.allocate(4)));
    client.ping(address, LOCAL, 64, 8);
    assertThat(client.next().protocol()).isEqualTo(Ppp.IPV4);
    isp.misbehave(GOOD);
    client.send(Ppp.LCP, Ppp.packet(Lcp.ECHO_REQUEST, 2, ByteBuffer.allocate(4)));
    assertThat(client.next(Ppp.LCP, Lcp.ECHO_REPLY).identifier()).isEqualTo(2);
  }

  @Test
  void hangsUpInMidSession() throws Exception {
    client.dial();
    isp.misbehave(GOOD.hangUp(Duration.ofMillis(50)));
    client.nextDiscovery(Pppoe.PADT);
    SessionTerminated end = isp.awaitEvent(SessionTerminated.class, PATIENCE);
    assertThat(end.reason()).isEqualTo(Reason.ISP);
    // and on the next one, until it is told to behave
    FakeClient second = new FakeClient(segments);
    second.dial();
    second.nextDiscovery(Pppoe.PADT);
    isp.misbehave(GOOD.hangUp(Duration.ofMillis(100)));
    FakeClient third = new FakeClient(segments);
    int address = third.dial();
    isp.misbehave(GOOD);
    long start = System.nanoTime();
    while (System.nanoTime() - start < Duration.ofMillis(200).toNanos()) {
      third.ping(address, LOCAL, 64, 8);
      assertThat(third.nextIcmp()).startsWith("0/0");
    }
    assertThat(isp.sessions()).hasSize(1);
  }

  @Test
  void hasALineThatGoesDownAndUp() throws Exception {
    int address = client.dial();
    isp.misbehave(GOOD.flapping(Duration.ofMillis(100), Duration.ofMillis(100)));
    int times = 0;
    boolean answered = true;
    while (times < 4) { // two times down and up
      segments.loop().call(client::forget);
      client.ping(address, LOCAL, 64, 8);
      segments.loop().call(() -> {});
      segments.loop().call(() -> {});
      boolean now = client.peek() != null;
      times += now == answered ? 0 : 1;
      answered = now;
    }
    assertThat(isp.sessions()).hasSize(1);
    isp.misbehave(GOOD);
    segments.loop().call(client::forget);
    client.ping(address, LOCAL, 64, 8);
    assertThat(client.nextIcmp()).startsWith("0/0");
  }

  @Test
  void saysWhatIsWrong() {
    assertThat(
            GOOD.silent(Stage.PADR)
                .delay(Stage.LCP, Duration.ofSeconds(2))
                .offerOnly("tv")
                .refuseSessions(Refusal.GENERIC, "no")
                .refuseAuthentication()
                .noAddresses()
                .blackHole(1400)
                .hangUp(Duration.ofSeconds(3))
                .flapping(Duration.ofSeconds(4), Duration.ofSeconds(5)))
        .hasToString(
            "IspFaults[silent at PADR, LCP after PT2S, offers only \"tv\", refuses sessions, "
                + "refuses authentication, no addresses, black hole over 1400, hangs up after "
                + "PT3S, up PT4S down PT5S]");
    assertThat(GOOD).hasToString("IspFaults[]");
    assertThatThrownBy(() -> GOOD.blackHole(-1)).hasMessageContaining("blackHole(-1)");
    assertThatThrownBy(() -> GOOD.hangUp(Duration.ZERO)).hasMessageContaining("positive");
    assertThatThrownBy(() -> GOOD.delay(Stage.PADI, Duration.ofMillis(-1)))
        .hasMessageContaining("delay");
  }
}
