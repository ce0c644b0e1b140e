package org.liminix.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Supplier;
import org.liminix.process.Deadline;
import org.liminix.qemu.GuestResult;

/** What a host has run, when, and what that said; the last of it, within bounds. Thread-safe. */
final class CommandLog {
  private static final int MAX_ENTRIES = 1000;
  private static final int MAX_CHARACTERS = 64 * 1024;

  private final String host;
  private final Deque<Entry> entries = new ArrayDeque<>();
  private int count;

  CommandLog(String host) {
    this.host = host;
  }

  synchronized Entry begin(String command) {
    if (entries.size() == MAX_ENTRIES) {
      entries.removeFirst();
    }
    Entry entry = new Entry(command);
    entries.addLast(entry);
    count++;
    return entry;
  }

  synchronized String summary() {
    return count == 0
        ? "has run nothing"
        : "has run %d programs, last %s".formatted(count, entries.getLast().line());
  }

  synchronized String text() {
    StringBuilder text = new StringBuilder();
    if (count > entries.size()) {
      text.append("(").append(count - entries.size()).append(" before are not kept)\n");
    }
    entries.forEach(entry -> text.append(entry.text(host)));
    return text.toString();
  }

  /** One program. */
  static final class Entry {
    private final String command;
    private final Instant start = Instant.now().truncatedTo(ChronoUnit.MILLIS);
    private final Deadline clock = Deadline.after(Duration.ZERO);
    private String end = "runs";
    private Supplier<String> said = () -> "";

    private Entry(String command) {
      this.command = command;
    }

    synchronized void end(GuestResult result) {
      end = "status " + result.status() + " after " + Deadline.readable(clock.elapsed());
      String all = result.output() + (result.output().isEmpty() ? "" : "\n") + result.errorOutput();
      String kept = shortened(all);
      said = () -> kept;
    }

    /** Has what a program says asked for when it is wanted. */
    synchronized void follow(Supplier<String> output) {
      said = output;
    }

    synchronized void end(String output) {
      end = "ended after " + Deadline.readable(clock.elapsed());
      String kept = shortened(output);
      said = () -> kept;
    }

    /** Ends it if it has no result. */
    synchronized void abandon() {
      if (end.equals("runs")) {
        end = "given up after " + Deadline.readable(clock.elapsed());
      }
    }

    synchronized String line() {
      return "\"" + command + "\": " + end;
    }

    synchronized String text(String host) {
      String output = shortened(said.get()).strip();
      return "%s %s# %s\n%s(%s)\n"
          .formatted(start, host, command, output.isEmpty() ? "" : output + "\n", end);
    }

    private static String shortened(String text) {
      return text.length() <= MAX_CHARACTERS
          ? text
          : text.substring(0, MAX_CHARACTERS) + "\n(the rest is not kept)";
    }
  }
}
