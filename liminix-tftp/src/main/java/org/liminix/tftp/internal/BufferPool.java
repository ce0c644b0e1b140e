package org.liminix.tftp.internal;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * Direct buffers to use again, in powers of two: allocating one for each of a thousand short
 * transfers would leave as many to the garbage collector. Used on one event loop only.
 */
public final class BufferPool {
  private static final int SMALLEST_SHIFT = 10;

  private final long keptLimit;
  private long kept;
  private final Deque<ByteBuffer>[] free;

  /** A pool that keeps at most so many bytes that nobody uses. */
  @SuppressWarnings({"unchecked", "rawtypes"})
  public BufferPool(long keptLimit) {
    this.keptLimit = keptLimit;
    this.free = new Deque[Integer.SIZE];
    for (int i = 0; i < free.length; i++) {
      free[i] = new ArrayDeque<>(0);
    }
  }

  /** An empty buffer of at least that capacity. */
  public ByteBuffer take(int capacity) {
    int shift = shift(capacity);
    ByteBuffer buffer = free[shift].poll();
    if (buffer == null) {
      return ByteBuffer.allocateDirect(1 << shift);
    }
    kept -= buffer.capacity();
    return buffer.clear();
  }

  /** Hands a buffer back; the caller forgets it. */
  public void giveBack(ByteBuffer buffer) {
    if (kept + buffer.capacity() <= keptLimit) {
      kept += buffer.capacity();
      free[shift(buffer.capacity())].push(buffer);
    }
  }

  private static int shift(int capacity) {
    return Math.max(SMALLEST_SHIFT, Integer.SIZE - Integer.numberOfLeadingZeros(capacity - 1));
  }
}
