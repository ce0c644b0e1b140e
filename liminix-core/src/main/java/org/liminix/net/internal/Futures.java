package org.liminix.net.internal;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
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
    CompletableFuture<T> result = new CompletableFuture<>();
    loop.execute(() -> forward(loop, work, result));
    try {
      return result.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      result.cancel(false);
      throw new WaitTimeoutException("No " + what + " within " + Deadline.readable(timeout));
    } catch (InterruptedException e) {
      result.cancel(false);
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

  private static <T> void forward(
      EventLoop loop, Supplier<CompletableFuture<T>> work, CompletableFuture<T> result) {
    if (result.isDone()) {
      return;
    }
    CompletableFuture<T> inner;
    try {
      inner = work.get();
    } catch (RuntimeException e) {
      result.completeExceptionally(e);
      return;
    }
    whenDone(
        inner,
        (value, failure) -> {
          if (failure == null) {
            result.complete(value);
          } else {
            result.completeExceptionally(failure);
          }
        });
    whenDone(
        result,
        (value, failure) -> {
          if (result.isCancelled()) {
            loop.execute(() -> inner.cancel(false));
          }
        });
  }
}
