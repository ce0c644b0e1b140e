package org.liminix.isp;

import java.time.Duration;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.LiminixException;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;

/**
 * The sessions of an ISP in a virtual machine, as the machine tells of them, and those who wait for
 * one. Thread-safe.
 */
final class SessionTable {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final SortedMap<Integer, GuestSession> open = new TreeMap<>();
  private @Nullable String end; // why no more will come

  void opened(GuestSession session) {
    lock.lock();
    try {
      GuestSession before = open.put(session.id(), session);
      if (before != null) {
        before.ended();
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void ended(int id) {
    lock.lock();
    try {
      GuestSession session = open.remove(id);
      if (session != null) {
        session.ended();
      }
    } finally {
      lock.unlock();
    }
  }

  /** The machine is gone, and with it all sessions; whoever waits is told why. */
  void ended(String why) {
    lock.lock();
    try {
      end = why;
      open.values().forEach(GuestSession::ended);
      open.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  List<GuestSession> open() {
    lock.lock();
    try {
      return List.copyOf(open.values());
    } finally {
      lock.unlock();
    }
  }

  /** A session that is open, or else the next that opens. */
  GuestSession await(Duration timeout, String isp) {
    Deadline deadline = Deadline.after(timeout);
    lock.lock();
    try {
      while (true) {
        for (GuestSession session : open.values()) {
          return session;
        }
        if (end != null) {
          throw new LiminixException("No PPP session can open at " + isp + ": " + end);
        }
        if (!deadline.await(changed) && open.isEmpty() && end == null) {
          throw new WaitTimeoutException(
              "No PPP session opened at %s within %s".formatted(isp, Deadline.readable(timeout)));
        }
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("PPP session opened at " + isp, e);
    } finally {
      lock.unlock();
    }
  }
}
