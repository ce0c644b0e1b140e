package org.liminix.tftp;

import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Shows a person what a server does: a line for each transfer that is over and each request that
 * was refused and, on a terminal, bars for those under way.
 *
 * <p>Prints on a thread of its own: a terminal that was stopped with ^S, or a pipe that nobody
 * reads, would otherwise hold up the server's event loop and with it every client. Whoever made it
 * closes it, behind the server.
 */
final class ProgressReport implements TftpListener, AutoCloseable {
  /** Lines kept while nobody takes them; the oldest give way. */
  static final int MOST_LINES = 1000;

  /** Between two drawings of the bars. */
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

  private final PrintStream out;
  private final @Nullable ProgressBars bars;
  private final ScheduledThreadPoolExecutor printer =
      new ScheduledThreadPoolExecutor(
          1,
          task -> {
            Thread thread = new Thread(task, "liminix-tftp-report");
            thread.setDaemon(true);
            return thread;
          });

  private final Set<TftpTransfer> running = new LinkedHashSet<>();
  private final Deque<String> lines = new ArrayDeque<>();
  private long leftOut;
  private boolean due;
  private long printedNanos = System.nanoTime() - PAUSE_NANOS;
  private boolean closed;

  /**
   * One that prints there.
   *
   * @param terminal whether that is a terminal, which has a cursor to move
   */
  ProgressReport(PrintStream out, boolean terminal) {
    this.out = out;
    this.bars = terminal ? new ProgressBars() : null;
  }

  /** Prints a line. */
  synchronized void say(String line) {
    if (lines.size() == MOST_LINES) {
      lines.remove();
      leftOut++;
    }
    lines.add(line);
    printSoon();
  }

  @Override
  public synchronized void started(TftpTransfer transfer) {
    running.add(transfer);
    printSoon();
  }

  @Override
  public synchronized void ended(TftpTransfer transfer) {
    running.remove(transfer);
    say(transfer.toString());
  }

  @Override
  public void refused(TftpTransfer request) {
    say(request.toString());
  }

  private void printSoon() {
    if (!due && !closed) {
      due = true;
      long pause = printedNanos + PAUSE_NANOS - System.nanoTime();
      var unused = printer.schedule(this::print, pause, TimeUnit.NANOSECONDS);
    }
  }

  private void print() {
    String text = news();
    out.print(text);
    out.flush();
    printed();
  }

  private synchronized String news() {
    due = false;
    List<String> news = new ArrayList<>(lines);
    if (leftOut > 0) {
      news.add(0, "(" + leftOut + " lines before these were not taken in time)");
    }
    lines.clear();
    leftOut = 0;
    if (bars != null) {
      return bars.redraw(news, running);
    }
    StringBuilder text = new StringBuilder();
    news.forEach(line -> text.append(line).append(System.lineSeparator()));
    return text.toString();
  }

  private synchronized void printed() {
    printedNanos = System.nanoTime();
    if (bars != null && !running.isEmpty()) {
      printSoon(); // bars move on, and their rates fall when they do not
    }
  }

  /** Prints what there is left to say, unless nobody takes it. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
    }
    printer.shutdown(); // what is due is still printed
    try {
      boolean unused = printer.awaitTermination(1, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
