package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.liminix.net.Network.LAN;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;

class EthernetHostTest {
  private static final Duration SHORT = Duration.ofMillis(300);
  private static final Duration LONG = Duration.ofSeconds(20);

  private final Segments segments = Segments.isolated();

  @AfterEach
  void close() {
    segments.close();
  }

  private EthernetHost host(String address) {
    return EthernetHost.on(LAN).address(address).start(segments);
  }

  @Test
  void pingsAnotherHostWhichSeesWhereThePingCameFrom() {
    EthernetHost a = host("10.0.0.1/24");
    EthernetHost b = host("10.0.0.2/24");
    Ping ping = a.ping("10.0.0.2", LONG);
    assertThat(ping.target()).hasToString("/10.0.0.2");
    assertThat(ping.roundTrip()).isPositive().isLessThan(LONG);
    assertThat(ping.ttl()).isEqualTo(64);
    assertThat(b.receivedPings())
        .singleElement()
        .satisfies(
            received -> {
              assertThat(received.source()).hasToString("/10.0.0.1");
              assertThat(received.sourceMac()).isEqualTo(a.macAddress());
              assertThat(received.ttl()).isEqualTo(64);
            });
    assertThat(b.awaitPing(received -> received.sequence() == 0, SHORT)).isNotNull();
  }

  @Test
  void pingsItself() {
    EthernetHost a = host("10.0.0.1/24");
    assertThat(a.ping("10.0.0.1", LONG).requests()).isEqualTo(1);
  }

  @Test
  void pingsTwoHostsAtOnceWithoutMixingThemUp() throws InterruptedException {
    EthernetHost a = host("10.0.0.1/24");
    EthernetHost b = host("10.0.0.2/24");
    host("10.0.0.3/24");
    BlockingQueue<String> targets = new LinkedBlockingQueue<>();
    for (String target : new String[] {"10.0.0.2", "10.0.0.3"}) {
      new Thread(() -> targets.add(a.ping(target, LONG).target().getHostAddress())).start();
    }
    assertThat(List.of(take(targets), take(targets)))
        .containsExactlyInAnyOrder("10.0.0.2", "10.0.0.3");
    assertThat(b.receivedPings()).hasSize(1);
  }

  private static String take(BlockingQueue<String> queue) throws InterruptedException {
    return Optional.ofNullable(queue.poll(10, TimeUnit.SECONDS)).orElse("(nothing)");
  }

  @Test
  void saysWhyAPingFailed() {
    EthernetHost a = host("10.0.0.1/24");
    EthernetHost lost =
        EthernetHost.on(LAN).address("10.0.0.9/24").gateway("10.0.0.254").start(segments);
    EthernetHost bare = EthernetHost.on(LAN).start(segments);
    Duration patience = Duration.ofSeconds(4);
    assertThat(reason(bare, "10.0.0.1", patience)).isEqualTo(PingFailedException.Reason.NO_ROUTE);
    assertThat(reason(a, "8.8.8.8", patience)).isEqualTo(PingFailedException.Reason.NO_ROUTE);
    assertThat(reason(a, "10.0.0.77", patience)).isEqualTo(PingFailedException.Reason.NO_ARP_REPLY);
    assertThatThrownBy(() -> lost.ping("8.8.8.8", patience))
        .isInstanceOf(PingFailedException.class)
        .hasMessageContainingAll("8.8.8.8", "10.0.0.254", "does not answer ARP", "within 4 s");
  }

  private static PingFailedException.Reason reason(EthernetHost host, String to, Duration timeout) {
    return catchThrowableOfType(PingFailedException.class, () -> host.ping(to, timeout)).reason();
  }

  @Test
  void saysThatNothingCameBack() {
    EthernetHost a = host("10.0.0.1/24");
    EthernetHost gone = host("10.0.0.2/24");
    a.ping("10.0.0.2", LONG);
    gone.close(); // and a still knows its card
    assertThat(reason(a, "10.0.0.2", SHORT)).isEqualTo(PingFailedException.Reason.NO_REPLY);
  }

  @Test
  void givesUpAPingWhenItsThreadIsInterrupted() throws InterruptedException {
    EthernetHost a = host("10.0.0.1/24");
    CountDownLatch interrupted = new CountDownLatch(1);
    Thread thread =
        new Thread(
            () -> {
              try {
                a.ping("10.0.0.2", Duration.ofHours(1));
              } catch (WaitInterruptedException e) {
                interrupted.countDown();
              }
            });
    thread.start();
    thread.interrupt();
    assertThat(interrupted.await(10, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void refusesToWaitOnItsOwnLoop() {
    EthernetHost a = host("10.0.0.1/24");
    assertThatThrownBy(() -> segments.loop().call(() -> a.ping("10.0.0.1", SHORT)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("use another thread");
  }

  @Test
  void saysWhichPingsCameWhenTheAwaitedOneDidNot() {
    EthernetHost a = host("10.0.0.1/24");
    EthernetHost b = host("10.0.0.2/24");
    a.ping("10.0.0.2", LONG);
    assertThatThrownBy(() -> b.awaitPing(ping -> ping.ttl() == 1, SHORT))
        .isInstanceOf(WaitTimeoutException.class)
        .hasMessageContainingAll(b.name(), "10.0.0.1");
  }

  @Test
  void exchangesDatagramsOfAnySizeOnAnyPort() throws InterruptedException {
    EthernetHost server = host("10.0.0.1/24");
    EthernetHost client = host("10.0.0.2/24");
    server.bind(69, (payload, source, port) -> port.send(payload, source));
    BlockingQueue<String> echoes = new LinkedBlockingQueue<>();
    DatagramEndpoint endpoint =
        client.bind(
            0,
            (payload, source, port) ->
                echoes.add(StandardCharsets.US_ASCII.decode(payload) + " from " + source));
    assertThat(endpoint.localAddress().getPort()).isGreaterThanOrEqualTo(49_152);
    for (int length : new int[] {0, 1, 1472, 1473, 9001, 65_507}) {
      ByteBuffer payload = ByteBuffer.wrap("x".repeat(length).getBytes(StandardCharsets.US_ASCII));
      endpoint.send(payload, new InetSocketAddress("10.0.0.1", 69));
      assertThat(echoes.poll(10, TimeUnit.SECONDS))
          .isEqualTo("x".repeat(length) + " from /10.0.0.1:69");
    }
  }

  @Test
  void refusesADatagramThatIsTooLong() {
    DatagramEndpoint endpoint = host("10.0.0.1/24").bind(0, (payload, source, port) -> {});
    assertThatThrownBy(
            () -> endpoint.send(ByteBuffer.allocate(65_508), new InetSocketAddress("10.0.0.2", 69)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("65507");
  }

  @Test
  void opensAPortOnlyOnceAndAgainAfterItWasClosed() {
    EthernetHost host = host("10.0.0.1/24");
    DatagramEndpoint first = host.bind(69, (payload, source, port) -> {});
    assertThatThrownBy(() -> host.bind(69, (payload, source, port) -> {}))
        .isInstanceOf(NetworkException.class)
        .hasMessageContainingAll("69", host.name(), "in use");
    first.close();
    first.close();
    host.bind(69, (payload, source, port) -> {}).close();
  }

  @Test
  void rejectsMisuseOfItsBuilderAtOnce() {
    assertThatThrownBy(() -> EthernetHost.on(LAN).address("10.0.0.2"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("10.0.0.2/24");
    assertThatThrownBy(() -> EthernetHost.on(LAN).address("10.0.0.2/24").dhcp())
        .hasMessageContaining("leave out one");
    assertThatThrownBy(() -> EthernetHost.on(LAN).dhcp().address("10.0.0.2/24"))
        .hasMessageContaining("leave out one");
    assertThatThrownBy(() -> EthernetHost.on(LAN).dhcp().dhcp()).hasMessageContaining("once");
    assertThatThrownBy(() -> EthernetHost.on(LAN).gateway("10.0.0.1"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("before the gateway");
    assertThatThrownBy(() -> EthernetHost.on(LAN).address("10.0.0.2/24").gateway("10.0.1.1"))
        .hasMessageContaining("of the network");
    assertThatThrownBy(() -> EthernetHost.on(LAN).mac(MacAddress.BROADCAST))
        .hasMessageContaining("group");
    assertThatThrownBy(() -> EthernetHost.on(LAN).name("a").name("b"))
        .hasMessageContaining("\"a\"");
  }

  @Test
  void aSpecificationStartsAnyNumberOfDifferentHosts() {
    Spec<EthernetHost> spec = EthernetHost.on(LAN).spec();
    EthernetHost one = spec.start(segments);
    EthernetHost two = spec.start(segments);
    assertThat(one.name()).isNotEqualTo(two.name());
    assertThat(one.macAddress()).isNotEqualTo(two.macAddress());
    assertThat(one.address()).isEmpty();
    one.close();
    one.close();
  }
}
