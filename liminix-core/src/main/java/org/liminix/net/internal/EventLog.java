package org.liminix.net.internal;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;

/**
 * What has happened, in order, for tests that ask afterwards and tests that wait. It remembers a
 * bounded number of events. Thread-safe.
 */
public final class EventLog<E> {
  private static final int MAX_EVENTS = 10_000;
  private static final int SHOWN_ON_TIMEOUT = 10;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition added = lock.newCondition();
  private final Deque<E> events = new ArrayDeque<>();
  private long forgotten;

  public void add(E event) {
    lock.lock();
    try {
      if (events.size() == MAX_EVENTS) {
        events.removeFirst();
        forgotten++;
      }
      events.addLast(event);
      added.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** A copy of what is remembered, oldest first. */
  public List<E> all() {
    lock.lock();
    try {
      return List.copyOf(events);
    } finally {
      lock.unlock();
    }
  }

  /**
   * The first event that matches, of those that have happened and those that will.
   *
   * @param what what is awaited, for the message of the timeout
   */
  public E await(Predicate<? super E> predicate, Duration timeout, String what) {
    Deadline deadline = Deadline.after(timeout);
    lock.lock();
    try {
      long seen = 0;
      while (true) {
        @Nullable E found = findFrom(seen, predicate);
        if (found != null) {
          return found;
        }
        seen = forgotten + events.size();
        if (!deadline.await(added) && forgotten + events.size() == seen) {
          throw new WaitTimeoutException(
              "No %s within %s; the last of %d events: %s"
                  .formatted(what, Deadline.readable(timeout), seen, lastEvents()));
        }
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException(what, e);
    } finally {
      lock.unlock();
    }
  }

  private @Nullable E findFrom(long seen, Predicate<? super E> predicate) {
    long index = forgotten;
    for (E event : events) {
      if (index++ >= seen && predicate.test(event)) {
        return event;
      }
    }
    return null;
  }

  private String lastEvents() {
    List<E> last = new ArrayList<>(events);
    return last.isEmpty()
        ? "none"
        : last.subList(Math.max(0, last.size() - SHOWN_ON_TIMEOUT), last.size()).toString();
  }
}
