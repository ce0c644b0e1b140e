package org.liminix.console;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Everything a console has said, from its first byte, whether or not anybody waited for it.
 *
 * <p>Thread-safe; what it returns is the state at that moment.
 */
public final class Transcript {
  private final Supplier<TextLog.Snapshot> text;
  private final @Nullable Path file;

  Transcript(Supplier<TextLog.Snapshot> text, @Nullable Path file) {
    this.text = text;
    this.file = file;
  }

  /** The text, without terminal control sequences, its lines separated by newlines. */
  public String text() {
    return text.get().toString();
  }

  /** The lines of the text. */
  public List<String> lines() {
    return text().lines().toList();
  }

  /** The last lines of the text, fewer if it has fewer. */
  public String lastLines(int count) {
    return text.get().lastLines(count);
  }

  /** The file that takes every byte as it arrives, control sequences included. */
  public Optional<Path> file() {
    return Optional.ofNullable(file);
  }

  @Override
  public String toString() {
    return text();
  }
}
