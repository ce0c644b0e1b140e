package org.liminix.console;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * A console's text in a file, as it grows: in front of each line when it began to arrive, and how
 * many seconds that was after the first. Belongs to one thread.
 */
final class TimedLog implements AutoCloseable {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSX", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private final Writer file;
  private boolean atLineStart = true;
  private long firstNanos = -1;

  private TimedLog(Writer file) {
    this.file = file;
  }

  /** Appends to the file. */
  static TimedLog open(Path path) throws IOException {
    return new TimedLog(
        Files.newBufferedWriter(
            path,
            StandardCharsets.UTF_8,
            StandardOpenOption.CREATE,
            StandardOpenOption.WRITE,
            StandardOpenOption.APPEND));
  }

  /** As all lines of it begin: always to the millisecond, so that they are aligned. */
  static String format(Instant time) {
    return TIME.format(time);
  }

  /** Text that came at that time. */
  void append(long millis, char[] chars, int count) throws IOException {
    long nanos = System.nanoTime(); // somebody may set the wall clock
    firstNanos = firstNanos == -1 ? nanos : firstNanos;
    int from = 0;
    for (int i = 0; i < count; i++) {
      if (atLineStart) {
        file.write(format(Instant.ofEpochMilli(millis)));
        file.write(String.format(Locale.ROOT, " %9.3f  ", (nanos - firstNanos) / 1e9));
      }
      atLineStart = chars[i] == '\n';
      if (atLineStart || i == count - 1) {
        file.write(chars, from, i + 1 - from);
        from = i + 1;
      }
    }
    file.flush();
  }

  /** Ends a line without an end, too, lest what another console appends runs into it. */
  @Override
  public void close() throws IOException {
    if (!atLineStart) {
      file.write('\n');
    }
    file.close();
  }
}
