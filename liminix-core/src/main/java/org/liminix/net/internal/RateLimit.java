package org.liminix.net.internal;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * When a line of a certain rate has sent what it was given: a token bucket one packet deep, kept as
 * the time at which the line is free again. It needs no clock of its own. Confined to the loop.
 */
public final class RateLimit {
  /** Instead of a time: more waits than may. */
  public static final long NO_ROOM = Long.MIN_VALUE;

  private final long bitsPerSecond;
  private final long queueNanos;
  private long freeNanos;

  /**
   * A line that is free.
   *
   * @param longestQueue how long anything waits for its turn at most
   */
  public RateLimit(long bitsPerSecond, Duration longestQueue, long nowNanos) {
    this.bitsPerSecond = bitsPerSecond;
    this.queueNanos = longestQueue.toNanos();
    this.freeNanos = nowNanos;
  }

  /** When so many bytes that are handed in now have been sent, or {@link #NO_ROOM}. */
  public long admit(int bytes, long nowNanos) {
    long begin = nowNanos - freeNanos > 0 ? nowNanos : freeNanos;
    if (begin - nowNanos > queueNanos) {
      return NO_ROOM;
    }
    double bits = (double) bytes * Byte.SIZE;
    freeNanos = begin + (long) (bits * TimeUnit.SECONDS.toNanos(1) / bitsPerSecond);
    return freeNanos;
  }
}
