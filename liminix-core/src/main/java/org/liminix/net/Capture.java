package org.liminix.net;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Pcapng;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A recording of everything that passes on a {@link Segment}, as a pcapng file for Wireshark and
 * tshark: times in nanoseconds, and with every packet a comment that names the station it came
 * from.
 *
 * <pre>{@code
 * try (Capture capture = segments.get(ACCESS).capture(Path.of("access.pcapng"))) {
 *   router.reboot();
 * }
 * }</pre>
 *
 * <p>What has passed is written within moments, by a thread that all captures share, so that a
 * crash loses little and a slow disk holds up nobody. {@code tail -c +1 -f access.pcapng |
 * wireshark -k -i -} follows it while it grows. Thread-safe. Whoever began it closes it; closing
 * the segments does so too.
 */
public final class Capture implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Capture.class);

  private static final int INITIAL_BYTES = 1 << 16;

  /** What may wait for the disk: about a second of a fast network. */
  private static final int MAX_BYTES = 1 << 25;

  /** One thread for all captures, and none while nothing passes. */
  private static final ThreadPoolExecutor WRITER = writer();

  private final Path path;
  private final Segment segment;
  private final FileChannel file;
  private final Optional<Predicate<Frame>> wanted;
  private final Object fileLock = new Object();
  private final long epochNanos;

  /** Guards what follows: the frames that wait to be written. */
  private final Object lock = new Object();

  private ByteBuffer waiting = ByteBuffer.allocate(INITIAL_BYTES);
  private ByteBuffer spare = ByteBuffer.allocate(INITIAL_BYTES);
  private boolean scheduled;
  private boolean closed;
  private long packets;
  private long dropped;
  private @Nullable IOException failure;

  private Capture(Path path, Segment segment, FileChannel file, Optional<Predicate<Frame>> wanted) {
    this.path = path;
    this.segment = segment;
    this.file = file;
    this.wanted = wanted;
    Instant now = Instant.now();
    this.epochNanos =
        TimeUnit.SECONDS.toNanos(now.getEpochSecond()) + now.getNano() - System.nanoTime();
  }

  private static ThreadPoolExecutor writer() {
    ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            1,
            1,
            1,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "liminix-captures");
              thread.setDaemon(true);
              return thread;
            });
    executor.allowCoreThreadTimeOut(true);
    return executor;
  }

  static Capture open(Path path, Segment segment, Optional<Predicate<Frame>> wanted) {
    FileChannel file = null;
    try {
      file =
          FileChannel.open(
              path,
              StandardOpenOption.CREATE,
              StandardOpenOption.WRITE,
              StandardOpenOption.TRUNCATE_EXISTING);
      Capture capture = new Capture(path, segment, file, wanted);
      capture.writeFully(Pcapng.header(segment.network().name()));
      return capture;
    } catch (IOException e) {
      if (file != null) {
        try {
          file.close();
        } catch (IOException suppressed) {
          e.addSuppressed(suppressed);
        }
      }
      throw new NetworkException(
          "Cannot capture network %s to %s: %s; its directory must exist and be writable"
              .formatted(segment.network(), path, e),
          e);
    }
  }

  /** The file. */
  public Path path() {
    return path;
  }

  /** How many frames it holds, or will as soon as they are written. */
  public long packets() {
    synchronized (lock) {
      return packets;
    }
  }

  /** How many frames are missing because the disk was too slow, or full. */
  public long dropped() {
    synchronized (lock) {
      return dropped;
    }
  }

  /** Whether only some frames are wanted. */
  boolean isFiltered() {
    return wanted.isPresent();
  }

  /** Whether such a frame is. */
  boolean wants(Frame frame) {
    return wanted.isEmpty() || wanted.get().test(frame);
  }

  /** A frame passes. On the loop. */
  void record(ByteBuffer comment, ByteBuffer frame) {
    long time = epochNanos + System.nanoTime();
    synchronized (lock) {
      int needed = Pcapng.packetLength(frame.remaining(), comment.remaining());
      if (closed || failure != null || !makeRoom(needed)) {
        dropped++;
        return;
      }
      Pcapng.putPacket(waiting, time, frame, comment);
      packets++;
      if (!scheduled) {
        scheduled = true;
        WRITER.execute(this::write);
      }
    }
  }

  private boolean makeRoom(int needed) {
    if (waiting.remaining() >= needed) {
      return true;
    }
    int total = waiting.position() + needed;
    if (total > MAX_BYTES) {
      return false;
    }
    int capacity = Math.min(MAX_BYTES, Math.max(total, waiting.capacity() * 2));
    waiting = ByteBuffer.allocate(capacity).put(waiting.flip());
    return true;
  }

  private void write() {
    synchronized (fileLock) {
      ByteBuffer batch;
      synchronized (lock) {
        scheduled = false;
        batch = waiting.flip();
        waiting = spare;
        spare = batch;
      }
      try {
        writeFully(batch);
      } catch (IOException e) {
        fail(e);
      }
      batch.clear();
    }
  }

  /** Writes what has passed so far, so that the file can be read or copied while this goes on. */
  public void flush() {
    synchronized (fileLock) {
      synchronized (lock) {
        if (closed) {
          return;
        }
      }
      write();
    }
  }

  private void fail(IOException e) {
    synchronized (lock) {
      if (failure == null) {
        failure = e;
        log.warn("The capture of network {} ends early: {}", segment.network(), path, e);
      }
    }
  }

  private void writeFully(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      file.write(bytes);
    }
  }

  /**
   * Ends the recording and completes the file. Idempotent.
   *
   * @throws NetworkException if something could not be written
   */
  @Override
  public void close() {
    segment.detach(this);
    end();
    IOException failed;
    synchronized (lock) {
      failed = failure;
    }
    if (failed != null) {
      throw new NetworkException("The capture " + path + " is incomplete: " + failed, failed);
    }
  }

  /** Completes the file; no frame comes any more. */
  void end() {
    synchronized (fileLock) {
      synchronized (lock) {
        if (closed) {
          return;
        }
        closed = true;
      }
      write();
      try (file) {
        writeFully(Pcapng.statistics(epochNanos + System.nanoTime(), packets(), dropped()));
      } catch (IOException e) {
        fail(e);
      }
    }
  }

  @Override
  public String toString() {
    return "Capture[" + segment.network() + " to " + path + "]";
  }
}
