package org.liminix.console;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What the builders of lines demand of every option. */
final class Options {
  private Options() {}

  static <T> T once(String option, @Nullable T before, T value) {
    if (before != null) {
      throw new IllegalStateException(
          "The line's " + option + " has been set already, to " + before);
    }
    return value;
  }

  static Duration positive(String option, Duration duration) {
    if (duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException(
          "The " + option + " must be longer than nothing: " + duration);
    }
    return duration;
  }
}
