package org.liminix.process;

import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;

/**
 * The instant at which a wait gives up, on the clock of {@link System#nanoTime()} so that setting
 * the wall clock neither shortens nor prolongs it.
 *
 * <pre>{@code
 * Deadline deadline = Deadline.after(Duration.ofSeconds(5));
 * while (!ready) {
 *   if (!deadline.await(condition)) {
 *     throw new WaitTimeoutException("no greeting within " + Deadline.readable(timeout));
 *   }
 * }
 * }</pre>
 *
 * <p>Immutable and thread-safe.
 */
public final class Deadline {
  private final Duration timeout;
  private final long startNanos;
  private final long timeoutNanos;

  private Deadline(Duration timeout) {
    this.timeout = timeout;
    this.startNanos = System.nanoTime();
    this.timeoutNanos = saturatedNanos(timeout);
  }

  /**
   * A deadline that far from now.
   *
   * @throws IllegalArgumentException if the timeout is negative
   */
  public static Deadline after(Duration timeout) {
    if (timeout.isNegative()) {
      throw new IllegalArgumentException("A timeout cannot be negative: " + timeout);
    }
    return new Deadline(timeout);
  }

  /** The time given when the deadline was made. */
  public Duration timeout() {
    return timeout;
  }

  /** The time left in nanoseconds, never negative. */
  public long remainingNanos() {
    return Math.max(0, timeoutNanos - (System.nanoTime() - startNanos));
  }

  /** The time left, never negative. */
  public Duration remaining() {
    return Duration.ofNanos(remainingNanos());
  }

  /** The time that has passed since the deadline was made. */
  public Duration elapsed() {
    return Duration.ofNanos(System.nanoTime() - startNanos);
  }

  /** Whether the time is up. */
  public boolean hasPassed() {
    return remainingNanos() == 0;
  }

  /**
   * Waits on a condition whose lock the caller holds, until it is signalled or the time is up. As
   * with every condition the caller loops until what it awaits is true.
   *
   * @return false if the time is up
   * @throws InterruptedException if the thread is interrupted
   */
  @SuppressWarnings("WaitNotInLoop")
  public boolean await(Condition condition) throws InterruptedException {
    return condition.awaitNanos(remainingNanos()) > 0;
  }

  /** A duration as a person would say it: "30 s", "1.5 s", "20 ms". */
  public static String readable(Duration duration) {
    long millis = duration.toMillis();
    if (millis < 1000) {
      return millis + " ms";
    }
    return millis % 1000 == 0
        ? duration.toSeconds() + " s"
        : String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
  }

  private static long saturatedNanos(Duration duration) {
    // Half the range keeps the subtraction in remainingNanos() away from overflow.
    return Math.min(TimeUnit.NANOSECONDS.convert(duration), Long.MAX_VALUE / 2);
  }

  @Override
  public String toString() {
    return "Deadline[" + remaining() + " of " + timeout + " left]";
  }
}
