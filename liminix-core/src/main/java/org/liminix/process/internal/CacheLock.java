package org.liminix.process.internal;

import java.io.IOException;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;

/**
 * Keeps other threads and other processes out of a part of a cache. The operating system frees the
 * lock of a process that dies.
 *
 * <pre>{@code
 * try (CacheLock lock = CacheLock.acquire(file, Deadline.after(Duration.ofMinutes(10)))) {
 *   ...
 * }
 * }</pre>
 *
 * <p>Closed by the thread that acquired it.
 */
public final class CacheLock implements AutoCloseable {
  /** Nobody works on a cache for longer. */
  private static final Duration MOST = Duration.ofHours(1);

  // A file lock belongs to the whole process, so threads exclude each other before taking it.
  private static final ConcurrentMap<Path, ReentrantLock> THREADS = new ConcurrentHashMap<>();

  private final ReentrantLock threads;
  private final FileChannel channel;
  private final FileLock lock;

  private CacheLock(ReentrantLock threads, FileChannel channel, FileLock lock) {
    this.threads = threads;
    this.channel = channel;
    this.lock = lock;
  }

  /** Waits for the lock, at most an hour; the file is created if need be and stays. */
  public static CacheLock acquire(Path file) throws IOException {
    return acquire(file, Deadline.after(MOST));
  }

  /**
   * Waits for the lock; the file is created if need be and stays.
   *
   * @throws WaitTimeoutException if others hold it until then
   * @throws WaitInterruptedException if the thread is interrupted
   */
  public static CacheLock acquire(Path file, Deadline deadline) throws IOException {
    ReentrantLock threads = threadLock(file);
    try {
      if (!threads.tryLock(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
        throw timedOut(file, deadline);
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the lock " + file, e);
    }
    return lockFile(file, threads, channel -> await(file, channel, deadline)).orElseThrow();
  }

  /** Takes the lock if nobody holds it. */
  public static Optional<CacheLock> tryAcquire(Path file) throws IOException {
    ReentrantLock threads = threadLock(file);
    // Held by this thread counts as held: the caller is to keep away from what it works on.
    return threads.isHeldByCurrentThread() || !threads.tryLock()
        ? Optional.empty()
        : lockFile(file, threads, FileChannel::tryLock);
  }

  private static ReentrantLock threadLock(Path file) throws IOException {
    Path absolute = file.toAbsolutePath().normalize();
    Files.createDirectories(absolute.getParent());
    return THREADS.computeIfAbsent(absolute, key -> new ReentrantLock());
  }

  @FunctionalInterface
  private interface Locking {
    @Nullable FileLock lock(FileChannel channel) throws IOException;
  }

  /** A wait for a file lock knows no deadline, but ends when its channel is closed. */
  private static FileLock await(Path file, FileChannel channel, Deadline deadline)
      throws IOException {
    FileLock free = channel.tryLock();
    if (free != null) {
      return free;
    }
    CompletableFuture<Void> acquired = new CompletableFuture<>();
    CompletableFuture<Void> ended =
        acquired
            .orTimeout(deadline.remainingNanos(), TimeUnit.NANOSECONDS)
            .whenComplete((nothing, timeout) -> closeIf(timeout != null, channel));
    try {
      FileLock lock = channel.lock();
      if (acquired.complete(null)) {
        return lock;
      }
      throw timedOut(file, deadline);
    } catch (FileLockInterruptionException e) {
      throw new WaitInterruptedException(
          "the lock " + file, new InterruptedException("waiting for another process"));
    } catch (AsynchronousCloseException e) {
      throw timedOut(file, deadline);
    } finally {
      ended.cancel(false);
      acquired.complete(null);
    }
  }

  private static void closeIf(boolean timedOut, FileChannel channel) {
    if (timedOut) {
      try {
        channel.close();
      } catch (IOException e) {
        throw new IllegalStateException("A channel that nothing is written to was closed", e);
      }
    }
  }

  private static WaitTimeoutException timedOut(Path file, Deadline deadline) {
    return new WaitTimeoutException(
        "Waited %s for others to finish what they do under the lock %s: they may hang"
            .formatted(Deadline.readable(deadline.timeout()), file));
  }

  /** Adds the file lock to that of the threads, or gives up both. */
  private static Optional<CacheLock> lockFile(Path file, ReentrantLock threads, Locking locking)
      throws IOException {
    FileChannel channel = null;
    FileLock lock = null;
    try {
      channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      lock = locking.lock(channel);
      return lock == null ? Optional.empty() : Optional.of(new CacheLock(threads, channel, lock));
    } finally {
      if (lock == null) {
        threads.unlock();
        if (channel != null) {
          channel.close();
        }
      }
    }
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      lock.release();
    } finally {
      threads.unlock();
    }
  }
}
