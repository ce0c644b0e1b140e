package org.liminix.console;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Everything a console has said, from its first byte, whether or not anybody waited for it.
 *
 * <p>Thread-safe; what it returns is the state at that moment.
 */
public final class Transcript {
  private final ConsoleText text;
  private final @Nullable Path file;
  private final @Nullable Path timedFile;

  Transcript(ConsoleText text, @Nullable Path file, @Nullable Path timedFile) {
    this.text = text;
    this.file = file;
    this.timedFile = timedFile;
  }

  /**
   * The text as it was shown, the kernel's messages among it, without terminal control sequences,
   * its lines separated by newlines.
   */
  public String text() {
    return text.shown().toString();
  }

  /** The lines of the text. */
  public List<String> lines() {
    return text().lines().toList();
  }

  /**
   * A line and when it began to arrive, on this machine's clock.
   *
   * @param time to the millisecond
   * @param text without its newline
   */
  public record Line(Instant time, String text) {
    /** As {@code 2026-11-22T10:15:30.123Z text}. */
    @Override
    public String toString() {
      return TimedLog.format(time) + " " + text;
    }
  }

  /** The lines of the text and when they came. */
  public List<Line> timedLines() {
    return IntStream.range(0, size()).mapToObj(this::line).toList();
  }

  /** How many lines there are, one that has only begun included. */
  int size() {
    return text.timed(LineTimes::count);
  }

  /** How many lines have had their newline. */
  int endedLines() {
    return text.timed(LineTimes::ended);
  }

  Line line(int index) {
    return text.timed(
        times -> {
          TextLog.Snapshot shown = text.shown();
          int end = index + 1 < times.count() ? times.start(index + 1) : shown.length();
          int start = times.start(index);
          if (end > start && shown.charAt(end - 1) == '\n') {
            end--;
          }
          return new Line(times.time(index), shown.subSequence(start, end).toString());
        });
  }

  /** The kernel's messages in it, as far as they have timestamps or log levels. */
  public List<String> kernelLines() {
    return text.kernel().lines().toList();
  }

  /** The text without the kernel's messages, and whole again where they split it. */
  public String withoutKernel() {
    return text.shell().toString();
  }

  /** The last lines of the text, fewer if it has fewer. */
  public String lastLines(int count) {
    return text.shown().lastLines(count);
  }

  /** The file that takes every byte as it arrives, control sequences included. */
  public Optional<Path> file() {
    return Optional.ofNullable(file);
  }

  /** The file that takes the text as it arrives, with times in front of its lines. */
  public Optional<Path> timedFile() {
    return Optional.ofNullable(timedFile);
  }

  @Override
  public String toString() {
    return text();
  }
}
