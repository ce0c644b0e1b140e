package org.liminix.testkit.internal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
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
    Files.createDirectories(file.toAbsolutePath().getParent());
    ReentrantLock threads =
        THREADS.computeIfAbsent(file.toAbsolutePath().normalize(), key -> new ReentrantLock());
    try {
      threads.lockInterruptibly();
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the lock " + file, e);
    }
    boolean locked = false;
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      try {
        CacheLock result = new CacheLock(threads, channel, channel.lock());
        locked = true;
        return result;
      } catch (FileLockInterruptionException e) {
        throw new WaitInterruptedException(
            "the lock " + file, new InterruptedException("waiting for another process"));
      } finally {
        if (!locked) {
          channel.close();
        }
      }
    } finally {
      if (!locked) {
        threads.unlock();
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
