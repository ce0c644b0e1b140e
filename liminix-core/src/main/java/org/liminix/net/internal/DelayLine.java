package org.liminix.net.internal;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;

/**
 * Things on their way: each arrives when it is due, in the order in which they were handed in, with
 * one timer for all of them. Confined to the loop.
 */
public final class DelayLine<T> {
  private record Waiting<T>(T thing, long dueNanos) {}

  private final EventLoop loop;
  private final Consumer<T> arrival;
  private final Runnable afterArrivals;
  private final Queue<Waiting<T>> line = new ArrayDeque<>();
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

  /**
   * Puts something on its way.
   *
   * @param dueNanos not before what was handed in earlier
   */
  public void add(T thing, long dueNanos) {
    Waiting<T> last = new Waiting<>(thing, dueNanos);
    line.add(last);
    if (line.size() == 1) {
      scheduleNext(last);
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
