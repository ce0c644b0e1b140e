package org.liminix.qemu;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;

/**
 * What QEMU has reported since this was opened, in order, none lost while nobody reads.
 *
 * <pre>{@code
 * try (QmpEvents events = vm.qmp().events()) {
 *   vm.reset();
 *   events.await("RESET", Duration.ofSeconds(5));
 * }
 * }</pre>
 *
 * <p>Thread-safe: each event goes to one reader. Whoever opened it closes it; it ends with its
 * QEMU, once everything reported before has been read.
 */
public final class QmpEvents implements AutoCloseable {
  private final Qmp qmp;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<QmpEvent> unread = new ArrayDeque<>();
  private @Nullable VmException ended; // guarded by lock

  QmpEvents(Qmp qmp) {
    this.qmp = qmp;
  }

  void add(QmpEvent event) {
    lock.lock();
    try {
      unread.add(event);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void end(VmException reason) {
    lock.lock();
    try {
      ended = reason;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for the next event of that name and passes over those before it.
   *
   * @throws WaitTimeoutException if none comes in time; the message names those that did
   * @throws QmpException if QEMU ends before
   * @throws WaitInterruptedException if the thread is interrupted
   */
  public QmpEvent await(String name, Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    StringBuilder others = new StringBuilder();
    while (true) {
      QmpEvent event = next(name, deadline, others);
      if (event.name().equals(name)) {
        return event;
      }
      others.append(' ').append(event.name());
    }
  }

  /**
   * Waits for the next event, whichever it is.
   *
   * @throws WaitTimeoutException if none comes in time
   * @throws QmpException if QEMU ends before
   * @throws WaitInterruptedException if the thread is interrupted
   */
  public QmpEvent next(Duration timeout) {
    return next("an event", Deadline.after(timeout), "");
  }

  private QmpEvent next(String awaited, Deadline deadline, CharSequence others) {
    lock.lock();
    try {
      while (unread.isEmpty()) {
        if (ended != null) {
          throw QmpException.rethrown(ended);
        }
        if (!deadline.await(changed) && unread.isEmpty() && ended == null) {
          throw new WaitTimeoutException(
              "Waited %s ms in vain for %s of %s%s"
                  .formatted(
                      deadline.timeout().toMillis(),
                      awaited,
                      qmp,
                      others.isEmpty() ? "; it reported nothing" : "; it reported" + others));
        }
      }
      return unread.remove();
    } catch (InterruptedException e) {
      throw new WaitInterruptedException(awaited + " of " + qmp, e);
    } finally {
      lock.unlock();
    }
  }

  /** Takes out what has been reported and not read yet, without waiting. */
  public Stream<QmpEvent> unread() {
    lock.lock();
    try {
      Stream.Builder<QmpEvent> taken = Stream.builder();
      unread.forEach(taken);
      unread.clear();
      return taken.build();
    } finally {
      lock.unlock();
    }
  }

  /** Stops listening. Idempotent. */
  @Override
  public void close() {
    qmp.forget(this);
  }
}
