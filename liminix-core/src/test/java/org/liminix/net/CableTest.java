package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Frames.frame;
import static org.liminix.net.MacAddress.BROADCAST;
import static org.liminix.net.Network.LAN;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CableTest {
  private static final MacAddress A = MacAddress.parse("02:00:00:00:00:0a");
  private static final MacAddress B = MacAddress.parse("02:00:00:00:00:0b");
  private static final MacAddress C = MacAddress.parse("02:00:00:00:00:0c");

  private final Segments segments = Segments.isolated();
  private final Segment lan = segments.get(LAN);
  private final Frames atA = new Frames();
  private final Frames atB = new Frames();
  private final Station a = lan.attach("a", atA);
  private final Station b = lan.attach("b", atB);
  private final Station c = lan.attach("c", frame -> {});

  @AfterEach
  void close() {
    segments.close();
  }

  /** What b hears of so many numbers that a sends. */
  private List<String> heard(int count) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      a.send(frame(B, A, Integer.toString(i)));
    }
    c.send(frame(B, C, "end"));
    List<String> heard = new ArrayList<>();
    for (String text = atB.next(); !text.equals("end"); text = atB.next()) {
      heard.add(text);
    }
    return heard;
  }

  @Test
  void losesTheSameFramesEachTimeAndOthersWithAnotherSeed() throws InterruptedException {
    Cable cable = lan.cable("a");
    Impairment half = Impairment.none().loss(0.5).seed(7);
    cable.impair(half);
    List<String> first = heard(1000);
    cable.impair(half);
    assertThat(heard(1000)).isEqualTo(first).hasSizeBetween(400, 600);
    cable.impair(half.seed(8));
    assertThat(heard(1000)).isNotEqualTo(first).hasSizeBetween(400, 600);
    Cable.Counts counts = cable.fromStation().counts();
    assertThat(counts.passed() + counts.lost()).isEqualTo(3000);
    cable.repair();
    assertThat(heard(1000)).hasSize(1000);
  }

  @Test
  void harmsOneDirectionOnly() throws InterruptedException {
    lan.cable("a").toStation().impair(Impairment.none().loss(1));
    b.send(frame(A, B, "lost"));
    assertThat(heard(10)).hasSize(10);
    lan.cable("a").toStation().impair(Impairment.none());
    b.send(frame(A, B, "heard"));
    assertThat(atA.next()).isEqualTo("heard");
  }

  @Test
  void carriesNothingWhileItIsPulled() throws InterruptedException {
    Cable cable = lan.cable("b");
    cable.pull();
    a.send(frame(B, A, "lost"));
    b.send(frame(A, B, "lost, too"));
    cable.plug();
    b.send(frame(A, B, "here"));
    assertThat(atA.next()).isEqualTo("here");
    a.send(frame(B, A, "there"));
    assertThat(atB.next()).isEqualTo("there");
    assertThat(cable.toStation().counts().lost()).isEqualTo(1);
    assertThat(cable.fromStation().counts().lost()).isEqualTo(1);
  }

  @Test
  void carriesNothingOneWayWhileOneWireOfItIsCut() throws InterruptedException {
    Cable cable = lan.cable("b");
    cable.fromStation().pull();
    b.send(frame(A, B, "lost"));
    a.send(frame(B, A, "there"));
    assertThat(atB.next()).isEqualTo("there");
    cable.fromStation().plug();
    b.send(frame(A, B, "here"));
    assertThat(atA.next()).isEqualTo("here");
    assertThat(cable.fromStation().counts().lost()).isEqualTo(1);
    assertThat(cable.toStation().counts().lost()).isZero();
  }

  @Test
  void delaysWhatIsSentSoThatOthersAreFaster() throws InterruptedException {
    lan.cable("a").impair(Impairment.none().delay(Duration.ofSeconds(1)));
    a.send(frame(B, A, "first"));
    c.send(frame(B, C, "second"));
    assertThat(atB.next()).isEqualTo("second");
    assertThat(atB.next()).isEqualTo("first");
  }

  @Test
  void keepsTheOrderWhateverTheJitter() throws InterruptedException {
    lan.cable("b")
        .impair(Impairment.none().delay(Duration.ofMillis(5)).jitter(Duration.ofMillis(5)));
    List<String> heard = heard(300);
    for (int i = 0; i < 300; i++) {
      assertThat(heard.get(i)).isEqualTo(Integer.toString(i));
    }
  }

  @Test
  void hasEveryOtherFrameOvertaken() throws InterruptedException {
    lan.cable("a").impair(Impairment.none().reorder(1));
    segments
        .loop()
        .call( // at once, for a frame is not held back for long
            () -> {
              for (int i = 0; i < 5; i++) {
                a.send(frame(B, A, Integer.toString(i)));
              }
            });
    for (String expected : new String[] {"1", "0", "3", "2", "4"}) {
      assertThat(atB.next()).isEqualTo(expected);
    }
    assertThat(lan.cable("a").fromStation().counts().reordered()).isEqualTo(3);
  }

  @Test
  void carriesEverythingTwice() throws InterruptedException {
    lan.cable("a").impair(Impairment.none().duplicate(1));
    assertThat(heard(2)).containsExactly("0", "0", "1", "1");
    assertThat(lan.cable("a").fromStation().counts()).isEqualTo(new Cable.Counts(2, 0, 2, 0, 0));
  }

  @Test
  void invertsOneBitBehindTheHeader() throws InterruptedException {
    BlockingQueue<ByteBuffer> heard = new LinkedBlockingQueue<>();
    lan.attach("d", frame -> heard.add(ByteBuffer.allocate(frame.remaining()).put(frame).flip()));
    lan.cable("d").impair(Impairment.none().corrupt(1));
    ByteBuffer sent = frame(BROADCAST, A, "what is this");
    for (int i = 0; i < 100; i++) {
      a.send(sent);
    }
    for (int i = 0; i < 100; i++) {
      ByteBuffer frame = heard.poll(20, TimeUnit.SECONDS);
      assertThat(frame).isNotNull();
      int bits = 0;
      for (int at = 0; at < sent.limit(); at++) {
        int changed = Integer.bitCount(Byte.toUnsignedInt((byte) (frame.get(at) ^ sent.get(at))));
        assertThat(at >= 14 || changed == 0).isTrue();
        bits += changed;
      }
      assertThat(bits).isEqualTo(1);
    }
  }

  @Test
  void swallowsWhatIsLongerThanItsMtu() throws InterruptedException {
    lan.cable("b").impair(Impairment.none().mtu(100));
    a.send(frame(B, A, "x".repeat(101)));
    a.send(frame(B, A, "y".repeat(100)));
    assertThat(atB.next()).isEqualTo("y".repeat(100));
  }

  @Test
  void carriesNoMoreThanItsRate() throws InterruptedException {
    // 10 frames of 1,250 bytes are 100,000 bits.
    lan.cable("a").impair(Impairment.none().rate(200_000).queue(Duration.ofSeconds(60)));
    long begin = System.nanoTime();
    for (int i = 0; i < 10; i++) {
      a.send(frame(B, A, i + "x".repeat(1250 - 14 - 1)));
    }
    for (int i = 0; i < 10; i++) {
      assertThat(atB.next()).startsWith(Integer.toString(i));
    }
    assertThat(System.nanoTime() - begin).isGreaterThan(TimeUnit.MILLISECONDS.toNanos(490));
  }

  @Test
  void losesWhatWouldWaitTooLongForItsTurn() throws InterruptedException {
    lan.cable("a").impair(Impairment.none().rate(8_000).queue(Duration.ofMillis(50)));
    for (int i = 0; i < 100; i++) {
      a.send(frame(B, A, i + "x".repeat(200)));
    }
    assertThat(atB.next()).startsWith("0x");
    Cable.Counts counts = lan.cable("a").fromStation().counts();
    assertThat(counts.lost()).isGreaterThan(0);
    assertThat(counts.passed()).isGreaterThan(0);
    assertThat(counts.passed() + counts.lost()).isEqualTo(100);
  }

  @Test
  void touchesOnlySomeFrames() throws InterruptedException {
    lan.cable("a")
        .impair(Impairment.none().loss(1).only(frame -> Frames.text(frame.bytes()).length() == 1));
    assertThat(heard(12)).containsExactly("10", "11");
  }

  @Test
  void dividesASegmentAndHealsIt() throws InterruptedException {
    lan.partition("b", "c");
    a.send(frame(B, A, "lost"));
    c.send(frame(B, C, "of the same part"));
    assertThat(atB.next()).isEqualTo("of the same part");
    b.send(frame(A, B, "lost, too"));
    lan.heal();
    b.send(frame(A, B, "whole"));
    assertThat(atA.next()).isEqualTo("whole");
  }

  @Test
  void takesChangesWhileFramesPass() throws InterruptedException {
    Thread sender =
        new Thread(
            () -> {
              for (int i = 0; i < 5000; i++) {
                a.send(frame(B, A, "x"));
              }
            });
    sender.start();
    Cable cable = lan.cable("a");
    for (int i = 0; i < 10 || sender.isAlive(); i++) {
      cable.impair(
          Impairment.none().loss(0.1).delay(Duration.ofMillis(i % 3)).reorder(0.1).duplicate(0.1));
      cable.pull();
      cable.repair();
    }
    sender.join();
    c.send(frame(B, C, "end"));
    String text;
    do {
      text = atB.next();
    } while (text.equals("x"));
    assertThat(text).isEqualTo("end");
  }

  @Test
  void letsNothingOvertakeWhatWasSentBeforeAChange() throws InterruptedException {
    Cable cable = lan.cable("a");
    cable.impair(Impairment.none().delay(Duration.ofMillis(300)));
    a.send(frame(B, A, "slow"));
    cable.impair(Impairment.none().delay(Duration.ofMillis(10)));
    a.send(frame(B, A, "faster"));
    cable.impair(Impairment.none().loss(1).only(frame -> false));
    a.send(frame(B, A, "untouched"));
    cable.repair();
    a.send(frame(B, A, "good"));
    for (String expected : new String[] {"slow", "faster", "untouched", "good"}) {
      assertThat(atB.next()).isEqualTo(expected);
    }
    assertThat(heard(1)).containsExactly("0"); // and the switch does not look at it any more
    assertThat(cable.fromStation().counts().passed()).isEqualTo(4);
  }

  @Test
  void letsTheRestPassBesideTheFramesItIsMeantFor() throws InterruptedException {
    lan.cable("a")
        .impair(
            Impairment.none()
                .delay(Duration.ofMillis(300))
                .only(frame -> Frames.text(frame.bytes()).startsWith("slow")));
    a.send(frame(B, A, "slow 1"));
    a.send(frame(B, A, "fast 1"));
    a.send(frame(B, A, "slow 2"));
    a.send(frame(B, A, "fast 2"));
    for (String expected : new String[] {"fast 1", "fast 2", "slow 1", "slow 2"}) {
      assertThat(atB.next()).isEqualTo(expected);
    }
  }

  @Test
  void sendsAFrameOnThatWasHeldBackWhenItChanges() throws InterruptedException {
    Cable cable = lan.cable("a");
    cable.impair(Impairment.none().reorder(1));
    segments
        .loop()
        .call(
            () -> {
              a.send(frame(B, A, "held"));
              cable.repair();
              a.send(frame(B, A, "next"));
            });
    assertThat(atB.next()).isEqualTo("held");
    assertThat(atB.next()).isEqualTo("next");
  }

  @Test
  void carriesNothingToWhoHasGone() throws InterruptedException {
    Frames atD = new Frames();
    Station d = lan.attach("d", atD);
    lan.cable("d").impair(Impairment.none().delay(Duration.ofMillis(1500)));
    lan.cable("b").impair(Impairment.none().delay(Duration.ofMillis(1700)));
    a.send(frame(BROADCAST, A, "late"));
    c.send(frame(A, C, "on its way"));
    assertThat(atA.next()).isEqualTo("on its way");
    d.close();
    assertThat(atB.next()).isEqualTo("late");
    assertThat(atD.isEmpty()).isTrue();
  }

  @Test
  void namesTheStationsThereAre() {
    assertThatThrownBy(() -> lan.cable("rooter"))
        .isInstanceOf(NetworkException.class)
        .hasMessageContainingAll("No stations on lan are called rooter", "a, b, c");
    lan.attach("a", frame -> {});
    assertThatThrownBy(() -> lan.partition("a")).hasMessageContaining("2 stations on lan");
  }

  @Test
  void refusesValuesThatMeanNothing() {
    Impairment none = Impairment.none();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> none.loss(10))
        .withMessageContainingAll("loss(10.0)", "from 0 to 1");
    assertThatIllegalArgumentException().isThrownBy(() -> none.corrupt(Double.NaN));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> none.rate(0))
        .withMessageContaining("pull");
    assertThatIllegalArgumentException().isThrownBy(() -> none.mtu(0));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> none.delay(Duration.ofMillis(-1)))
        .withMessageContaining("negative");
    assertThat(none.loss(0.5).mtu(1492)).hasToString("Impairment[seed 1, loss 0.5, MTU 1492]");
  }
}
