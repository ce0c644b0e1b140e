package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import org.liminix.process.Deadline;

/**
 * Writes to something whose write blocks and cannot be interrupted, with a thread of its own.
 * Thread-safe.
 */
final class Feeder implements AutoCloseable {
  private static final int UNSENT_BYTES = 1 << 16;

  /** Takes all of the buffer. */
  interface Sink {
    void write(ByteBuffer bytes) throws IOException;
  }

  private final ByteQueue queue = new ByteQueue(UNSENT_BYTES);
  private final Sink sink;
  private final int chunk;

  private Feeder(Sink sink, int chunk) {
    this.sink = sink;
    this.chunk = chunk;
  }

  /** Starts one that writes at most so many bytes at once. */
  static Feeder start(String name, int chunk, Sink sink) {
    Feeder feeder = new Feeder(sink, chunk);
    Thread thread = new Thread(feeder::feed, "liminix-feed-" + name);
    thread.setDaemon(true);
    thread.start();
    return feeder;
  }

  private void feed() {
    ByteBuffer bytes = ByteBuffer.allocate(chunk);
    try {
      while (queue.take(bytes.clear()) >= 0) {
        sink.write(bytes.flip());
      }
    } catch (ClosedChannelException e) {
      queue.close();
    } catch (IOException e) {
      queue.end(e);
    }
  }

  /**
   * Takes all of the buffer, waiting while there is no room; an earlier write that failed fails
   * this one.
   */
  int write(ByteBuffer bytes) throws IOException {
    int count = bytes.remaining();
    queue.put(bytes);
    return count;
  }

  /**
   * Waits until all of it is written.
   *
   * @return false if the time is up
   */
  boolean flush(Deadline deadline) throws IOException {
    return queue.awaitTaken(deadline);
  }

  /** Discards what is not written yet. A write that is under way goes on. */
  @Override
  public void close() {
    queue.close();
  }
}
