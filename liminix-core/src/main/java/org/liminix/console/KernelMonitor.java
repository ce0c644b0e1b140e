package org.liminix.console;

import com.google.common.collect.EnumMultiset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Reads the kernel's messages, and remembers the failures they report until a wait raises them or
 * has passed them.
 *
 * <p>While a {@linkplain Shell shell's} command runs, its output may quote messages, as {@code
 * dmesg} does. What tells them apart is time: a quoted message is older than one that came before
 * it, or than the kernel's clock, which runs since the last message; and lines that follow a quoted
 * one are quoted as well, unless they report a failure that is new. Guarded by its owner's lock.
 */
final class KernelMonitor implements Lanes.Judge {
  private static final int KEPT_LINES = 20;
  private static final int BOOTS_OF_A_LOOP = 3;

  /** Processors stamp their messages before they queue for the log. */
  private static final long DISORDER_MICROS = 100_000;

  /** How late a message may come, over a slow line say. */
  private static final long LATE_MICROS = 2_000_000;

  /** One oops is reported in several ways within this time. */
  private static final long BURST_MICROS = 1_000_000;

  /** Something that went wrong, and from where to where the text as shown says so. */
  record Report(KernelFailure failure, int start, int end, List<String> lines) {}

  private final Set<KernelFailure> raised;
  private final EnumMultiset<KernelFailure> tolerated = EnumMultiset.create(KernelFailure.class);
  private final Deque<String> recent = new ArrayDeque<>();
  private final List<Report> pending = new ArrayList<>();
  private final Deque<Integer> boots = new ArrayDeque<>();
  private @Nullable Report dead;

  private long newestMicros = -1;
  private long newestNanos;
  private long oopsMicros = Long.MIN_VALUE / 2;
  private boolean commandRuns;
  private boolean quoting;
  private boolean restarts;
  private boolean withoutTimestamps;

  KernelMonitor(Set<KernelFailure> raised) {
    this.raised = raised;
  }

  /** Whether a shell's command runs, whose output may quote the kernel. */
  void commandRuns(boolean runs) {
    commandRuns = runs;
    quoting = false;
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
    if (micros >= 0) {
      if (commandRuns && !restarts && isQuoted(line, micros, failure.isPresent())) {
        quoting = true;
        return false;
      }
      advance(micros);
    }
    note(line, message, start, start + line.length());
    failure.ifPresent(what -> record(what, start, start + line.length(), micros));
    return true;
  }

  private boolean isQuoted(String line, long micros, boolean failure) {
    if (newestMicros < 0) {
      return !failure; // so far the kernel has printed nothing here
    }
    if (micros < newestMicros || recent.contains(line)) {
      return true;
    }
    long sinceNewest = TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - newestNanos);
    return !failure && (quoting || micros < newestMicros + sinceNewest - LATE_MICROS);
  }

  private void advance(long micros) {
    if (micros < newestMicros - DISORDER_MICROS) {
      restarts = false; // another kernel's clock
      newestMicros = -1;
      oopsMicros = Long.MIN_VALUE / 2;
    }
    if (micros > newestMicros) {
      newestMicros = micros;
      newestNanos = System.nanoTime();
    }
  }

  private void note(String line, CharSequence message, int start, int end) {
    recent.add(line);
    if (recent.size() > KEPT_LINES) {
      recent.remove();
    }
    String text = message.toString();
    if (text.startsWith("Linux version ")) {
      booted(start, end);
    } else if (text.startsWith("reboot: ")
        || text.startsWith("Rebooting in ")
        || text.startsWith("sysrq: Resetting")) {
      restarts = true;
    }
  }

  private void booted(int start, int end) {
    dead = null;
    boots.add(start);
    if (boots.size() == BOOTS_OF_A_LOOP) {
      record(KernelFailure.REBOOT_LOOP, start, end, -1);
    }
  }

  private void record(KernelFailure failure, int start, int end, long micros) {
    restarts |= failure.isPanic();
    boolean oops = failure == KernelFailure.KERNEL_OOPS || failure == KernelFailure.KERNEL_BUG;
    boolean sameOops = oops && micros >= 0 && oopsMicros >= 0 && micros - oopsMicros < BURST_MICROS;
    if (oops) {
      oopsMicros = micros;
    }
    if (raised.contains(failure) && !tolerated.contains(failure) && !sameOops) {
      pending.add(new Report(failure, start, end, List.copyOf(recent)));
    }
  }

  /**
   * Kernels without timestamps print lines like anybody else's. They are known by the first line of
   * a boot; afterwards a line counts that begins as a report of a failure does, and while a command
   * runs, whose output may be anything, only a panic.
   */
  @Override
  public void plainLine(CharSequence line, int start) {
    quoting = false;
    if (newestMicros >= 0 || line.length() == 0) {
      return;
    }
    if (!commandRuns && startsWith(line, "Linux version ")) {
      withoutTimestamps = true;
      booted(start, start + line.length());
    } else if (withoutTimestamps) {
      KernelFailure.of(line)
          .filter(failure -> !commandRuns || failure.isPanic())
          .ifPresent(
              failure -> {
                recent.add(line.toString());
                record(failure, start, start + line.length(), -1);
                recent.removeLast();
              });
    }
  }

  private static boolean startsWith(CharSequence line, String beginning) {
    return line.length() >= beginning.length()
        && beginning.contentEquals(line.subSequence(0, beginning.length()));
  }
}
