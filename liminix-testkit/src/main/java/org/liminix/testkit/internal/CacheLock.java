package org.liminix.testkit.internal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.liminix.process.WaitInterruptedException;

/**
 * Keeps other threads and other processes out of a part of the cache. The operating system frees
 * the lock of a process that dies.
 */
final class CacheLock implements AutoCloseable {
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

  /** Waits for the lock; the file is created if need be and stays. */
  static CacheLock acquire(Path file) throws IOException {
    ReentrantLock threads = threadLock(file);
    try {
      threads.lockInterruptibly();
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the lock " + file, e);
    }
    try {
      return lockFile(file, threads, FileChannel::lock).orElseThrow();
    } catch (FileLockInterruptionException e) {
      throw new WaitInterruptedException(
          "the lock " + file, new InterruptedException("waiting for another process"));
    }
  }

  /** Takes the lock if nobody holds it. */
  static Optional<CacheLock> tryAcquire(Path file) throws IOException {
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
