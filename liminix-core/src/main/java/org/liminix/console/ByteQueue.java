package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;

/**
 * Bytes on their way from threads that put to one that takes, where one of them must not block for
 * the other's sake: a reader that also answers negotiation, a device whose write nothing can
 * interrupt. Who puts waits while it is full. Thread-safe.
 */
final class ByteQueue {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final byte[] ring;
  private int start;
  private int count;
  private boolean takerWaits;
  private boolean ended;
  private boolean closed;
  private @Nullable IOException failure;

  ByteQueue(int capacity) {
    this.ring = new byte[capacity];
  }

  /**
   * Puts all of the buffer, waiting while there is no room.
   *
   * @throws IOException if whoever takes has failed
   * @throws ClosedChannelException if the queue has ended or is closed, also while this waits
   * @throws WaitInterruptedException if the thread is interrupted while it waits
   */
  void put(ByteBuffer bytes) throws IOException {
    lock.lock();
    try {
      while (true) {
        requireOpen();
        int room = Math.min(ring.length - count, bytes.remaining());
        for (int i = 0; i < room; i++) {
          ring[(start + count++) % ring.length] = bytes.get();
        }
        if (room > 0) {
          changed.signalAll();
        }
        if (!bytes.hasRemaining()) {
          return;
        }
        changed.await();
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("room for what is sent: the far end takes nothing", e);
    } finally {
      lock.unlock();
    }
  }

  private void requireOpen() throws IOException {
    if (failure != null) {
      throw new IOException(failure.getMessage(), failure);
    }
    if (ended || closed) {
      throw new ClosedChannelException();
    }
  }

  /**
   * Takes what there is, waiting for the first byte.
   *
   * @return how many bytes, or -1 when the queue has ended and is empty
   * @throws IOException the failure the queue has ended with
   * @throws ClosedChannelException if the queue is closed, also while this waits
   */
  int take(ByteBuffer into) throws IOException {
    lock.lock();
    try {
      while (count == 0 && !ended && !closed) {
        takerWaits = true;
        changed.signalAll();
        changed.await();
        takerWaits = false;
      }
      if (closed) {
        throw new ClosedChannelException();
      }
      if (count == 0 && failure != null) {
        throw new IOException(failure.getMessage(), failure);
      }
      int taken = Math.min(count, into.remaining());
      for (int i = 0; i < taken; i++) {
        into.put(ring[start]);
        start = (start + 1) % ring.length;
      }
      count -= taken;
      changed.signalAll();
      return taken == 0 && into.hasRemaining() ? -1 : taken;
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("bytes of a line", e);
    } finally {
      takerWaits = false;
      lock.unlock();
    }
  }

  /**
   * Waits until all that was put has been taken and dealt with: who takes has come back for more.
   *
   * @return false if the time is up
   * @throws ClosedChannelException if the queue has ended or is closed, also while this waits
   */
  boolean awaitTaken(Deadline deadline) throws IOException {
    lock.lock();
    try {
      while (count > 0 || !takerWaits) {
        requireOpen();
        if (!deadline.await(changed)) {
          return false;
        }
      }
      return true;
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the end of what is sent", e);
    } finally {
      lock.unlock();
    }
  }

  /** No more will be put, for a reason or none; what is in it can still be taken. */
  void end(@Nullable IOException reason) {
    lock.lock();
    try {
      if (!ended) {
        ended = true;
        failure = reason;
        changed.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Discards what is in it and wakes everybody. */
  void close() {
    lock.lock();
    try {
      closed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
