package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.liminix.process.LiminixException;

/**
 * One channel while a terminal is attached to it. One thread reads it; another one writes, so that
 * a far end that takes nothing does not keep anybody from leaving.
 */
final class FarEnd {
  /** Called on the reading thread, and may block. */
  interface Listener {
    void said(FarEnd from, byte[] bytes) throws InterruptedException;

    void ended(FarEnd which) throws InterruptedException;
  }

  private interface Step {
    void run() throws IOException;
  }

  /** What a person may type, or paste, ahead of what the far end takes. */
  private static final int MOST_WAITING_BYTES = 1 << 20;

  /** For what was typed just before leaving. */
  private static final Duration LAST_KEYS = Duration.ofSeconds(2);

  private static final Step LAST = () -> {};

  private final ByteChannel channel;
  private final Listener listener;
  private final BlockingQueue<Step> steps = new LinkedBlockingQueue<>();
  private final AtomicInteger waitingBytes = new AtomicInteger();
  private final CountDownLatch written = new CountDownLatch(1);

  FarEnd(String name, ByteChannel channel, Listener listener) {
    this.channel = channel;
    this.listener = listener;
    start("liminix-attached-reader-" + name, this::readAll);
    start("liminix-attached-writer-" + name, this::writeAll);
  }

  private static void start(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
  }

  /**
   * Types the keys as soon as the far end takes them.
   *
   * @return false if it has not taken so much that these are refused
   */
  boolean type(byte[] keys) {
    if (waitingBytes.get() > 0 && waitingBytes.get() + keys.length > MOST_WAITING_BYTES) {
      return false;
    }
    waitingBytes.addAndGet(keys.length);
    steps.add(
        () -> {
          ByteBuffer buffer = ByteBuffer.wrap(keys);
          while (buffer.hasRemaining()) {
            channel.write(buffer);
          }
          waitingBytes.addAndGet(-keys.length);
        });
    return true;
  }

  /** Tells the far end the size of the terminal, if it wants to know. */
  void resize(Terminal.Size size) {
    if (channel instanceof TerminalChannel terminal) {
      steps.add(() -> terminal.resize(size.rows(), size.columns()));
    }
  }

  private void readAll() {
    ByteBuffer chunk = ByteBuffer.allocate(8192);
    try {
      try {
        while (channel.read(chunk) >= 0) {
          listener.said(this, Arrays.copyOf(chunk.array(), chunk.position()));
          chunk.clear();
        }
      } catch (IOException | LiminixException e) {
        // As good as its end.
      }
      listener.ended(this);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void writeAll() {
    try {
      Step step;
      do {
        step = steps.take();
        step.run();
      } while (step != LAST);
    } catch (IOException | LiminixException e) {
      // The reader notices the end, too.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      written.countDown();
    }
  }

  /** Closes the channel when what was typed is written, or the far end takes too long over it. */
  void leave() {
    steps.add(LAST);
    boolean interrupted = false;
    try {
      written.await(LAST_KEYS.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      interrupted = true;
    }
    try {
      channel.close();
    } catch (IOException e) {
      // It is left in any case.
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
