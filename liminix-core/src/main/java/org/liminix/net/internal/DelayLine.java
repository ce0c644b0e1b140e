package org.liminix.net.internal;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;

/**
 * Things on their way: each arrives when it is due, those that are due together in the order in
 * which they were handed in, with one timer for all of them. Confined to the loop.
 */
public final class DelayLine<T> {
  private record Waiting<T>(T thing, long dueNanos, long sequence)
      implements Comparable<Waiting<T>> {
    @Override
    public int compareTo(Waiting<T> other) {
      int byTime = Long.signum(dueNanos - other.dueNanos); // the origin is arbitrary
      return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
    }
  }

  private final EventLoop loop;
  private final Consumer<T> arrival;
  private final Runnable afterArrivals;
  private final Queue<Waiting<T>> line = new PriorityQueue<>();
  private long sequence;
  private EventLoop.@Nullable Timer timer;
  private long timerNanos;

  /**
   * A line on which nothing is.
   *
   * @param arrival takes each thing
   * @param afterArrivals runs when those that were due together have been taken
   */
  public DelayLine(EventLoop loop, Consumer<T> arrival, Runnable afterArrivals) {
    this.loop = loop;
    this.arrival = arrival;
    this.afterArrivals = afterArrivals;
  }

  public boolean isEmpty() {
    return line.isEmpty();
  }

  /** Whether something that is due then would arrive before all that is on its way. */
  public boolean isBeforeAll(long dueNanos) {
    Waiting<T> first = line.peek();
    return first == null || dueNanos - first.dueNanos() < 0;
  }

  /** Forgets what is on its way. */
  public void clear() {
    line.clear();
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }

  /** Puts something on its way. */
  public void add(T thing, long dueNanos) {
    line.add(new Waiting<>(thing, dueNanos, sequence++));
    scheduleFirst();
  }

  /** Wakes up when the first is due. */
  private void scheduleFirst() {
    Waiting<T> first = line.peek();
    EventLoop.Timer scheduled = timer;
    if (first == null || (scheduled != null && timerNanos == first.dueNanos())) {
      return;
    }
    if (scheduled != null) {
      scheduled.cancel();
    }
    timerNanos = first.dueNanos();
    Duration delay = Duration.ofNanos(Math.max(0, timerNanos - System.nanoTime()));
    timer = loop.schedule(delay, this::arrive);
  }

  private void arrive() {
    timer = null;
    long now = System.nanoTime();
    Queue<T> arrived = new ArrayDeque<>();
    for (Waiting<T> first = line.peek();
        first != null && first.dueNanos() - now <= 0;
        first = line.peek()) {
      arrived.add(first.thing());
      line.remove();
    }
    scheduleFirst();
    arrived.forEach(arrival);
    afterArrivals.run();
  }
}
