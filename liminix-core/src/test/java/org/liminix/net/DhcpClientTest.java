package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Network.LAN;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.net.internal.DhcpMessage;
import org.liminix.net.internal.Ipv4;
import org.liminix.process.WaitTimeoutException;

/** Against a server played by the test; a real one answers in the integration tests. */
class DhcpClientTest {
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Duration LONG = Duration.ofSeconds(20);

  private final Segments segments = Segments.isolated();
  private final EthernetHost server =
      EthernetHost.on(LAN).address("192.168.19.1/24").start(segments);
  private final BlockingQueue<DhcpMessage> heard = new LinkedBlockingQueue<>();
  private int leaseSeconds = 3600;
  private int ignored;
  private int refused;

  @AfterEach
  void close() {
    segments.close();
  }

  private void serve() {
    server.bind(
        DhcpMessage.SERVER_PORT,
        (payload, source, port) -> {
          DhcpMessage message = DhcpMessage.parse(payload).orElseThrow();
          heard.add(message);
          DhcpMessage answer = answer(message);
          if (answer != null) {
            port.send(
                answer.encode(),
                message.clientAddress() == 0
                    ? new InetSocketAddress("255.255.255.255", DhcpMessage.CLIENT_PORT)
                    : source);
          }
        });
  }

  private @Nullable DhcpMessage answer(DhcpMessage message) {
    if (ignored > 0) {
      ignored--;
      return null;
    }
    int type = message.type() == DhcpMessage.DISCOVER ? DhcpMessage.OFFER : DhcpMessage.ACK;
    if (type == DhcpMessage.ACK && refused > 0) {
      refused--;
      type = DhcpMessage.NAK;
    }
    Map<Integer, byte[]> options = new TreeMap<>();
    options.put(DhcpMessage.MESSAGE_TYPE, new byte[] {(byte) type});
    options.put(DhcpMessage.SERVER_ID, bytes("192.168.19.1"));
    if (type == DhcpMessage.NAK) {
      options.put(DhcpMessage.MESSAGE, "not you".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    } else {
      options.put(DhcpMessage.SUBNET_MASK, bytes("255.255.255.0"));
      options.put(DhcpMessage.ROUTER, bytes("192.168.19.1"));
      options.put(DhcpMessage.DNS, bytes("192.168.19.1", "9.9.9.9"));
      options.put(DhcpMessage.LEASE_TIME, ByteBuffer.allocate(4).putInt(leaseSeconds).array());
    }
    return new DhcpMessage(
        false,
        message.transaction(),
        message.clientAddress(),
        Ipv4.parse("192.168.19.50"),
        message.hardwareAddress(),
        options);
  }

  private static byte[] bytes(String... addresses) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * addresses.length);
    for (String address : addresses) {
      bytes.putInt(Ipv4.parse(address));
    }
    return bytes.array();
  }

  private DhcpMessage nextHeard() throws InterruptedException {
    return Optional.ofNullable(heard.poll(10, TimeUnit.SECONDS)).orElseThrow();
  }

  @Test
  void goesThroughDiscoveryStepByStep() throws InterruptedException {
    serve();
    EthernetHost pc = EthernetHost.on(LAN).name("pc").start(segments);
    DhcpOffer offer = pc.discover(LONG);
    assertThat(offer.address()).hasToString("/192.168.19.50");
    assertThat(offer.prefixLength()).isEqualTo(24);
    assertThat(offer.router().orElseThrow()).hasToString("/192.168.19.1");
    assertThat(offer.serverId()).hasToString("/192.168.19.1");
    assertThat(offer.dns())
        .extracting(Object::toString)
        .containsExactly("/192.168.19.1", "/9.9.9.9");
    assertThat(offer.leaseTime()).isEqualTo(Duration.ofHours(1));
    assertThat(pc.address()).isEmpty();
    assertThat(pc.lease()).isEmpty();

    DhcpLease lease = pc.request(offer, LONG);
    assertThat(lease.terms()).isEqualTo(offer);
    assertThat(pc.lease()).hasValue(lease);
    assertThat(pc.address()).hasValue(offer.address());
    pc.ping("192.168.19.1", LONG);

    DhcpMessage discover = nextHeard();
    assertThat(discover.type()).isEqualTo(DhcpMessage.DISCOVER);
    assertThat(discover.hardwareAddress()).isEqualTo(pc.macAddress().toLong());
    assertThat(discover.text(DhcpMessage.HOST_NAME)).hasValue("pc");
    DhcpMessage request = nextHeard();
    assertThat(request.type()).isEqualTo(DhcpMessage.REQUEST);
    assertThat(request.addresses(DhcpMessage.REQUESTED_ADDRESS))
        .containsExactly(Ipv4.parse("192.168.19.50"));
    assertThat(request.addresses(DhcpMessage.SERVER_ID))
        .containsExactly(Ipv4.parse("192.168.19.1"));
  }

  @Test
  void getsALeaseInOneCall() {
    serve();
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    assertThat(pc.dhcp().router().orElseThrow()).hasToString("/192.168.19.1");
  }

  @Test
  void getsALeaseInTheBackgroundFromAServerThatComesLater() {
    EthernetHost pc = EthernetHost.on(LAN).dhcp().start(segments);
    assertThatThrownBy(() -> pc.awaitLease(SHORT))
        .isInstanceOf(WaitTimeoutException.class)
        .hasMessageContaining("DHCP lease for " + pc.name());
    serve();
    assertThat(pc.awaitLease(LONG).address()).hasToString("/192.168.19.50");
    assertThat(pc.awaitLease(SHORT)).isNotNull();
  }

  @Test
  void asksAgainWhenAMessageIsLost() {
    ignored = 2;
    serve();
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    assertThat(pc.dhcp(LONG).address()).hasToString("/192.168.19.50");
    assertThat(heard).extracting(DhcpMessage::type).containsExactly(1, 1, 1, 3);
  }

  @Test
  void startsAgainWhenTheServerChangesItsMind() {
    refused = 1;
    serve();
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    pc.dhcp(LONG);
    assertThat(heard).extracting(DhcpMessage::type).containsExactly(1, 3, 1, 3);
  }

  @Test
  void reportsARefusalInTheServersWords() {
    refused = 1;
    serve();
    EthernetHost pc = EthernetHost.on(LAN).name("pc").start(segments);
    DhcpOffer offer = pc.discover(LONG);
    assertThatThrownBy(() -> pc.request(offer, LONG))
        .isInstanceOf(NetworkException.class)
        .hasMessageContainingAll("pc", "192.168.19.1", "not you");
  }

  @Test
  void stopsAskingWhenTheCallerGivesUp() throws InterruptedException {
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    assertThatThrownBy(() -> pc.discover(SHORT)).isInstanceOf(WaitTimeoutException.class);
    segments.loop().call(() -> {});
    serve();
    assertThat(heard.poll(1, TimeUnit.SECONDS)).isNull();
  }

  @Test
  void renewsItsLeaseWithTheServerThatGaveIt() throws InterruptedException {
    leaseSeconds = 3;
    serve();
    EthernetHost pc = EthernetHost.on(LAN).dhcp().start(segments);
    pc.awaitLease(LONG);
    nextHeard();
    nextHeard();
    DhcpMessage renewal = nextHeard();
    assertThat(renewal.type()).isEqualTo(DhcpMessage.REQUEST);
    assertThat(renewal.clientAddress()).isEqualTo(Ipv4.parse("192.168.19.50"));
    assertThat(renewal.options()).doesNotContainKey(DhcpMessage.SERVER_ID);
  }

  @Test
  void ignoresWhatIsNotForIt() {
    server.bind(
        DhcpMessage.SERVER_PORT,
        (payload, source, port) -> {
          DhcpMessage message = DhcpMessage.parse(payload).orElseThrow();
          InetSocketAddress to = new InetSocketAddress("255.255.255.255", 68);
          DhcpMessage answer = answer(message);
          if (answer == null) {
            return;
          }
          port.send(ByteBuffer.allocate(3), to);
          port.send(answer.encode().limit(240), to);
          port.send(
              new DhcpMessage(
                      false,
                      message.transaction() + 1,
                      0,
                      1,
                      message.hardwareAddress(),
                      answer.options())
                  .encode(),
              to);
          port.send(
              new DhcpMessage(false, message.transaction(), 0, 1, 42, answer.options()).encode(),
              to);
          port.send(answer.encode(), to);
        });
    EthernetHost pc = EthernetHost.on(LAN).start(segments);
    assertThat(pc.dhcp(LONG).address()).hasToString("/192.168.19.50");
  }
}
