package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Frames.frame;

import java.net.DatagramPacket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.MulticastSocket;
import java.net.NetworkInterface;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

class MulticastSegmentTest {
  private static final MacAddress A = MacAddress.parse("02:00:00:00:00:0a");
  private static final MacAddress B = MacAddress.parse("02:00:00:00:00:0b");
  private static final MacAddress C = MacAddress.parse("02:00:00:00:00:0c");

  /** A group of our own, so that tests may run beside each other and beside a real bench. */
  private final Network net = Network.multicast("net", group());

  private static InetSocketAddress group() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    byte[] address = {
      (byte) 239,
      (byte) random.nextInt(1, 255),
      (byte) random.nextInt(256),
      (byte) random.nextInt(1, 255)
    };
    try {
      return new InetSocketAddress(
          InetAddress.getByAddress(address), random.nextInt(20_000, 30_000));
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void membersInDifferentProgramsHearEachOtherAndNotThemselves() throws InterruptedException {
    try (Segments here = Segments.multicast();
        Segments there = Segments.multicast()) {
      Frames atA = new Frames();
      Frames atB = new Frames();
      Frames atC = new Frames();
      Station a = here.get(net).attach("a", atA);
      Station b = there.get(net).attach("b", atB);
      there.get(net).attach("c", atC);
      a.send(frame(MacAddress.BROADCAST, A, "hello"));
      assertThat(atB.next()).isEqualTo("hello");
      assertThat(atC.next()).isEqualTo("hello");
      b.send(frame(A, B, "hello a"));
      assertThat(atA.next()).isEqualTo("hello a");
      a.send(frame(C, A, "hello c"));
      assertThat(atC.next()).isEqualTo("hello c");
      assertThat(atA.isEmpty()).isTrue();
    }
  }

  @Test
  void theGroupSeesWhatStationsOfOneProgramSayToEachOther() throws Exception {
    InetSocketAddress group = net.group().orElseThrow();
    try (Segments here = Segments.multicast();
        MulticastSocket member = new MulticastSocket(group)) {
      member.joinGroup(group, NetworkInterface.getByName("lo"));
      member.setSoTimeout(10_000);
      Frames atA = new Frames();
      Station a = here.get(net).attach("a", atA);
      Station b = here.get(net).attach("b", new Frames());
      a.send(frame(MacAddress.BROADCAST, A, "a is here"));
      b.send(frame(A, B, "only for a"));
      for (String text : new String[] {"a is here", "only for a"}) {
        DatagramPacket packet = new DatagramPacket(new byte[100], 100);
        member.receive(packet);
        assertThat(Frames.text(ByteBuffer.wrap(packet.getData(), 0, packet.getLength())))
            .isEqualTo(text);
      }
      assertThat(atA.next()).isEqualTo("only for a");
    }
  }

  @Test
  void tellsQemuWhichGroupToJoin() {
    try (Segments segments = Segments.multicast();
        Plug plug = segments.get(net).plug("router", Path.of("unused"))) {
      assertThat(plug)
          .isInstanceOfSatisfying(
              Plug.Multicast.class,
              multicast -> {
                assertThat(multicast.group()).isEqualTo(net.group().orElseThrow());
                assertThat(multicast.localAddress().getHostAddress()).isEqualTo("127.0.0.1");
              });
    }
  }

  @Test
  void aPrivateNetworkHasNoPlaceAmongTheSharedOnes() {
    try (Segments segments = Segments.multicast()) {
      assertThatThrownBy(() -> segments.get(Network.named("dmz")))
          .isInstanceOf(NetworkException.class)
          .hasMessageContainingAll("dmz", "Network.multicast", "Segments.isolated()");
    }
  }

  @Test
  void isolatedSegmentsOfASharedNetworkStayPrivate() throws InterruptedException {
    try (Segments here = Segments.isolated();
        Segments there = Segments.multicast()) {
      Frames outside = new Frames();
      Frames atB = new Frames();
      there.get(net).attach("sniffer", outside);
      Station a = here.get(net).attach("a", new Frames());
      here.get(net).attach("b", atB);
      a.send(frame(MacAddress.BROADCAST, A, "private"));
      assertThat(atB.next()).isEqualTo("private");
      there.get(net).attach("late", new Frames()).send(frame(MacAddress.BROADCAST, B, "end"));
      assertThat(outside.next()).isEqualTo("end");
    }
  }

  @Test
  void aBridgeJoinsAPrivateSegmentToTheSharedOne() throws InterruptedException {
    try (Segments here = Segments.isolated();
        Segments there = Segments.multicast()) {
      Segment segment = here.get(net);
      Frames atA = new Frames();
      Frames atB = new Frames();
      Frames outside = new Frames();
      Station a = segment.attach("a", atA);
      Station b = segment.attach("b", atB);
      Station c = there.get(net).attach("c", outside);
      Bridge bridge = segment.bridge(net);
      assertThat(bridge.group()).isEqualTo(net.group().orElseThrow());

      a.send(frame(MacAddress.BROADCAST, A, "a is here"));
      assertThat(outside.next()).isEqualTo("a is here");
      assertThat(atB.next()).isEqualTo("a is here");
      c.send(frame(A, C, "c is here"));
      assertThat(atA.next()).isEqualTo("c is here");
      b.send(frame(A, B, "only for a"));
      assertThat(atA.next()).isEqualTo("only for a");
      a.send(frame(C, A, "only for c"));
      assertThat(outside.next()).isEqualTo("only for c");

      // Own frames come back from the group, and are not carried again.
      assertThat(segment.statistics(bridge.station()))
          .isEqualTo(new StationStatistics(bridge.station(), 1, 23, 2, 47, 0));
      bridge.close();
      bridge.close();
      a.send(frame(MacAddress.BROADCAST, A, "alone"));
      assertThat(atB.next()).isEqualTo("alone");
      c.send(frame(MacAddress.BROADCAST, C, "end"));
      there.get(net).attach("late", new Frames()).send(frame(MacAddress.BROADCAST, B, "end"));
      assertThat(outside.next()).isEqualTo("end");
    }
  }

  @Test
  void refusesABridgeThatWouldCloseARing() {
    InetSocketAddress group = net.group().orElseThrow();
    InetSocketAddress other = new InetSocketAddress(group.getAddress(), group.getPort() + 1);
    try (Segments here = Segments.isolated()) {
      Segment one = here.get(Network.named("one"));
      Segment two = here.get(Network.named("two"));
      one.bridge(group);
      assertThatThrownBy(() -> one.bridge(group))
          .isInstanceOf(NetworkException.class)
          .hasMessageContainingAll("one", group.getAddress().getHostAddress(), "round for ever");
      two.bridge(group);
      Bridge second = one.bridge(other);
      assertThatThrownBy(() -> two.bridge(other)).isInstanceOf(NetworkException.class);
      second.close();
      two.bridge(other).close();
    }
    try (Segments shared = Segments.multicast()) {
      Segment segment = shared.get(net);
      assertThatThrownBy(() -> segment.bridge(net)).isInstanceOf(NetworkException.class);
      assertThatThrownBy(() -> segment.bridge(Network.named("dmz")))
          .isInstanceOf(NetworkException.class)
          .hasMessageContaining("dmz has no multicast group");
    }
  }

  @Test
  void hasTheNumbersOfTheLiminixConvention() {
    assertThat(Network.ACCESS.group()).hasValue(new InetSocketAddress("230.0.0.1", 1234));
    assertThat(Network.LAN.group()).hasValue(new InetSocketAddress("230.0.0.1", 1235));
    assertThat(Network.WORLD.group()).hasValue(new InetSocketAddress("230.0.0.1", 1236));
  }

  @Test
  void refusesAnAddressThatIsNoGroup() {
    assertThatThrownBy(() -> Network.multicast("x", new InetSocketAddress("10.0.0.1", 1234)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("10.0.0.1", "230.0.0.1:1234");
  }

  @Test
  void refusesTwoNetworksOfOneName() {
    try (Segments segments = Segments.isolated()) {
      segments.get(net);
      assertThatThrownBy(() -> segments.get(Network.named("net")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("rename one");
    }
  }
}
