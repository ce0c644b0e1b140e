package org.liminix.net.internal;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;

/** How a thread outside a loop waits for what the loop is about to find out. */
public final class Futures {
  private Futures() {}

  /**
   * Starts something on the loop and waits for its result. When the wait ends without one, the
   * future is cancelled on the loop, which is how the work behind it learns that it may stop.
   *
   * @param what what is awaited, for messages
   * @throws WaitTimeoutException when the time is up
   * @throws IllegalStateException on the loop itself, which would wait for itself
   */
  public static <T> T await(
      EventLoop loop, Supplier<CompletableFuture<T>> work, Duration timeout, String what) {
    if (loop.inLoop()) {
      throw new IllegalStateException(
          "Waiting for " + what + " on the event loop would wait forever; use another thread");
    }
    Deadline deadline = Deadline.after(timeout);
    Wait<T> wait = new Wait<>(work);
    loop.execute(wait);
    try {
      return wait.result.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      wait.abandon(loop);
      throw new WaitTimeoutException("No " + what + " within " + Deadline.readable(timeout));
    } catch (InterruptedException e) {
      wait.abandon(loop);
      throw new WaitInterruptedException(what, e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        failure.addSuppressed(new Throwable("awaited here"));
        throw failure;
      }
      throw new IllegalStateException(what + " failed", e.getCause());
    }
  }

  /** Tells what becomes of a future: its value, or why there is none. */
  @SuppressWarnings("FutureReturnValueIgnored") // what follows the callback is nobody's business
  public static <T> void whenDone(
      CompletableFuture<T> future,
      BiConsumer<? super @Nullable T, ? super @Nullable Throwable> end) {
    future.whenComplete(end);
  }

  /** What one thread waits for: begins on the loop, and hands on what comes of it. */
  private static final class Wait<T>
      implements Runnable, BiConsumer<@Nullable T, @Nullable Throwable> {
    private final Supplier<CompletableFuture<T>> work;
    private final CompletableFuture<T> result = new CompletableFuture<>();
    private @Nullable CompletableFuture<T> begun; // the loop's

    Wait(Supplier<CompletableFuture<T>> work) {
      this.work = work;
    }

    @Override
    public void run() {
      if (result.isDone()) {
        return;
      }
      try {
        begun = work.get();
        whenDone(begun, this);
      } catch (RuntimeException e) {
        result.completeExceptionally(e);
      }
    }

    @Override
    public void accept(@Nullable T value, @Nullable Throwable failure) {
      if (failure == null) {
        result.complete(value);
      } else {
        result.completeExceptionally(failure);
      }
    }

    /** Nobody waits any more. */
    void abandon(EventLoop loop) {
      result.cancel(false);
      try {
        loop.execute(this::cancel);
      } catch (RejectedExecutionException closed) {
        // nothing goes on there any more
      }
    }

    private void cancel() {
      if (begun != null) {
        begun.cancel(false);
      }
    }
  }
}
