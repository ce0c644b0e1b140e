package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Network.LAN;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.net.internal.DhcpMessage;
import org.liminix.net.internal.Ipv4;
import org.liminix.process.WaitTimeoutException;

/**
 * With the client of this library where it does what is wanted, and messages made by hand for what
 * no client sends on demand; dhclient, udhcpc and others are in the integration tests.
 */
class DhcpServerTest {
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final MacAddress CARD = MacAddress.parse("02:00:00:00:00:0a");
  private static final MacAddress OTHER = MacAddress.parse("02:00:00:00:00:0b");

  private final Segments segments = Segments.isolated();
  private final EthernetHost host =
      EthernetHost.on(LAN).name("host").address("192.168.1.1/24").start(segments);

  @AfterEach
  void close() {
    segments.close();
  }

  private DhcpServerBuilder server() {
    return DhcpServer.on(host).pool("192.168.1.10", "192.168.1.12").probe(Duration.ZERO);
  }

  /**
   * A client that is told what to say, and whose frames go where a card that filters takes them.
   */
  private final class Client {
    private final MacAddress card;
    private final BlockingQueue<Frame> answers = new LinkedBlockingQueue<>();
    private final Station station;

    Client(MacAddress card) {
      this.card = card;
      this.station =
          segments
              .get(LAN)
              .attach(
                  "client " + card,
                  frame -> {
                    Frame answer = Frame.of("", "", frame);
                    boolean heard =
                        answer.destination().equals(card)
                            || answer.destination().equals(MacAddress.BROADCAST);
                    if (heard
                        && answer.dhcp().isPresent()
                        && message(answer).hardwareAddress() == card.toLong()) {
                      answers.add(answer);
                    }
                  });
    }

    void say(int type, boolean broadcast, String current, Map<Integer, byte[]> options) {
      say(type, broadcast, current, "0.0.0.0", options);
    }

    void say(
        int type, boolean broadcast, String current, String relay, Map<Integer, byte[]> options) {
      Map<Integer, byte[]> all = new TreeMap<>(options);
      if (type != 0) {
        all.put(DhcpMessage.MESSAGE_TYPE, new byte[] {(byte) type});
      }
      ByteBuffer payload =
          new DhcpMessage(
                  true,
                  ThreadLocalRandom.current().nextInt(),
                  broadcast,
                  Ipv4.parse(current),
                  0,
                  0,
                  Ipv4.parse(relay),
                  card.toLong(),
                  "",
                  all)
              .encode();
      station.send(udp(card, current, payload));
    }

    DhcpMessage answer() throws InterruptedException {
      return message(frame());
    }

    Frame frame() throws InterruptedException {
      return Optional.ofNullable(answers.poll(10, TimeUnit.SECONDS)).orElseThrow();
    }

    /** Goes through both exchanges. */
    String lease(Map<Integer, byte[]> options) throws InterruptedException {
      say(DhcpMessage.DISCOVER, false, "0.0.0.0", options);
      DhcpMessage offer = answer();
      assertThat(offer.type()).isEqualTo(DhcpMessage.OFFER);
      select(offer, options);
      DhcpMessage granted = answer();
      assertThat(granted.type()).isEqualTo(DhcpMessage.ACK);
      return Ipv4.toString(granted.yourAddress());
    }

    void select(DhcpMessage offer, Map<Integer, byte[]> options) {
      Map<Integer, byte[]> all = new TreeMap<>(options);
      all.put(DhcpMessage.REQUESTED_ADDRESS, DhcpOptions.addresses(offer.yourAddress()));
      all.put(DhcpMessage.SERVER_ID, offer.options().get(DhcpMessage.SERVER_ID));
      say(DhcpMessage.REQUEST, false, "0.0.0.0", all);
    }

    void askFor(String address) {
      say(DhcpMessage.REQUEST, false, "0.0.0.0", asking(address));
    }
  }

  private static DhcpMessage message(Frame frame) {
    return DhcpMessage.parse(frame.udp().orElseThrow().payload()).orElseThrow();
  }

  private static Map<Integer, byte[]> asking(String address) {
    return Map.of(DhcpMessage.REQUESTED_ADDRESS, DhcpOptions.addresses(Ipv4.parse(address)));
  }

  /**
   * From a client's port to the server's, as a broadcast; without a checksum, as RFC 768 allows.
   */
  private static ByteBuffer udp(MacAddress card, String source, ByteBuffer payload) {
    ByteBuffer frame = ByteBuffer.allocate(14 + 28 + payload.remaining());
    MacAddress.BROADCAST.write(frame);
    card.write(frame);
    frame.putShort((short) 0x0800);
    Ipv4.putHeader(frame, Ipv4.parse(source), Ipv4.BROADCAST, Ipv4.UDP, 0, 8 + payload.remaining());
    frame.putShort((short) DhcpMessage.CLIENT_PORT).putShort((short) DhcpMessage.SERVER_PORT);
    frame.putShort((short) (8 + payload.remaining())).putShort((short) 0).put(payload);
    return frame.flip();
  }

  @Test
  void leasesAnAddressWithAllThatBelongsToIt() {
    try (DhcpServer dhcp =
        server().router("192.168.1.1").dns("192.168.1.1", "9.9.9.9").lease(LONG).start()) {
      EthernetHost pc = EthernetHost.on(LAN).name("pc").dhcp().start(segments);
      DhcpLease lease = pc.awaitLease(LONG);
      assertThat(lease.address()).hasToString("/192.168.1.10");
      assertThat(lease.prefixLength()).isEqualTo(24);
      assertThat(lease.router().orElseThrow()).hasToString("/192.168.1.1");
      assertThat(lease.dns())
          .extracting(Object::toString)
          .containsExactly("/192.168.1.1", "/9.9.9.9");
      assertThat(lease.leaseTime()).isEqualTo(LONG);

      DhcpBinding binding = dhcp.awaitLease(pc.macAddress(), LONG);
      assertThat(binding.address()).isEqualTo(lease.address());
      assertThat(binding.hostName()).contains("pc");
      assertThat(binding.expires()).isEqualTo(binding.granted().plus(LONG));
      // On a busy machine the client asks again for what is under way.
      assertThat(dhcp.leases()).extracting(DhcpBinding::address).containsExactly(lease.address());
      assertThat(dhcp.events().stream().map(event -> event.getClass().getSimpleName()).distinct())
          .containsExactly("Offered", "Granted");
      pc.ping("192.168.1.1", LONG);
    }
  }

  @Test
  void leasesTheWholeNetworkWithoutASingleSetting() {
    try (DhcpServer dhcp = DhcpServer.on(host).start()) {
      DhcpLease lease = EthernetHost.on(LAN).start(segments).dhcp(LONG);
      assertThat(lease.address()).hasToString("/192.168.1.2");
      assertThat(lease.router()).isEmpty();
      assertThat(lease.leaseTime()).isEqualTo(Duration.ofHours(1));
      assertThat(dhcp.leases()).hasSize(1);
    }
  }

  @Test
  void keepsALeaseThatIsRenewed() {
    try (DhcpServer dhcp = server().lease(Duration.ofSeconds(2)).start()) {
      EthernetHost.on(LAN).dhcp().start(segments);
      DhcpEvent renewal =
          dhcp.awaitEvent(
              event ->
                  event instanceof DhcpEvent.Granted granted
                      && granted.request() == DhcpEvent.Request.RENEWING,
              LONG);
      assertThat(dhcp.leases()).containsExactly(((DhcpEvent.Granted) renewal).binding());
    }
  }

  @Test
  void refusesToRenewWhatWasRevoked() {
    try (DhcpServer dhcp = server().lease(Duration.ofSeconds(2)).start()) {
      EthernetHost.on(LAN).dhcp().start(segments);
      DhcpBinding first = dhcp.awaitLease(LONG);
      dhcp.revoke(first);
      assertThat(dhcp.leases()).isEmpty();
      DhcpEvent.Refused refused = dhcp.awaitEvent(DhcpEvent.Refused.class, LONG);
      assertThat(refused.address()).isEqualTo(first.address());
      assertThat(refused.reason()).isEqualTo("the address is not the client's");
      assertThat(dhcp.awaitLease(LONG).address()).hasToString("/192.168.1.11");
    }
  }

  @Test
  void passesOverAnAddressThatSomebodyHas() {
    EthernetHost squatter = EthernetHost.on(LAN).address("192.168.1.10/24").start(segments);
    try (DhcpServer dhcp = DhcpServer.on(host).pool("192.168.1.10", "192.168.1.12").start()) {
      DhcpLease lease = EthernetHost.on(LAN).start(segments).dhcp(LONG);
      assertThat(lease.address()).hasToString("/192.168.1.11");
      DhcpEvent.Conflict conflict = dhcp.awaitEvent(DhcpEvent.Conflict.class, LONG);
      assertThat(conflict.address()).hasToString("/192.168.1.10");
      assertThat(conflict.holder()).isEqualTo(squatter.macAddress());
    }
  }

  @Test
  void answersWhereTheClientCanHear() throws InterruptedException {
    Client client = new Client(CARD);
    try (DhcpServer dhcp = server().start()) {
      client.say(DhcpMessage.DISCOVER, false, "0.0.0.0", Map.of());
      Frame unicast = client.frame();
      assertThat(unicast.destination()).isEqualTo(CARD);
      assertThat(unicast.ip().orElseThrow().destination()).hasToString("/192.168.1.10");
      client.say(DhcpMessage.DISCOVER, true, "0.0.0.0", Map.of());
      Frame broadcast = client.frame();
      assertThat(broadcast.destination()).isEqualTo(MacAddress.BROADCAST);
      assertThat(broadcast.ip().orElseThrow().destination()).hasToString("/255.255.255.255");
      client.askFor("10.9.9.9");
      Frame refusal = client.frame();
      assertThat(refusal.destination()).isEqualTo(MacAddress.BROADCAST);
      assertThat(message(refusal).type()).isEqualTo(DhcpMessage.NAK);
      assertThat(message(refusal).text(DhcpMessage.MESSAGE))
          .contains("the address is not of this network");
      assertThat(dhcp.events()).hasSize(3);
    }
  }

  @Test
  void answersARelayOfItsNetworkAndReturnsItsInformation() throws InterruptedException {
    EthernetHost relay = EthernetHost.on(LAN).address("192.168.1.2/24").start(segments);
    BlockingQueue<DhcpMessage> relayed = new LinkedBlockingQueue<>();
    relay.bind(
        67, (payload, source, port) -> relayed.add(DhcpMessage.parse(payload).orElseThrow()));
    Client client = new Client(CARD);
    byte[] circuit = {1, 2, 7, 7};
    try (DhcpServer dhcp = server().start()) {
      client.say(
          DhcpMessage.DISCOVER,
          false,
          "0.0.0.0",
          "192.168.1.2",
          Map.of(DhcpMessage.RELAY_INFORMATION, circuit));
      DhcpMessage offer = Optional.ofNullable(relayed.poll(10, TimeUnit.SECONDS)).orElseThrow();
      assertThat(offer.options().get(DhcpMessage.RELAY_INFORMATION)).isEqualTo(circuit);
      assertThat(offer.relay()).isEqualTo(Ipv4.parse("192.168.1.2"));
      client.say(DhcpMessage.DISCOVER, false, "0.0.0.0", "10.0.0.1", Map.of());
      assertThat(dhcp.awaitEvent(DhcpEvent.Ignored.class, LONG).reason())
          .isEqualTo("it is relayed from another network");
    }
  }

  @Test
  void knowsAClientByItsIdentifierAndElseByItsCard() throws InterruptedException {
    Client client = new Client(CARD);
    Map<Integer, byte[]> one = Map.of(DhcpMessage.CLIENT_ID, new byte[] {0, 1});
    Map<Integer, byte[]> two = Map.of(DhcpMessage.CLIENT_ID, new byte[] {0, 2});
    try (DhcpServer dhcp = server().start()) {
      assertThat(client.lease(one)).isEqualTo("192.168.1.10");
      assertThat(client.lease(two)).isEqualTo("192.168.1.11");
      assertThat(client.lease(Map.of())).isEqualTo("192.168.1.12");
      assertThat(client.lease(one)).isEqualTo("192.168.1.10");
      assertThat(new Client(OTHER).lease(two)).isEqualTo("192.168.1.11");
      assertThat(dhcp.leases()).hasSize(3);
    }
  }

  @Test
  void keepsAFixedAddressForItsCard() throws InterruptedException {
    try (DhcpServer dhcp =
        server().fixed(OTHER, "192.168.1.10").fixed(CARD, "192.168.1.200").start()) {
      assertThat(new Client(CARD).lease(Map.of())).isEqualTo("192.168.1.200");
      assertThat(new Client(OTHER).lease(asking("192.168.1.12"))).isEqualTo("192.168.1.10");
      Map<Integer, byte[]> loader = Map.of(DhcpMessage.CLIENT_ID, new byte[] {0, 1});
      assertThat(new Client(OTHER).lease(loader)).isEqualTo("192.168.1.10");
      assertThat(new Client(MacAddress.random()).lease(Map.of())).isEqualTo("192.168.1.11");
      assertThat(dhcp.leases()).hasSize(3);
    }
  }

  @Test
  void givesAnAddressThatWasReleasedBackToItsClientUnlessThePoolIsShort()
      throws InterruptedException {
    Client client = new Client(CARD);
    try (DhcpServer dhcp = server().start()) {
      assertThat(client.lease(Map.of())).isEqualTo("192.168.1.10");
      client.say(DhcpMessage.RELEASE, false, "192.168.1.10", Map.of());
      assertThat(dhcp.awaitEvent(DhcpEvent.Released.class, LONG).client()).isEqualTo(CARD);
      assertThat(dhcp.leases()).isEmpty();
      assertThatThrownBy(() -> dhcp.awaitLease(Duration.ofMillis(50)))
          .isInstanceOf(WaitTimeoutException.class)
          .hasMessageContainingAll("DHCP lease of host", "Released");
      assertThat(new Client(OTHER).lease(Map.of())).isEqualTo("192.168.1.11");
      assertThat(client.lease(Map.of())).isEqualTo("192.168.1.10");
      client.say(DhcpMessage.RELEASE, false, "192.168.1.10", Map.of());
      assertThat(new Client(MacAddress.random()).lease(Map.of())).isEqualTo("192.168.1.12");
      assertThat(new Client(MacAddress.random()).lease(Map.of())).isEqualTo("192.168.1.10");
      client.say(DhcpMessage.DISCOVER, false, "0.0.0.0", Map.of());
      assertThat(dhcp.awaitEvent(DhcpEvent.Ignored.class, LONG).reason())
          .isEqualTo("no address is free");
    }
  }

  @Test
  void keepsAwayFromAnAddressThatAClientDeclined() throws InterruptedException {
    Client client = new Client(CARD);
    try (DhcpServer dhcp = server().start()) {
      assertThat(client.lease(Map.of())).isEqualTo("192.168.1.10");
      client.say(DhcpMessage.DECLINE, false, "0.0.0.0", asking("192.168.1.10"));
      assertThat(dhcp.awaitEvent(DhcpEvent.Declined.class, LONG).address())
          .hasToString("/192.168.1.10");
      assertThat(client.lease(asking("192.168.1.10"))).isEqualTo("192.168.1.11");
    }
  }

  @Test
  void confirmsAnAddressAfterARestartOfEither() throws InterruptedException {
    Client client = new Client(CARD);
    try (DhcpServer dhcp = server().start()) {
      client.lease(Map.of());
      client.askFor("192.168.1.10");
      assertThat(client.answer().type()).isEqualTo(DhcpMessage.ACK);
      client.askFor("192.168.1.11");
      assertThat(client.answer().type()).isEqualTo(DhcpMessage.NAK);
      assertThat(dhcp.leases()).hasSize(1);
    }
    segments.loop().call(() -> {});
    try (DhcpServer dhcp = server().start()) {
      client.askFor("192.168.1.12");
      assertThat(client.answer().type()).isEqualTo(DhcpMessage.ACK);
      assertThat(dhcp.awaitEvent(DhcpEvent.Granted.class, LONG).request())
          .isEqualTo(DhcpEvent.Request.INIT_REBOOT);
    }
  }

  @Test
  void leavesOtherServersTheirClientsIfItIsToldTo() throws InterruptedException {
    Client client = new Client(CARD);
    try (DhcpServer dhcp = server().notAuthoritative().start()) {
      client.askFor("10.9.9.9");
      assertThat(dhcp.awaitEvent(DhcpEvent.Ignored.class, LONG).type())
          .isEqualTo(DhcpMessage.REQUEST);
      client.say(DhcpMessage.DISCOVER, false, "0.0.0.0", Map.of());
      assertThat(client.answer().type()).isEqualTo(DhcpMessage.OFFER);
    }
  }

  @Test
  void takesBackAnOfferWhenTheClientTakesAnother() throws InterruptedException {
    Client client = new Client(CARD);
    try (DhcpServer dhcp = server().start()) {
      client.say(DhcpMessage.DISCOVER, false, "0.0.0.0", Map.of());
      client.answer();
      Map<Integer, byte[]> options = new TreeMap<>(asking("192.168.1.77"));
      options.put(DhcpMessage.SERVER_ID, DhcpOptions.addresses(Ipv4.parse("192.168.1.3")));
      client.say(DhcpMessage.REQUEST, false, "0.0.0.0", options);
      assertThat(dhcp.awaitEvent(DhcpEvent.Ignored.class, LONG).reason())
          .isEqualTo("it takes the offer of 192.168.1.3");
      assertThat(new Client(OTHER).lease(Map.of())).isEqualTo("192.168.1.10");
    }
  }

  @Test
  void tellsAClientThatHasAnAddressTheRest() throws InterruptedException {
    Client client = new Client(CARD);
    EthernetHost.on(LAN).mac(CARD).address("192.168.1.50/24").start(segments);
    try (DhcpServer dhcp = server().domain("lan").start();
        FrameLog log = segments.get(LAN).log()) {
      client.say(DhcpMessage.INFORM, false, "192.168.1.50", Map.of());
      assertThat(dhcp.awaitEvent(DhcpEvent.Informed.class, LONG).address())
          .hasToString("/192.168.1.50");
      DhcpMessage answer =
          message(log.await(f -> f.dhcp().filter(ack -> ack.type() == 5).isPresent(), LONG));
      assertThat(answer.yourAddress()).isZero();
      assertThat(answer.text(DhcpMessage.DOMAIN)).contains("lan");
      assertThat(answer.options()).doesNotContainKey(DhcpMessage.LEASE_TIME);
      assertThat(dhcp.leases()).isEmpty();
    }
  }

  @Test
  void saysWhereToBootFromAndHowToReachOtherNetworks() throws InterruptedException {
    Client client = new Client(CARD);
    try (DhcpServer dhcp =
        server()
            .router("192.168.1.1")
            .route("10.8.0.0/13", "192.168.1.2")
            .bootFile("boot.scr")
            .option(42, Ipv4.toInet(Ipv4.parse("192.168.1.3")))
            .option(252, "http://wpad/")
            .option(DhcpMessage.SUBNET_MASK, new byte[] {-1, -1, -1, -128})
            .start()) {
      client.say(
          DhcpMessage.DISCOVER,
          false,
          "0.0.0.0",
          Map.of(DhcpMessage.LEASE_TIME, new byte[] {0, 0, 0, 9}));
      DhcpMessage offer = client.answer();
      assertThat(offer.bootFile()).isEqualTo("boot.scr");
      assertThat(offer.text(DhcpMessage.BOOT_FILE)).contains("boot.scr");
      assertThat(offer.nextServer()).isEqualTo(Ipv4.parse("192.168.1.1"));
      assertThat(offer.text(DhcpMessage.TFTP_SERVER)).contains("192.168.1.1");
      // RFC 3442: the prefix length, what of the network matters, the router.
      assertThat(offer.options().get(DhcpMessage.ROUTES))
          .containsExactly(13, 10, 8, 192, 168, 1, 2, 0, 192, 168, 1, 1);
      assertThat(offer.addresses(42)).containsExactly(Ipv4.parse("192.168.1.3"));
      assertThat(offer.text(252)).contains("http://wpad/");
      assertThat(offer.addresses(DhcpMessage.SUBNET_MASK)).containsExactly(0xffff_ff80);
      assertThat(offer.seconds(DhcpMessage.LEASE_TIME)).contains(9L);
      assertThat(offer.seconds(DhcpMessage.REBINDING_TIME)).contains(7L);
      assertThat(dhcp.events()).hasSize(1);
    }
  }

  @Test
  void servesAClientThatKnowsOnlyBootp() throws InterruptedException {
    Client client = new Client(CARD);
    try (DhcpServer dhcp = server().router("192.168.1.1").bootFile("vmlinux").start()) {
      client.say(0, false, "0.0.0.0", Map.of());
      DhcpMessage answer = client.answer();
      assertThat(answer.type()).isZero();
      assertThat(answer.yourAddress()).isEqualTo(Ipv4.parse("192.168.1.10"));
      assertThat(answer.bootFile()).isEqualTo("vmlinux");
      assertThat(answer.addresses(DhcpMessage.ROUTER)).containsExactly(Ipv4.parse("192.168.1.1"));
      assertThat(answer.options())
          .doesNotContainKeys(DhcpMessage.SERVER_ID, DhcpMessage.LEASE_TIME);
      DhcpEvent.Granted granted = dhcp.awaitEvent(DhcpEvent.Granted.class, LONG);
      assertThat(granted.request()).isEqualTo(DhcpEvent.Request.BOOTP);
      assertThat(dhcp.leases()).containsExactly(granted.binding());
      assertThat(new Client(OTHER).lease(Map.of())).isEqualTo("192.168.1.11");
    }
  }

  @Test
  void findsRoomForOptionsOfAnyNumber() throws InterruptedException {
    Client client = new Client(CARD);
    String text = "x".repeat(200);
    String longer = "z".repeat(300);
    DhcpServerBuilder builder = server().option(160, text).option(250, longer);
    for (int code = 200; code < 204; code++) {
      builder.option(code, "y".repeat(30));
    }
    try (DhcpServer dhcp = builder.start()) {
      byte[] wanted = {(byte) 160, (byte) 200, (byte) 201, (byte) 202, (byte) 203};
      client.say(DhcpMessage.DISCOVER, false, "0.0.0.0", Map.of(DhcpMessage.PARAMETERS, wanted));
      Frame frame = client.frame();
      assertThat(frame.udp().orElseThrow().payload().remaining()).isLessThanOrEqualTo(548);
      DhcpMessage offer = message(frame);
      assertThat(offer.text(160)).contains(text);
      assertThat(offer.text(203)).contains("y".repeat(30));
      assertThat(offer.options()).containsKeys(DhcpMessage.OVERLOAD, DhcpMessage.LEASE_TIME);
      client.say(
          DhcpMessage.DISCOVER, false, "0.0.0.0", Map.of(DhcpMessage.MAX_SIZE, new byte[] {5, 0}));
      DhcpMessage roomy = client.answer();
      assertThat(roomy.options()).doesNotContainKey(DhcpMessage.OVERLOAD);
      assertThat(roomy.text(250)).contains(longer);
      assertThat(dhcp.events()).hasSize(2);
    }
  }

  @Test
  void isUndisturbedByWhatIsNoMessage() throws InterruptedException {
    Client client = new Client(CARD);
    try (DhcpServer dhcp = server().start()) {
      client.station.send(udp(CARD, "0.0.0.0", ByteBuffer.allocate(300)));
      client.station.send(udp(CARD, "0.0.0.0", ByteBuffer.allocate(3)));
      client.say(99, false, "0.0.0.0", Map.of());
      client.say(DhcpMessage.REQUEST, false, "0.0.0.0", Map.of());
      client.say(DhcpMessage.INFORM, false, "0.0.0.0", Map.of());
      client.say(DhcpMessage.RELEASE, false, "192.168.1.10", Map.of());
      client.say(DhcpMessage.DECLINE, false, "0.0.0.0", asking("192.168.1.10"));
      assertThat(client.lease(Map.of())).isEqualTo("192.168.1.10");
      assertThat(dhcp.events().stream().filter(DhcpEvent.Ignored.class::isInstance)).hasSize(5);
    }
  }

  @Test
  void refusesSettingsThatMeanNothing() {
    EthernetHost nameless = EthernetHost.on(LAN).name("nameless").start(segments);
    assertThatIllegalStateException()
        .isThrownBy(() -> DhcpServer.on(nameless))
        .withMessageContainingAll("nameless", "address(");
    DhcpServerBuilder builder = DhcpServer.on(host).pool("192.168.1.10", "192.168.1.20");
    assertThatIllegalStateException()
        .isThrownBy(() -> builder.pool("192.168.1.30", "192.168.1.40"))
        .withMessageContaining("a pool was given before");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> DhcpServer.on(host).pool("192.168.1.20", "192.168.1.10"))
        .withMessageContaining("swap the two");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.router("10.0.0.1"))
        .withMessageContainingAll("10.0.0.1", "192.168.1.1/24");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.route("10.8.0.1/16", "192.168.1.2"))
        .withMessageContaining("write 10.8.0.0/16");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.option(53, new byte[1]))
        .withMessageContaining("the server fills it in");
    builder.domain("lan");
    assertThatIllegalStateException()
        .isThrownBy(() -> builder.option(15, "home".getBytes(StandardCharsets.UTF_8)))
        .withMessageContaining("option 15 was given before");
    assertThatIllegalArgumentException().isThrownBy(() -> builder.lease(Duration.ofMillis(1)));
    DhcpServer running = builder.start();
    assertThatThrownBy(() -> DhcpServer.on(host).start())
        .isInstanceOf(NetworkException.class)
        .hasMessageContaining("port 67");
    running.close();
    running.close();
  }
}
