package org.liminix.tftp.internal;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;

/**
 * Decides when silence has lasted too long. The wait follows the measured round trip as RFC 6298
 * computes it; before there is a sample it is what the client asked for (RFC 2349), or a second.
 * Each further wait is four times the last up to a ceiling, so that a handful of packets bridges a
 * board that erases flash for some seconds and a silent address is left alone after them.
 *
 * <p>Used on its event loop only. Re-arming costs no timer operation: the one pending timer looks
 * at the deadline when it fires.
 */
public final class RetryTimer {
  private static final int BACK_OFF = 4;
  private static final long MOST_FLOOR_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  /**
   * How patient a transfer is.
   *
   * @param initial the first wait as long as no round trip was measured
   * @param floor the least wait, above the scheduling noise of either end
   * @param ceiling what waits grow to
   * @param retries how often a packet is sent again before the transfer is given up
   */
  public record Patience(Duration initial, Duration floor, Duration ceiling, int retries) {}

  /** What follows a silence. */
  public interface Handler {
    /** Send again. */
    void retry();

    /** Enough was sent again. */
    void gaveUp();
  }

  private final EventLoop loop;
  private final Handler handler;
  private final int retries;
  private long floorNanos;
  private final long ceilingNanos;
  private final long initialNanos;

  private long smoothedNanos = -1;
  private long deviationNanos;

  private boolean armed;
  private int attempts;
  private long sentNanos;
  private long waitNanos;
  private EventLoop.@Nullable Timer timer;
  private long timerNanos;
  private long deadlineNanos;

  public RetryTimer(
      EventLoop loop, Patience patience, @Nullable Duration negotiated, Handler handler) {
    this.loop = loop;
    this.handler = handler;
    this.retries = patience.retries();
    this.floorNanos = patience.floor().toNanos();
    this.ceilingNanos = patience.ceiling().toNanos();
    this.initialNanos = (negotiated == null ? patience.initial() : negotiated).toNanos();
  }

  /** Something new was sent that wants an answer. */
  public void sent(long nowNanos) {
    attempts = 0;
    sentNanos = nowNanos;
    arm(nowNanos, timeoutNanos());
  }

  /** The answer came. A packet that was sent twice says nothing about the round trip (Karn). */
  public void answered(long nowNanos) {
    if (armed && attempts == 0) {
      sample(nowNanos - sentNanos);
    }
    armed = false;
    attempts = 0;
  }

  /**
   * The last retry was answered twice, so the first packet had arrived and its answer was merely
   * slow: waits longer from now on.
   */
  public void tooEager() {
    floorNanos = Math.max(floorNanos, Math.min(MOST_FLOOR_NANOS, 2 * floorNanos));
  }

  /** Nothing is awaited. */
  public void stop() {
    armed = false;
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  /** Waits as long again, because the peer gave a sign of life. */
  public void prolong(long nowNanos) {
    if (armed) {
      arm(nowNanos, waitNanos);
    }
  }

  private void sample(long nanos) {
    if (smoothedNanos < 0) {
      smoothedNanos = nanos;
      deviationNanos = nanos / 2;
    } else {
      deviationNanos += (Math.abs(smoothedNanos - nanos) - deviationNanos) / 4;
      smoothedNanos += (nanos - smoothedNanos) / 8;
    }
  }

  private long timeoutNanos() {
    return smoothedNanos < 0
        ? initialNanos
        : Math.min(ceilingNanos, Math.max(floorNanos, smoothedNanos + 4 * deviationNanos));
  }

  private void arm(long nowNanos, long wait) {
    armed = true;
    waitNanos = wait;
    deadlineNanos = nowNanos + wait;
    // A pending timer that fires at most a quarter late is good enough, and free.
    if (timer != null && timerNanos - deadlineNanos > wait / 4) {
      timer.cancel();
      timer = null;
    }
    if (timer == null) {
      schedule(nowNanos);
    }
  }

  private void schedule(long nowNanos) {
    timerNanos = deadlineNanos;
    timer = loop.schedule(Duration.ofNanos(deadlineNanos - nowNanos), this::fired);
  }

  private void fired() {
    timer = null;
    if (!armed) {
      return;
    }
    long now = System.nanoTime();
    if (deadlineNanos - now > 0) {
      schedule(now);
      return;
    }
    if (attempts >= retries) {
      armed = false;
      handler.gaveUp();
      return;
    }
    attempts++;
    long next = Math.max(waitNanos, Math.min(waitNanos * BACK_OFF, ceilingNanos));
    arm(now, next);
    handler.retry();
  }
}
