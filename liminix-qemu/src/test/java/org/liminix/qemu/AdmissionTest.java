package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.process.WaitInterruptedException;

@Timeout(60)
class AdmissionTest {
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final int TURNS = Math.max(2, Runtime.getRuntime().availableProcessors());

  @Test
  void letsNoMoreStartAtATimeThanThereAreProcessors() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(100);
    AtomicInteger starting = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch full = new CountDownLatch(TURNS);
    List<CompletableFuture<Void>> starts = new ArrayList<>();
    try {
      for (int i = 0; i < 100; i++) {
        starts.add(
            CompletableFuture.runAsync(
                () -> {
                  try (AutoCloseable turn = Admission.turn("one", LONG)) {
                    most.accumulateAndGet(starting.incrementAndGet(), Math::max);
                    full.countDown();
                    full.await(); // until as many as may have started
                    starting.decrementAndGet();
                  } catch (Exception e) {
                    throw new IllegalStateException(e);
                  }
                },
                threads));
      }
      for (CompletableFuture<Void> start : starts) {
        start.get();
      }
    } finally {
      threads.shutdownNow();
      assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(most).hasValue(TURNS);
  }

  @Test
  void letsAMachineWaitUntilOthersLeaveItTheMemory() throws Exception {
    AutoCloseable all = Admission.memory("greedy", Integer.MAX_VALUE, LONG);
    CompletableFuture<AutoCloseable> next =
        CompletableFuture.supplyAsync(() -> Admission.memory("next", 1, LONG));
    assertThatExceptionOfType(VmException.class)
        .isThrownBy(() -> Admission.memory("modest", 16, Duration.ofMillis(10)))
        .withMessageContainingAll("modest needs 16 MiB of memory", "leave 0 of", "close some");
    assertThat(next).isNotDone();
    all.close();
    next.get().close();
  }

  @Test
  void givesUpAWaitThatIsInterrupted() throws Exception {
    try (AutoCloseable all = Admission.memory("greedy", Integer.MAX_VALUE, LONG)) {
      Thread.currentThread().interrupt();
      assertThatExceptionOfType(WaitInterruptedException.class)
          .isThrownBy(() -> Admission.memory("modest", 1, LONG));
      assertThat(Thread.interrupted()).isTrue();
    }
  }
}
