package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.common.util.concurrent.Uninterruptibles;
import java.nio.ByteBuffer;
import java.nio.channels.Pipe;
import java.nio.channels.SelectionKey;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.process.WaitInterruptedException;

class EventLoopTest {
  private final EventLoop loop = EventLoop.start("test");
  private final BlockingQueue<String> happened = new LinkedBlockingQueue<>();

  @AfterEach
  void close() {
    loop.close();
  }

  private String next() throws InterruptedException {
    String text = happened.poll(10, TimeUnit.SECONDS);
    return text == null ? "(nothing in ten seconds)" : text;
  }

  @Test
  void runsTasksOneAfterTheOtherInTheOrderTheyWereHandedIn() {
    List<Integer> order = new CopyOnWriteArrayList<>();
    for (int i = 0; i < 1000; i++) {
      int number = i;
      loop.execute(() -> order.add(number));
    }
    loop.call(() -> {});
    assertThat(order).hasSize(1000).isSorted();
  }

  @Test
  void runsATaskHandedInFromTheLoopAfterTheRunningOne() throws InterruptedException {
    loop.execute(
        () -> {
          loop.execute(() -> happened.add("second"));
          happened.add("first");
        });
    assertThat(next()).isEqualTo("first");
    assertThat(next()).isEqualTo("second");
  }

  @Test
  void firesTimersInTheOrderTheyAreDue() throws InterruptedException {
    loop.call(
        () -> {
          loop.schedule(Duration.ZERO, () -> happened.add("now"));
          loop.schedule(Duration.ofNanos(-1), () -> happened.add("overdue"));
          loop.schedule(Duration.ofMillis(300), () -> happened.add("late"));
          loop.schedule(Duration.ofMillis(5), () -> happened.add("soon"));
        });
    assertThat(List.of(next(), next())).containsExactlyInAnyOrder("now", "overdue");
    assertThat(next()).isEqualTo("soon");
    assertThat(next()).isEqualTo("late");
  }

  @Test
  void neverFiresATimerBeforeItsTime() throws InterruptedException {
    long start = System.nanoTime();
    loop.schedule(Duration.ofMillis(30), () -> happened.add("up"));
    assertThat(next()).isEqualTo("up");
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .isGreaterThanOrEqualTo(Duration.ofMillis(30));
  }

  @Test
  void forgetsATimerThatIsCancelledFromAnyThreadAndOnlyThatOne() throws InterruptedException {
    CountDownLatch cancelled = new CountDownLatch(1);
    loop.execute(() -> Uninterruptibles.awaitUninterruptibly(cancelled)); // and no timer fires
    EventLoop.Timer one = loop.schedule(Duration.ofMillis(20), () -> happened.add("one"));
    loop.schedule(Duration.ofMillis(20), () -> happened.add("two"));
    one.cancel();
    one.cancel();
    cancelled.countDown();
    loop.call(
        () -> {
          EventLoop.Timer three = loop.schedule(Duration.ofMillis(10), () -> happened.add("three"));
          three.cancel();
        });
    assertThat(next()).isEqualTo("two");
    assertThat(happened).isEmpty();
  }

  @Test
  void takesADelayLongerThanTheClockLasts() throws InterruptedException {
    EventLoop.Timer never =
        loop.schedule(Duration.ofSeconds(Long.MAX_VALUE), () -> happened.add("never"));
    loop.schedule(Duration.ofMillis(1), () -> happened.add("soon"));
    assertThat(next()).isEqualTo("soon");
    never.cancel();
  }

  @Test
  void goesOnAfterATaskOrATimerThatFails() throws InterruptedException {
    loop.execute(
        () -> {
          throw new IllegalStateException("on purpose");
        });
    loop.schedule(
        Duration.ZERO,
        () -> {
          throw new AssertionError("on purpose");
        });
    loop.schedule(Duration.ofMillis(5), () -> happened.add("alive"));
    assertThat(next()).isEqualTo("alive");
  }

  @Test
  void readsItsChannelsAlthoughTasksAndTimersNeverEnd() throws Exception {
    Pipe pipe = Pipe.open();
    pipe.source().configureBlocking(false);
    loop.register(
        pipe.source(),
        SelectionKey.OP_READ,
        key -> {
          try {
            pipe.source().read(ByteBuffer.allocate(1));
          } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
          }
          happened.add("read");
        });
    loop.execute(this::forever);
    loop.schedule(Duration.ZERO, this::foreverByTimer);
    pipe.sink().write(ByteBuffer.allocate(1));
    assertThat(next()).isEqualTo("read");
    pipe.sink().close();
    pipe.source().close();
  }

  private void forever() {
    try {
      loop.execute(this::forever);
    } catch (RejectedExecutionException e) {
      happened.add("ended");
    }
  }

  private void foreverByTimer() {
    loop.schedule(Duration.ZERO, this::foreverByTimer);
  }

  @Test
  void endsAlthoughATaskHandsItselfInForever() throws InterruptedException {
    loop.execute(this::forever);
    loop.close();
    assertThat(next()).isEqualTo("ended");
  }

  @Test
  void throwsToTheCallerWhatTheCalledTaskThrows() {
    assertThatThrownBy(
            () ->
                loop.call(
                    () -> {
                      throw new NetworkException("broken");
                    }))
        .isInstanceOf(NetworkException.class)
        .hasMessage("broken");
    assertThatThrownBy(
            () ->
                loop.call(
                    () -> {
                      throw new StackOverflowError("deep");
                    }))
        .isInstanceOf(StackOverflowError.class);
    assertThat(loop.compute(() -> loop.compute(loop::inLoop))).isTrue();
    assertThat(loop.inLoop()).isFalse();
  }

  @Test
  void runsWhatItHasAcceptedBeforeItEndsAndRefusesTheRest() {
    AtomicInteger run = new AtomicInteger();
    for (int i = 0; i < 100; i++) {
      loop.execute(run::incrementAndGet);
    }
    loop.close();
    loop.close();
    assertThat(run).hasValue(100);
    assertThatThrownBy(() -> loop.execute(run::incrementAndGet))
        .isInstanceOf(RejectedExecutionException.class)
        .hasMessageContaining("test");
    assertThatThrownBy(() -> loop.call(run::incrementAndGet))
        .isInstanceOf(RejectedExecutionException.class);
  }

  @Test
  void survivesAnInterruptOfItsThread() throws Exception {
    loop.call(() -> Thread.currentThread().interrupt());
    loop.schedule(Duration.ofMillis(5), () -> happened.add(String.valueOf(Thread.interrupted())));
    assertThat(next()).isEqualTo("false");
  }

  @Test
  void letsACallerGoThatIsInterrupted() throws InterruptedException {
    CountDownLatch release = new CountDownLatch(1);
    loop.execute(
        () -> {
          try {
            release.await();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
    Thread caller =
        new Thread(
            () -> {
              try {
                loop.call(() -> happened.add("done all the same"));
              } catch (WaitInterruptedException e) {
                happened.add("interrupted " + Thread.currentThread().isInterrupted());
              }
            });
    caller.start();
    caller.interrupt();
    assertThat(next()).isEqualTo("interrupted true");
    release.countDown();
    assertThat(next()).isEqualTo("done all the same");
  }

  @Test
  void canBeClosedByItself() throws InterruptedException {
    loop.execute(
        () -> {
          loop.close();
          happened.add("closed");
        });
    assertThat(next()).isEqualTo("closed");
    loop.close();
  }
}
