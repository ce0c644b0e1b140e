package org.liminix.isp;

import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.net.internal.DelayLine;
import org.liminix.net.internal.RateLimit;

/**
 * Through which the IP packets of one session pass: it counts them, holds them to the rates of
 * their account and knows when the last one passed. Confined to the loop, but for what it tells.
 */
final class Meter {
  /** One of the two directions. */
  private static final class Direction {
    /** Written on the loop only. */
    private final AtomicLong bytes = new AtomicLong();

    private final AtomicLong packets = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private final Consumer<ByteBuffer> way;
    private @Nullable RateLimit rate;
    private @Nullable DelayLine<ByteBuffer> line;

    Direction(Consumer<ByteBuffer> way) {
      this.way = way;
    }

    void shape(EventLoop loop, long bitsPerSecond, Account.Terms terms) {
      if (bitsPerSecond > 0 && rate == null) {
        rate = new RateLimit(bitsPerSecond, terms.queue, System.nanoTime());
        line = new DelayLine<>(loop, this::pass, () -> {});
      }
    }

    void take(ByteBuffer packet, long now) {
      if (rate == null || line == null) {
        pass(packet);
        return;
      }
      long due = rate.admit(packet.remaining(), now);
      if (due == RateLimit.NO_ROOM) {
        add(dropped, 1);
      } else {
        line.add(ByteBuffer.allocate(packet.remaining()).put(packet.duplicate()).flip(), due);
      }
    }

    private void pass(ByteBuffer packet) {
      add(bytes, packet.remaining());
      add(packets, 1);
      way.accept(packet);
    }

    private static void add(AtomicLong counter, long more) {
      counter.setRelease(counter.getPlain() + more); // one thread writes
    }
  }

  private final Direction in;
  private final Direction out;
  private long lastNanos = System.nanoTime();

  /**
   * A meter that has counted nothing.
   *
   * @param in where packets from the client go on, valid during the call
   * @param out where those to the client do
   */
  Meter(Consumer<ByteBuffer> in, Consumer<ByteBuffer> out) {
    this.in = new Direction(in);
    this.out = new Direction(out);
  }

  /** Keeps to the rates of an account from now on. */
  void shape(EventLoop loop, Account.Terms terms) {
    in.shape(loop, terms.upBitsPerSecond, terms);
    out.shape(loop, terms.downBitsPerSecond, terms);
  }

  void fromClient(ByteBuffer packet) {
    lastNanos = System.nanoTime();
    in.take(packet, lastNanos);
  }

  void toClient(ByteBuffer packet) {
    lastNanos = System.nanoTime();
    out.take(packet, lastNanos);
  }

  /** For how long nothing has passed. */
  long idleNanos() {
    return System.nanoTime() - lastNanos;
  }

  /** Forgets what waits. */
  void clear() {
    for (Direction direction : new Direction[] {in, out}) {
      DelayLine<ByteBuffer> line = direction.line;
      if (line != null) {
        line.clear();
      }
    }
  }

  /** What has passed. From any thread. */
  PppTraffic traffic() {
    return new PppTraffic(
        in.bytes.getAcquire(),
        in.packets.getAcquire(),
        out.bytes.getAcquire(),
        out.packets.getAcquire(),
        in.dropped.getAcquire() + out.dropped.getAcquire());
  }
}
