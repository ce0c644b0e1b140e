package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Frames.frame;
import static org.liminix.net.Network.LAN;

import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SwitchTest {
  private static final MacAddress A = MacAddress.parse("02:00:00:00:00:0a");
  private static final MacAddress B = MacAddress.parse("02:00:00:00:00:0b");
  private static final MacAddress C = MacAddress.parse("02:00:00:00:00:0c");

  private final Segments segments = Segments.isolated();
  private final Segment lan = segments.get(LAN);
  private final Frames atA = new Frames();
  private final Frames atB = new Frames();
  private final Frames atC = new Frames();
  private final Station a = lan.attach("a", atA);
  private final Station b = lan.attach("b", atB);
  private final Station c = lan.attach("c", atC);

  @AfterEach
  void close() {
    segments.close();
  }

  @Test
  void floodsABroadcastToEverybodyButItsSender() throws InterruptedException {
    a.send(frame(MacAddress.BROADCAST, A, "hello"));
    assertThat(atB.next()).isEqualTo("hello");
    assertThat(atC.next()).isEqualTo("hello");
    assertThat(atA.isEmpty()).isTrue();
  }

  @Test
  void floodsWhatIsForAnUnknownStationAndThenLearnsWhereItIs() throws InterruptedException {
    a.send(frame(B, A, "who are you"));
    assertThat(atB.next()).isEqualTo("who are you");
    assertThat(atC.next()).isEqualTo("who are you");
    b.send(frame(A, B, "b"));
    assertThat(atA.next()).isEqualTo("b");
    a.send(frame(B, A, "between us"));
    a.send(frame(MacAddress.BROADCAST, A, "for all"));
    assertThat(atB.next()).isEqualTo("between us");
    assertThat(atC.next()).isEqualTo("for all");
  }

  @Test
  void followsAStationThatMovesToAnotherPort() throws InterruptedException {
    a.send(frame(MacAddress.BROADCAST, A, "here"));
    assertThat(atC.next()).isEqualTo("here");
    b.send(frame(MacAddress.BROADCAST, A, "now there"));
    assertThat(atC.next()).isEqualTo("now there");
    c.send(frame(A, C, "found"));
    assertThat(atB.next()).isEqualTo("here");
    assertThat(atB.next()).isEqualTo("found");
    assertThat(atA.next()).isEqualTo("now there");
    assertThat(atA.isEmpty()).isTrue();
  }

  @Test
  void floodsAgainWhatIsForAStationThatLeft() throws InterruptedException {
    b.send(frame(MacAddress.BROADCAST, B, "here"));
    assertThat(atA.next()).isEqualTo("here");
    assertThat(atC.next()).isEqualTo("here");
    b.close();
    a.send(frame(B, A, "still there?"));
    assertThat(atC.next()).isEqualTo("still there?");
    assertThat(atB.isEmpty()).isTrue();
  }

  @Test
  void neverSendsAFrameBackToWhereItCameFrom() throws InterruptedException {
    a.send(frame(MacAddress.BROADCAST, A, "a is here"));
    a.send(frame(A, A, "to myself"));
    a.send(frame(MacAddress.BROADCAST, A, "end"));
    assertThat(atB.next()).isEqualTo("a is here");
    assertThat(atB.next()).isEqualTo("end");
    assertThat(atA.isEmpty()).isTrue();
  }

  @Test
  void twoStationsThatAnswerEachOtherNeitherRecurseNorStarveTheRest() throws InterruptedException {
    AtomicInteger rallies = new AtomicInteger();
    CountDownLatch enough = new CountDownLatch(1);
    Station[] players = new Station[2];
    MacAddress[] addresses = {MacAddress.random(), MacAddress.random()};
    for (int i = 0; i < 2; i++) {
      int me = i;
      players[i] =
          lan.attach(
              "player " + i,
              frame -> {
                if (Frames.text(frame).equals("ball")
                    && MacAddress.read(frame).equals(addresses[me])) {
                  players[me].send(frame(addresses[1 - me], addresses[me], "ball"));
                  if (rallies.incrementAndGet() == 100_000) {
                    enough.countDown();
                  }
                }
              });
    }
    players[0].send(frame(addresses[1], addresses[0], "ball"));
    assertThat(enough.await(30, TimeUnit.SECONDS)).isTrue();
    segments.loop().call(() -> {}); // the game goes on, yet the loop listens
  }

  @Test
  void aHandlerThatFailsHarmsNobodyElse() throws InterruptedException {
    lan.attach(
        "broken",
        frame -> {
          throw new IllegalStateException("on purpose");
        });
    Frames last = new Frames();
    lan.attach("last", last);
    a.send(frame(MacAddress.BROADCAST, A, "one"));
    a.send(frame(MacAddress.BROADCAST, A, "two"));
    assertThat(last.next()).isEqualTo("one");
    assertThat(last.next()).isEqualTo("two");
  }

  @Test
  void aHandlerCannotChangeWhatTheOthersSee() throws InterruptedException {
    lan.attach("greedy", frame -> frame.position(frame.limit()));
    Frames last = new Frames();
    lan.attach("last", last);
    ByteBuffer hello = frame(MacAddress.BROADCAST, A, "hello");
    a.send(hello);
    assertThat(hello.position()).isZero();
    assertThat(last.next()).isEqualTo("hello");
  }

  @Test
  void dropsWithACountWhatAStationSendsFasterThanTheSegmentCarries() throws InterruptedException {
    ByteBuffer big = ByteBuffer.allocate(60_000);
    segments
        .loop()
        .call(
            () -> {
              for (int i = 0; i < 100; i++) {
                a.send(big);
              }
            });
    assertThat(a.dropped()).isBetween(1L, 99L);
    a.send(frame(MacAddress.BROADCAST, A, "after"));
  }

  @Test
  void countsWhatPassesBetweenEachStationAndTheSwitch() throws InterruptedException {
    b.send(frame(MacAddress.BROADCAST, B, "to all"));
    a.send(frame(B, A, "to b"));
    lan.cable("c").pull();
    c.send(frame(MacAddress.BROADCAST, C, "lost"));
    assertThat(atA.next()).isEqualTo("to all");
    assertThat(atB.next()).isEqualTo("to b");
    segments.loop().call(() -> {});
    assertThat(lan.statistics())
        .containsExactly(
            new StationStatistics("a", 1, 18, 1, 20, 0),
            new StationStatistics("b", 1, 20, 1, 18, 0),
            new StationStatistics("c", 1, 18, 1, 20, 0));
    segments
        .loop()
        .call(
            () -> {
              for (int i = 0; i < 100; i++) {
                a.send(ByteBuffer.allocate(60_000));
              }
            });
    assertThat(lan.statistics("a").dropped()).isEqualTo(a.dropped()).isPositive();
    assertThatThrownBy(() -> lan.statistics("d"))
        .isInstanceOf(NetworkException.class)
        .hasMessageContaining("a, b, c");
  }

  @Test
  void aThousandIdleSegmentsCostNoThread() {
    int before = Thread.activeCount();
    for (int i = 0; i < 1000; i++) {
      Segment segment = segments.get(Network.named("net" + i));
      segment.attach("one", new Frames());
      EthernetHost.on(segment.network()).address("10.0.0.1/24").start(segments);
    }
    assertThat(segments.all()).hasSize(1001);
    assertThat(Thread.activeCount()).isLessThanOrEqualTo(before);
  }

  @Test
  void refusesAFrameThatNoEthernetCarries() {
    assertThatThrownBy(() -> a.send(ByteBuffer.allocate(100_000)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("100000 bytes");
  }

  @Test
  void keepsNetworksApartAndFindsTheSameOneAgain() throws InterruptedException {
    assertThat(segments.get(LAN)).isSameAs(lan);
    Frames elsewhere = new Frames();
    segments.get(Network.named("dmz")).attach("other", elsewhere);
    a.send(frame(MacAddress.BROADCAST, A, "lan only"));
    assertThat(atB.next()).isEqualTo("lan only");
    assertThat(elsewhere.isEmpty()).isTrue();
    assertThat(segments.all())
        .extracting(Segment::network)
        .containsExactly(LAN, Network.named("dmz"));
  }

  @Test
  void saysThatTheSegmentsAreClosed() {
    segments.close();
    segments.close();
    a.send(frame(B, A, "nobody hears this"));
    a.close();
    assertThatThrownBy(() -> segments.get(LAN))
        .isInstanceOf(NetworkException.class)
        .hasMessageContaining("close them after what runs on them");
  }
}
