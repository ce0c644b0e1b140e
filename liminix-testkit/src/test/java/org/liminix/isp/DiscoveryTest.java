package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.isp.FakeClient.Heard;
import org.liminix.isp.IspEvent.Discovery;
import org.liminix.isp.IspEvent.SessionTerminated;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.EthernetHost;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Station;
import org.liminix.net.internal.Ethernet;

/** RFC 2516, clause by clause. */
class DiscoveryTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Tag ANY = Tag.of(Pppoe.SERVICE_NAME, "");
  private static final Tag RELAY = Tag.of(Pppoe.RELAY_SESSION_ID, "relay 7");
  private static final Tag UNIQ = Tag.of(Pppoe.HOST_UNIQ, "me");

  /** The DSL Forum's line identification, which relays add (RFC 2516 appendix A). */
  private static final Tag VENDOR = Tag.of(0x0105, "\0\0\r\351\001\004eth1");

  private final Segments segments = Segments.isolated();
  private final FakeClient client = new FakeClient(segments);

  @AfterEach
  void close() {
    segments.close();
  }

  private Tag cookie() throws InterruptedException {
    return Pppoe.find(client.nextDiscovery(Pppoe.PADO).tags(), Pppoe.AC_COOKIE).orElseThrow();
  }

  @Test
  void listsEveryServiceItSells() throws Exception {
    BorderNetworkGateway.likeLiminix().serviceName("fibre", "tv", "fibre").start(segments);
    Tag fibre = Tag.of(Pppoe.SERVICE_NAME, "fibre");
    Tag tv = Tag.of(Pppoe.SERVICE_NAME, "tv");
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, ANY);
    assertThat(services(client.nextDiscovery(Pppoe.PADO))).containsExactly(ANY, fibre, tv);
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, tv);
    Heard offer = client.nextDiscovery(Pppoe.PADO);
    assertThat(services(offer)).containsExactly(tv, fibre);
    Tag cookie = Pppoe.find(offer.tags(), Pppoe.AC_COOKIE).orElseThrow();
    client.discover(client.isp, Pppoe.PADR, 0, tv, cookie);
    Heard session = client.nextDiscovery(Pppoe.PADS);
    assertThat(session.sessionId()).isPositive();
    assertThat(services(session)).containsExactly(tv);
  }

  private static List<Tag> services(Heard packet) {
    return packet.tags().stream().filter(tag -> tag.type() == Pppoe.SERVICE_NAME).toList();
  }

  @Test
  void returnsWhatRelaysNeedInEveryAnswer() throws Exception {
    BorderNetworkGateway.likeLiminix().start(segments);
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, ANY, UNIQ, RELAY, VENDOR);
    Heard offer = client.nextDiscovery(Pppoe.PADO);
    assertThat(offer.tags()).contains(UNIQ, RELAY);
    Tag cookie = Pppoe.find(offer.tags(), Pppoe.AC_COOKIE).orElseThrow();
    client.discover(client.isp, Pppoe.PADR, 0, VENDOR, ANY, RELAY, UNIQ, cookie);
    assertThat(client.nextDiscovery(Pppoe.PADS).tags()).contains(UNIQ, RELAY);
    Tag other = Tag.of(Pppoe.SERVICE_NAME, "television");
    client.discover(client.isp, Pppoe.PADR, 0, other, cookie, RELAY, UNIQ);
    Heard refusal = client.nextDiscovery(Pppoe.PADS);
    assertThat(refusal.tags()).contains(UNIQ, RELAY);
    assertThat(refusal.tag(Pppoe.SERVICE_NAME_ERROR)).isEqualTo("No such service");
  }

  @Test
  void readsNoTagsBehindTheEndOfTheList() throws Exception {
    BorderNetworkGateway.likeLiminix().start(segments);
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, ANY, Tag.of(Pppoe.END_OF_LIST, ""), UNIQ);
    assertThat(client.nextDiscovery(Pppoe.PADO).tag(Pppoe.HOST_UNIQ)).isEqualTo("(none)");
  }

  @Test
  void takesACookieFromTheClientItWasMadeForOnly() throws Exception {
    BorderNetworkGateway.likeLiminix().start(segments);
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, ANY);
    Tag cookie = cookie();
    FakeClient thief = new FakeClient(segments);
    thief.discover(client.isp, Pppoe.PADR, 0, ANY, cookie);
    client.discover(client.isp, Pppoe.PADR, 0, ANY, cookie);
    client.nextDiscovery(Pppoe.PADS);
    assertThat(thief.peek()).isNull();
  }

  @Test
  void ignoresDiscoveryWithASessionNumberAndSessionsBeforeDiscovery() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().start(segments);
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 5, ANY);
    client.discover(MacAddress.BROADCAST, Pppoe.PADO, 0, ANY);
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, ANY);
    Tag cookie = cookie();
    client.discover(MacAddress.BROADCAST, Pppoe.PADR, 0, ANY, cookie); // not to us
    client.discover(client.isp, Pppoe.PADR, 5, ANY, cookie);
    client.discover(client.isp, Pppoe.PADT, 1);
    client.discover(client.isp, Pppoe.PADR, 0, ANY, cookie, UNIQ);
    assertThat(client.next().tag(Pppoe.HOST_UNIQ)).isEqualTo("me");
    assertThat(isp.events()).filteredOn(IspEvent.SessionStarted.class::isInstance).hasSize(1);
  }

  @Test
  void recordsWhyAClientSentAPadt() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().start(segments);
    client.dial();
    Tag why = Tag.of(Pppoe.GENERIC_ERROR, "RP-PPPoE: Received PADT");
    client.discover(client.isp, Pppoe.PADT, client.sessionId, why);
    assertThat(isp.awaitEvent(SessionTerminated.class, PATIENCE).detail())
        .contains("RP-PPPoE: Received PADT");
  }

  /** RFC 2516 appendix A, AC-Cookie: what a flood leaves behind, and whom it disturbs. */
  @Test
  void bearsAFloodOfRequestsThatNobodyMeans() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().start(segments);
    int flood = 100_000;
    ByteBuffer frame = ByteBuffer.allocate(60);
    Station attacker = segments.get(Network.ACCESS).attach("attacker", offer -> {});
    int address = 0;
    for (int i = 0; i < flood; i++) {
      frame.clear();
      Ethernet.putHeader(
          frame, MacAddress.BROADCAST.toLong(), 0x0200_0000_0000L + i, Pppoe.DISCOVERY);
      Pppoe.putHeader(frame, Pppoe.PADI, 0, 4);
      frame.putInt(Pppoe.SERVICE_NAME << 16);
      attacker.send(frame.clear());
      if (i % 256 == 255) {
        segments.loop().call(() -> {}); // no faster than the segment carries
      }
      if (i == flood / 2) {
        address = client.dial();
      }
    }
    segments.loop().call(() -> {});
    assertThat(isp.sessions()).hasSize(1);
    assertThat(isp.awaitSession(PATIENCE).peer()).isEqualTo(client.mac);
    assertThat(isp.events()).filteredOn(IspEvent.SessionStarted.class::isInstance).hasSize(1);
    // What happened is still to be read: the flood is told of, but not in full.
    assertThat(isp.events().stream().filter(Discovery.class::isInstance).count())
        .isBetween(1000L, 3000L);
    assertThat(isp.events()).filteredOn(IspEvent.SessionOpened.class::isInstance).hasSize(1);
    client.forget();
    client.ping(address, org.liminix.net.internal.Ipv4.parse("192.168.100.1"), 64, 8);
    assertThat(client.nextIcmp()).startsWith("0/0");
  }

  @Test
  void oneOfTwoConcentratorsServesAClientThatChooses() throws Exception {
    BorderNetworkGateway one = BorderNetworkGateway.likeLiminix().acName("one").start(segments);
    BorderNetworkGateway two =
        BorderNetworkGateway.likeLiminix()
            .acName("two")
            .worldAddress("10.0.2.254/24")
            .localAddress("172.16.0.1")
            .pool("172.16.0.2", "172.16.0.9")
            .start(segments);
    EthernetHost server = EthernetHost.on(Network.WORLD).address("10.0.2.2/24").start(segments);
    client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, ANY, UNIQ);
    Heard offer = client.nextDiscovery(Pppoe.PADO);
    while (!offer.tag(Pppoe.AC_NAME).equals("two")) {
      offer = client.nextDiscovery(Pppoe.PADO);
    }
    client.isp = offer.sender();
    client.request(offer, UNIQ);
    client.sessionId = client.nextDiscovery(Pppoe.PADS).sessionId();
    client.dialRest();
    assertThat(two.awaitSession(PATIENCE).address().getHostAddress()).isEqualTo("172.16.0.2");
    server.close();
    assertThat(one.sessions()).isEmpty();
    assertThat(one.events()).hasOnlyElementsOfType(Discovery.class);
  }

  @Test
  void rejectsServicesThatDoNotFitAnOffer() {
    BorderNetworkGatewayBuilder builder = BorderNetworkGateway.likeLiminix();
    assertThatThrownBy(() -> builder.serviceName("x".repeat(256))).hasMessageContaining("255");
    String[] many = new String[200];
    java.util.Arrays.setAll(many, i -> "service" + i);
    assertThatThrownBy(() -> builder.serviceName("s", many)).hasMessageContaining("1000 bytes");
  }
}
