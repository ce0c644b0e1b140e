package org.liminix.console;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;

/**
 * What a console has said, and the waits for more of it. A wait looks at the text as it was shown
 * and, where the kernel has written into it, at the shell's lane, too, and takes what begins first.
 *
 * <p>Thread-safe; but waits belong to one thread at a time.
 */
final class ConsoleText {
  /** What a wait looks for. */
  record Wanted(List<Pattern> patterns, int lookBehind, boolean shellOnly, String description) {}

  /** How the console explains the end of a wait. */
  interface Reports {
    String report(String what);
  }

  private record Found(Matcher matcher, TextLog.Snapshot lane, boolean shell, int index) {}

  private final String name;
  private final Reports reports;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final KernelMonitor kernel; // guarded by lock, as all below
  private final Lanes lanes;
  private final LineTimes times = new LineTimes();
  private int cursor;
  private boolean ended;
  private @Nullable Throwable failure;

  ConsoleText(String name, Set<KernelFailure> raised, Reports reports) {
    this.name = name;
    this.reports = reports;
    this.kernel = new KernelMonitor(raised, System::nanoTime);
    this.lanes = new Lanes(kernel);
  }

  private <T> T locked(Supplier<T> action) {
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  TextLog.Snapshot shown() {
    return locked(lanes::shown);
  }

  TextLog.Snapshot shell() {
    return locked(lanes::shell);
  }

  String kernel() {
    return locked(lanes::kernel);
  }

  <T> T timed(Function<LineTimes, T> reader) {
    return locked(() -> reader.apply(times));
  }

  boolean hasEnded() {
    return locked(() -> ended);
  }

  /** Has the kernel's failures raised, or not, and says whether a command's output may quote it. */
  void withKernel(Consumer<KernelMonitor> action) {
    locked(
        () -> {
          action.accept(kernel);
          return true;
        });
  }

  /** Has another kernel take the place of one that may have been stopped in a message. */
  void kernelChanges(Consumer<KernelMonitor> action) {
    withKernel(
        monitor -> {
          lanes.end();
          action.accept(monitor);
        });
  }

  void append(long millis, char[] chars, int count) {
    lock.lock();
    try {
      times.append(millis, lanes.length(), chars, count);
      lanes.append(chars, count);
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  void end(@Nullable Throwable cause) {
    lock.lock();
    try {
      lanes.end();
      ended = true;
      failure = cause;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Waits until one of the patterns is found, behind the previous match. */
  Match expect(Wanted wanted, Deadline deadline) {
    TextLog.Snapshot shown;
    TextLog.Snapshot shell;
    int shownFrom;
    int shellFrom;
    boolean differ;
    lock.lock();
    try {
      shown = lanes.shown();
      shell = lanes.shell();
      shownFrom = cursor;
      shellFrom = Math.min(lanes.toShell(cursor), shell.length());
      differ = lanes.differBehind(cursor);
    } finally {
      lock.unlock();
    }
    while (true) {
      Optional<Found> found = Optional.empty();
      for (int i = 0; i < wanted.patterns().size(); i++) {
        Pattern pattern = wanted.patterns().get(i);
        if (!wanted.shellOnly()) {
          found = first(found, find(pattern, shown, shownFrom, false, i));
        }
        if (wanted.shellOnly() || differ) {
          found = first(found, find(pattern, shell, shellFrom, true, i));
        }
      }
      if (found.isPresent()) {
        return consume(found.get(), wanted);
      }
      shownFrom = Math.max(shownFrom, shown.length() - wanted.lookBehind());
      shellFrom = Math.max(shellFrom, shell.length() - wanted.lookBehind());
      lock.lock();
      try {
        awaitMore(shown.length(), deadline, wanted.description());
        shown = lanes.shown();
        shell = lanes.shell();
        differ = lanes.differBehind(cursor);
      } finally {
        lock.unlock();
      }
    }
  }

  private static Optional<Found> find(
      Pattern pattern, TextLog.Snapshot lane, int from, boolean shell, int index) {
    Matcher matcher = pattern.matcher(lane).region(from, lane.length());
    matcher.useTransparentBounds(true).useAnchoringBounds(false);
    return matcher.find() ? Optional.of(new Found(matcher, lane, shell, index)) : Optional.empty();
  }

  private Optional<Found> first(Optional<Found> one, Optional<Found> other) {
    if (one.isEmpty() || other.isEmpty()) {
      return one.isEmpty() ? other : one;
    }
    return start(other.get()) < start(one.get()) ? other : one;
  }

  /** Where it begins in the text as shown. */
  private int start(Found found) {
    int start = found.matcher().start();
    return found.shell() ? locked(() -> lanes.toShown(start, true)) : start;
  }

  private Match consume(Found found, Wanted wanted) {
    Matcher matcher = found.matcher();
    List<String> groups = new ArrayList<>();
    for (int group = 0; group <= matcher.groupCount(); group++) {
      groups.add(Match.orEmpty(matcher.group(group)));
    }
    int start = start(found);
    lock.lock();
    try {
      // A failure that came before what was awaited is found before it.
      kernel.take(start).ifPresent(report -> raise(report, wanted.description()));
      int from = found.shell() ? lanes.toShell(cursor) : cursor;
      String before =
          found.lane().subSequence(Math.min(from, matcher.start()), matcher.start()).toString();
      cursor = found.shell() ? lanes.toShown(matcher.end(), false) : matcher.end();
      kernel.passed(cursor);
      return new Match(before, List.copyOf(groups), found.index());
    } finally {
      lock.unlock();
    }
  }

  /** Has the next wait begin behind all that has come so far. */
  void skip(String awaited) {
    lock.lock();
    try {
      raisePending(awaited);
      cursor = lanes.length();
      kernel.passed(cursor);
    } finally {
      lock.unlock();
    }
  }

  /** Waits until nothing more has come for a time, and returns what came since the last match. */
  String expectQuiet(Duration quiet, Deadline deadline) {
    lock.lock();
    try {
      int seen = lanes.length();
      Deadline silence = Deadline.after(quiet);
      while (true) {
        raisePending("silence");
        if (ended) {
          break;
        }
        boolean last = deadline.remainingNanos() < silence.remainingNanos();
        boolean inTime = (last ? deadline : silence).await(changed);
        if (lanes.length() != seen) {
          seen = lanes.length();
          silence = Deadline.after(quiet);
        } else if (!inTime && !last) {
          break;
        }
        if (deadline.hasPassed()) {
          throw new ConsoleTimeoutException(
              reports.report(
                  "has not been quiet for "
                      + Console.readable(quiet)
                      + " within "
                      + Console.readable(deadline.timeout())));
        }
      }
      String before = lanes.shown().subSequence(cursor, lanes.length()).toString();
      cursor = lanes.length();
      kernel.passed(cursor);
      return before;
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("silence on console " + name, e);
    } finally {
      lock.unlock();
    }
  }

  private void awaitMore(int seen, Deadline deadline, String awaited) {
    try {
      while (true) {
        kernel.take(seen).ifPresent(report -> raise(report, awaited));
        if (lanes.length() != seen) {
          return;
        }
        kernel.stillDead().ifPresent(report -> raise(report, awaited));
        if (ended) {
          throw new ConsoleClosedException(
              reports.report("has ended while " + awaited + " was awaited"), failure);
        }
        if (!deadline.await(changed) && lanes.length() == seen && !ended) {
          throw new ConsoleTimeoutException(
              reports.report(
                  "has not shown " + awaited + " within " + Console.readable(deadline.timeout())));
        }
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException(awaited + " on console " + name, e);
    }
  }

  /** Raises a failure nobody has been told of yet. */
  void raisePending(String awaited) {
    lock.lock();
    try {
      kernel.take(Integer.MAX_VALUE).ifPresent(report -> raise(report, awaited));
      kernel.stillDead().ifPresent(report -> raise(report, awaited));
    } finally {
      lock.unlock();
    }
  }

  <T> T tolerating(Collection<KernelFailure> failures, Supplier<T> block) {
    withKernel(monitor -> monitor.tolerate(failures));
    try {
      return block.get();
    } finally {
      withKernel(monitor -> monitor.tolerateNoMore(failures));
    }
  }

  private void raise(KernelMonitor.Report report, String awaited) {
    String kernelLines = String.join("\n", report.lines()).indent(4).stripTrailing();
    throw KernelException.of(
        report.failure(),
        reports.report(
            "tells that its kernel "
                + report.failure().summary()
                + " before or while "
                + awaited
                + " was awaited:\n"
                + kernelLines),
        report.lines());
  }
}
