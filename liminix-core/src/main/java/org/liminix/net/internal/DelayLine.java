package org.liminix.net.internal;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;

/**
 * Things on their way: each arrives when it is due, those that are due together in the order in which
 * they were handed in, with one timer for all of them. Confined to the loop.
 */
public final class DelayLine<T> {
  private record Waiting<T>(T thing, long dueNanos, long sequence) {
    boolean isBefore(Waiting<T> other) {
      // As differences, for the origin of the clock is arbitrary.
      long later = dueNanos - other.dueNanos;
      return later != 0 ? later < 0 : sequence < other.sequence;
    }
  }

  private final EventLoop loop;
  private final Consumer<T> arrival;
  private final Runnable afterArrivals;
  private final Queue<Waiting<T>> line =
      new PriorityQueue<>((one, other) -> one.isBefore(other) ? -1 : other.isBefore(one) ? 1 : 0);
  private long sequence;
  private EventLoop.@Nullable Timer timer;

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

  /** Forgets what is on its way. */
  public void clear() {
    line.clear();
    if (timer != null) {
      timer.cancel();
    }
  }

  /** Whether something is on its way that arrives no later than this. */
  public boolean hasDue(long dueNanos) {
    Waiting<T> first = line.peek();
    return first != null && first.dueNanos() - dueNanos <= 0;
  }

  /** Puts something on its way; what is due later, and was handed in before, is overtaken. */
  public void add(T thing, long dueNanos) {
    Waiting<T> added = new Waiting<>(thing, dueNanos, sequence++);
    line.add(added);
    if (added.equals(line.peek())) {
      if (timer != null) {
        timer.cancel();
      }
      scheduleNext(added);
    }
  }

  private void scheduleNext(Waiting<T> first) {
    Duration delay = Duration.ofNanos(Math.max(0, first.dueNanos() - System.nanoTime()));
    timer = loop.schedule(delay, this::arrive);
  }

  private void arrive() {
    long now = System.nanoTime();
    Queue<T> arrived = new ArrayDeque<>();
    for (Waiting<T> first = line.peek();
        first != null && first.dueNanos() - now <= 0;
        first = line.peek()) {
      arrived.add(first.thing());
      line.remove();
    }
    Waiting<T> next = line.peek();
    if (next != null) {
      scheduleNext(next);
    }
    arrived.forEach(arrival);
    afterArrivals.run();
  }
}
