package org.liminix.net;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SelectableChannel;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.time.Duration;
import java.util.Comparator;
import java.util.NavigableSet;
import java.util.Queue;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.liminix.process.WaitInterruptedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One thread on which channels become ready, timers fire and tasks run, one at a time. Segments,
 * the hosts on them and the servers on those hosts share a loop, so their state needs no locks.
 *
 * <pre>{@code
 * try (EventLoop loop = EventLoop.start("isp")) {
 *   EventLoop.Timer timer = loop.schedule(Duration.ofMillis(10), this::resend);
 *   loop.register(channel, SelectionKey.OP_READ, key -> receive());
 * }
 * }</pre>
 *
 * <p>{@link #execute}, {@link #schedule}, {@link #register}, {@link #call} and {@link #close} may
 * be called from any thread; everything handed in runs on the loop's own daemon thread and must not
 * block. A task that throws is logged and the loop goes on.
 */
public final class EventLoop implements Executor, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(EventLoop.class);

  /** So many tasks run between two looks at the channels, should tasks never end. */
  private static final int TASKS_PER_TURN = 256;

  private static final long MAX_DELAY_NANOS = Long.MAX_VALUE / 4;

  private final Selector selector;
  private final Thread thread;
  private final Queue<Runnable> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean wakeupPending = new AtomicBoolean();
  private volatile boolean closed;

  /**
   * Confined to the loop's thread. A tree rather than a heap, because most timers guard against
   * something that does not happen: they are taken out again before their time.
   */
  private final NavigableSet<Timer> timers =
      new TreeSet<>(
          Comparator.<Timer>comparingLong(timer -> timer.dueNanos)
              .thenComparingLong(timer -> timer.sequence));

  private final long originNanos = System.nanoTime();
  private long timerSequence = 1; // zero is a timer that never joined

  private EventLoop(String name) {
    try {
      this.selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot open a selector for event loop " + name, e);
    }
    this.thread = new Thread(this::run, "liminix-" + name);
    thread.setDaemon(true);
  }

  /** Starts a loop on a new daemon thread of that name. */
  public static EventLoop start(String name) {
    EventLoop loop = new EventLoop(name);
    try {
      loop.thread.start();
    } catch (Error e) { // there is no memory for a thread
      loop.closeSelector();
      throw e;
    }
    return loop;
  }

  /** Whether the caller runs on this loop's thread. */
  public boolean inLoop() {
    return Thread.currentThread() == thread;
  }

  /**
   * Runs the task on the loop, after those handed in before it.
   *
   * @throws RejectedExecutionException if the loop is closed
   */
  @Override
  public void execute(Runnable task) {
    enqueue(task);
    if (closed && tasks.remove(task)) {
      throw new RejectedExecutionException("Event loop " + thread.getName() + " is closed");
    }
  }

  private void enqueue(Runnable task) {
    tasks.add(task);
    if (!inLoop() && wakeupPending.compareAndSet(false, true)) {
      selector.wakeup();
    }
  }

  /**
   * Runs the task on the loop and waits until it is done; on the loop itself, runs it at once. What
   * the task throws is thrown here. Never call one loop from another: two that wait for each other
   * wait forever.
   *
   * @throws WaitInterruptedException if the thread is interrupted; the task runs all the same
   * @throws RejectedExecutionException if the loop is closed
   */
  public void call(Runnable task) {
    compute(
        () -> {
          task.run();
          return this;
        });
  }

  /** As {@link #call}, for a task with a result. */
  public <T> T compute(Supplier<T> task) {
    if (inLoop()) {
      return task.get();
    }
    // Not task::get, whose handle is one more class to make when the first loop starts.
    FutureTask<T> future = new FutureTask<>(() -> task.get());
    execute(future);
    try {
      return future.get();
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("a task of event loop " + thread.getName(), e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause()); // a Runnable throws nothing checked
    }
  }

  /**
   * Runs the task on the loop when the delay is over. Delays are rounded up to whole milliseconds,
   * the resolution of a selector.
   */
  public Timer schedule(Duration delay, Runnable task) {
    Timer timer = new Timer(now() + nanos(delay), task);
    if (inLoop()) {
      add(timer);
    } else {
      execute(() -> add(timer));
    }
    return timer;
  }

  /** Nanoseconds since the loop was made: they order timers without overflow. */
  private long now() {
    return System.nanoTime() - originNanos;
  }

  private static long nanos(Duration delay) {
    return Math.min(Math.max(0, TimeUnit.NANOSECONDS.convert(delay)), MAX_DELAY_NANOS);
  }

  private void add(Timer timer) {
    if (!timer.cancelled) {
      timer.sequence = timerSequence++;
      timers.add(timer);
    }
  }

  /**
   * Calls the handler on the loop whenever the channel is ready. The channel must be in
   * non-blocking mode; closing it ends the registration.
   */
  public void register(SelectableChannel channel, int operations, Consumer<SelectionKey> handler) {
    call(
        () -> {
          try {
            channel.register(selector, operations, handler);
          } catch (ClosedChannelException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private void run() {
    try {
      while (!closed) {
        turn();
      }
    } catch (IOException e) {
      log.error("Event loop {} ended", thread.getName(), e);
    } finally {
      closed = true;
      closeSelector();
      while (runTask()) {}
    }
  }

  /** One turn, a method of its own: what is called often is compiled long before a loop is. */
  private void turn() throws IOException {
    select();
    wakeupPending.set(false);
    for (int count = 0; count < TASKS_PER_TURN && runTask(); count++) {}
    runTimers();
    // An interrupt meant for a handler would make every later select return at once.
    if (Thread.interrupted()) {
      log.debug("{} was interrupted and goes on", thread.getName());
    }
  }

  private void select() throws IOException {
    if (!tasks.isEmpty()) {
      selector.selectNow(this::dispatch);
      return;
    }
    long timeoutMillis = 0; // forever
    if (!timers.isEmpty()) {
      long nanos = timers.first().dueNanos - now();
      // Rounded up, for a millisecond early would spin.
      timeoutMillis = Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos + 999_999));
    }
    selector.select(this::dispatch, timeoutMillis);
  }

  @SuppressWarnings("unchecked")
  private void dispatch(SelectionKey key) {
    Consumer<SelectionKey> handler = (Consumer<SelectionKey>) key.attachment();
    try {
      if (key.isValid()) { // the handler of another channel may have closed this one
        handler.accept(key);
      }
    } catch (RuntimeException | Error e) {
      logFailure(e);
    }
  }

  private boolean runTask() {
    Runnable task = tasks.poll();
    if (task == null) {
      return false;
    }
    guarded(task);
    return true;
  }

  private void runTimers() {
    long now = now();
    while (!timers.isEmpty() && timers.first().dueNanos <= now) {
      Timer timer = timers.pollFirst();
      if (timer != null && !timer.cancelled) {
        guarded(timer.task);
      }
    }
  }

  private static void guarded(Runnable task) {
    try {
      task.run();
    } catch (RuntimeException | Error e) {
      logFailure(e);
    }
  }

  private static void logFailure(Throwable e) {
    log.error("A task on {} failed", Thread.currentThread().getName(), e);
  }

  private void closeSelector() {
    try {
      selector.close();
    } catch (IOException e) {
      log.debug("Closing the selector of {}", thread.getName(), e);
    }
  }

  /** Ends the loop after the tasks already handed in and waits for its thread. Idempotent. */
  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    if (inLoop()) {
      return;
    }
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String toString() {
    return "EventLoop[" + thread.getName() + "]";
  }

  /** A task that waits for its time. */
  public final class Timer {
    private final long dueNanos;
    private final Runnable task;
    private long sequence; // set when it joins the queue: equal times fire in order
    private volatile boolean cancelled;

    private Timer(long dueNanos, Runnable task) {
      this.dueNanos = dueNanos;
      this.task = task;
    }

    /** Keeps the task from running, if it has not yet. Idempotent, from any thread. */
    public void cancel() {
      cancelled = true;
      if (inLoop()) {
        timers.remove(this);
      } else if (!closed) {
        enqueue(() -> timers.remove(this));
      }
    }
  }
}
