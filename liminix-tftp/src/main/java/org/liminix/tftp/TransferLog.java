package org.liminix.tftp;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;

/** What a server has done: written by its event loop, read and awaited by any thread. */
final class TransferLog {
  /** How many requests a message that explains a wait lists. */
  private static final int LISTED = 10;

  private final int limit;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<TftpTransfer> running = new ArrayDeque<>();
  private final Deque<TftpTransfer> over = new ArrayDeque<>();
  private final Set<TftpTransfer> awaited = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean closed;

  TransferLog(int limit) {
    this.limit = limit;
  }

  void begun(TftpTransfer transfer) {
    lock.lock();
    try {
      running.add(transfer);
    } finally {
      lock.unlock();
    }
  }

  void ended(TftpTransfer transfer) {
    lock.lock();
    try {
      running.remove(transfer);
      over.add(transfer);
      while (over.size() > limit) {
        awaited.remove(over.remove());
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  List<TftpTransfer> all() {
    lock.lock();
    try {
      List<TftpTransfer> all = new ArrayList<>(over);
      all.addAll(running);
      return Collections.unmodifiableList(all);
    } finally {
      lock.unlock();
    }
  }

  TftpTransfer await(String file, Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    String wanted = Catalogue.plain(file);
    lock.lock();
    try {
      while (true) {
        for (TftpTransfer transfer : over) {
          if (transfer.state() == TftpTransfer.State.COMPLETED
              && Catalogue.plain(transfer.file()).equals(wanted)
              && awaited.add(transfer)) {
            return transfer;
          }
        }
        if (closed) {
          throw new TftpException(
              "The server was closed while a transfer of " + file + " was awaited" + seen(), null);
        }
        if (deadline.hasPassed()) {
          throw new WaitTimeoutException(
              "No transfer of " + file + " completed within " + Units.time(timeout) + seen());
        }
        deadline.await(changed);
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("a transfer of " + file, e);
    } finally {
      lock.unlock();
    }
  }

  private String seen() {
    List<TftpTransfer> all = all();
    if (all.isEmpty()) {
      return ". Nobody asked for anything: does the client use this server's address and port, and"
          + " does its network reach it?";
    }
    StringBuilder text = new StringBuilder(". Requests so far:");
    for (TftpTransfer transfer : all.subList(Math.max(0, all.size() - LISTED), all.size())) {
      text.append("\n  ").append(transfer);
    }
    return text.toString();
  }
}
