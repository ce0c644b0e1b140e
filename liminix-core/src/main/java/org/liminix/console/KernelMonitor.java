package org.liminix.console;

import com.google.common.collect.EnumMultiset;
import com.google.common.collect.EvictingQueue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads the kernel's messages, and remembers the failures they report until a wait raises them or
 * has passed them.
 *
 * <p>While a {@linkplain Shell shell's} command runs, its output may quote messages, as {@code
 * dmesg} does. What tells them apart is time: a quoted message came before, is older than one that
 * came before it, older than the kernel's clock, which runs since the last message, or from a time
 * that clock cannot have reached; and lines that follow a quoted one are quoted as well, unless
 * they report a failure that is new. Guarded by its owner's lock.
 */
final class KernelMonitor implements Lanes.Judge {
  private static final int KEPT_LINES = 20;
  private static final int KEPT_FAILURES = 200;
  private static final int BOOTS_OF_A_LOOP = 3;

  /** Processors stamp their messages before they queue for the log. */
  private static final long DISORDER_MICROS = 100_000;

  /** How late a message may come, over a slow line say. */
  private static final long LATE_MICROS = 2_000_000;

  /** How much faster than ours a guest's clock may run that is badly calibrated. */
  private static final int FASTEST = 2;

  /** One oops is reported in several ways within this time, or so much text where none is told. */
  private static final long BURST_MICROS = 1_000_000;

  private static final int BURST_LENGTH = 4096;

  /** Something that went wrong, and from where to where the text as shown says so. */
  record Report(KernelFailure failure, int start, int end, List<String> lines) {}

  /** A time of the kernel's clock, and when it was that on ours. */
  private record Clock(long micros, long nanos) {
    static final Clock UNKNOWN = new Clock(-1, 0);

    boolean isKnown() {
      return micros >= 0;
    }
  }

  private final Set<KernelFailure> raised;
  private final LongSupplier nanoTime;
  private final EnumMultiset<KernelFailure> tolerated = EnumMultiset.create(KernelFailure.class);
  private final Deque<String> recent = new ArrayDeque<>();
  private final EvictingQueue<String> told = EvictingQueue.create(KEPT_FAILURES);
  private final List<Report> pending = new ArrayList<>();
  private final Deque<Integer> boots = new ArrayDeque<>();
  private @Nullable Report dead;

  /** By name, with their age in place of their time on ours. */
  private final Map<String, Clock> saved = new HashMap<>();

  private Clock newest = Clock.UNKNOWN;
  private Clock quoted = Clock.UNKNOWN; // the first in a command's output
  private long oopsMicros = -1;
  private int oopsPlace = -1;
  private boolean commandRuns;
  private boolean quoting;
  private boolean restarts;
  private boolean bootCounted;
  private boolean panicked;
  private boolean withoutTimestamps;

  /**
   * Raises some failures.
   *
   * @param nanoTime a clock as {@link System#nanoTime()} is
   */
  KernelMonitor(Set<KernelFailure> raised, LongSupplier nanoTime) {
    this.raised = raised;
    this.nanoTime = nanoTime;
  }

  /** Whether a shell's command runs, whose output may quote the kernel. */
  void commandRuns(boolean runs) {
    commandRuns = runs;
    quoting = false;
    quoted = Clock.UNKNOWN;
  }

  /** The kernel's state has been saved under that name. */
  void saved(String name) {
    saved.put(name, new Clock(newest.micros(), nanoTime.getAsLong() - newest.nanos()));
  }

  /** The kernel is again as it was when it was {@link #saved}. */
  void restored(String name) {
    changed();
    Clock clock = saved.getOrDefault(name, Clock.UNKNOWN);
    newest = new Clock(clock.micros(), nanoTime.getAsLong() - clock.nanos());
  }

  /** Another kernel has taken the place of this one. */
  void changed() {
    startClock();
    told.clear();
    pending.clear();
    boots.clear();
    dead = null;
    restarts = false;
  }

  void tolerate(Collection<KernelFailure> failures) {
    tolerated.addAll(failures);
  }

  /** Ends a {@link #tolerate}; what happened meanwhile is forgotten. */
  void tolerateNoMore(Collection<KernelFailure> failures) {
    pending.removeIf(report -> failures.contains(report.failure()));
    failures.forEach(tolerated::remove);
  }

  /** The waits have come to that place. */
  void passed(int place) {
    pending.removeIf(report -> report.start() < place);
    while (!boots.isEmpty() && boots.getFirst() < place) {
      boots.removeFirst();
    }
  }

  /** Takes the first failure before a place that a wait has to raise. */
  Optional<Report> take(int before) {
    for (Report report : pending) {
      if (report.end() <= before && !tolerated.contains(report.failure())) {
        pending.remove(report);
        if (report.failure().isPanic()) {
          dead = report;
        }
        return Optional.of(report);
      }
    }
    return Optional.empty();
  }

  /** The panic that a wait has raised already and after which no kernel has booted. */
  Optional<Report> stillDead() {
    return Optional.ofNullable(dead).filter(report -> !tolerated.contains(report.failure()));
  }

  @Override
  public boolean isFromKernel(String line, int start) {
    CharSequence message = KernelPrefix.strip(line);
    Optional<KernelFailure> failure = KernelFailure.of(message);
    long micros = KernelPrefix.micros(line);
    boolean repeated = failure.isPresent() && micros >= 0 && told.contains(line);
    if (micros >= 0
        && commandRuns
        && !restarts
        && (repeated || isQuoted(line, micros, failure.isPresent()))) {
      quoting = true;
      failure.ifPresent(what -> told.add(line));
      return false;
    }
    boolean panics = failure.isPresent() && failure.get().isPanic();
    repeated &= !panics; // a kernel that lives repeats none, and the next may fail at the same time
    int end = start + line.length();
    recent.add(line);
    if (recent.size() > KEPT_LINES) {
      recent.remove();
    }
    boolean boots = micros >= 0 && !repeated && advance(micros, panics && panicked);
    if (startsWith(message, "Linux version ")) {
      boots |= !bootCounted;
      bootCounted = false;
      restarts = false;
    }
    if (boots) {
      booted(start, end);
    }
    restarts |=
        startsWith(message, "reboot: ")
            || startsWith(message, "Rebooting in ")
            || startsWith(message, "sysrq: Resetting");
    if (failure.isPresent() && !repeated) {
      told.add(line);
      record(failure.get(), start, end, micros);
    }
    return true;
  }

  private boolean isQuoted(String line, long micros, boolean failure) {
    if (!quoted.isKnown()) {
      quoted = now(micros);
    }
    if (!newest.isKnown()) {
      // So far the kernel has printed nothing here; but what spans more time is a whole log.
      return !failure || micros < quoted.micros() || isAhead(micros, quoted);
    }
    return micros < newest.micros()
        || recent.contains(line)
        || isAhead(micros, newest)
        || (!failure && (quoting || micros < newest.micros() + microsSince(newest) - LATE_MICROS));
  }

  /** Whether the kernel's clock cannot have come so far since. */
  private boolean isAhead(long micros, Clock since) {
    return micros > since.micros() + FASTEST * microsSince(since) + LATE_MICROS;
  }

  private Clock now(long micros) {
    return new Clock(micros, nanoTime.getAsLong());
  }

  private long microsSince(Clock clock) {
    return TimeUnit.NANOSECONDS.toMicros(nanoTime.getAsLong() - clock.nanos());
  }

  /**
   * Sets the kernel's clock.
   *
   * @return whether it starts anew, as was announced, or panics again, which none does twice: the
   *     only signs of a boot that is quiet
   */
  private boolean advance(long micros, boolean panicsAgain) {
    boolean back = micros < newest.micros() - DISORDER_MICROS;
    boolean boots = restarts && (back || panicsAgain);
    if (back || boots) {
      startClock();
      bootCounted = boots;
      restarts = false;
    }
    if (boots) {
      told.clear(); // a kernel whose clock is coarse may fail at the same time again
    }
    if (micros > newest.micros()) {
      newest = now(micros);
    }
    return boots;
  }

  private void startClock() {
    newest = Clock.UNKNOWN;
    oopsMicros = -1;
    oopsPlace = -1;
    bootCounted = false;
    panicked = false;
  }

  private void booted(int start, int end) {
    dead = null;
    boots.add(start);
    if (boots.size() == BOOTS_OF_A_LOOP) {
      record(KernelFailure.REBOOT_LOOP, start, end, -1);
    }
  }

  private void record(KernelFailure failure, int start, int end, long micros) {
    panicked |= failure.isPanic();
    restarts |= failure.isPanic();
    boolean oops = failure == KernelFailure.KERNEL_OOPS || failure == KernelFailure.KERNEL_BUG;
    boolean sameOops = oops && isOopsGoingOn(start, micros);
    if (oops) {
      oopsMicros = micros;
      oopsPlace = start;
    }
    if (raised.contains(failure) && !tolerated.contains(failure) && !sameOops) {
      pending.add(new Report(failure, start, end, List.copyOf(recent)));
    }
  }

  private boolean isOopsGoingOn(int start, long micros) {
    if (micros >= 0 && oopsMicros >= 0) {
      return micros - oopsMicros < BURST_MICROS;
    }
    return oopsPlace >= 0 && start - oopsPlace < BURST_LENGTH;
  }

  /**
   * Kernels without timestamps print lines like anybody else's. They are known by the first line of
   * a boot; afterwards a line counts that begins as a report of a failure does, and while a command
   * runs, whose output may be anything, only a panic.
   */
  @Override
  public void plainLine(CharSequence line, int start) {
    quoting = false;
    if (newest.isKnown() || line.length() == 0) {
      return;
    }
    boolean boots = !commandRuns && startsWith(line, "Linux version ");
    withoutTimestamps |= boots;
    Optional<KernelFailure> failure = withoutTimestamps ? KernelFailure.of(line) : Optional.empty();
    int end = start + line.length();
    boolean fails = failure.isPresent() && (!commandRuns || failure.get().isPanic());
    if (boots || fails) {
      recent.add(line.toString()); // for this report only: other lines may be anybody's
      failure.ifPresentOrElse(what -> record(what, start, end, -1), () -> booted(start, end));
      recent.removeLast();
    }
  }

  private static boolean startsWith(CharSequence line, String beginning) {
    return line.length() >= beginning.length()
        && beginning.contentEquals(line.subSequence(0, beginning.length()));
  }
}
