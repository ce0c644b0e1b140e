package org.liminix.console;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** What the builders here ask of an option. */
final class Options {
  private Options() {}

  /**
   * The value, if there was none before.
   *
   * @throws IllegalStateException if there was
   */
  static <T> T once(String option, @Nullable T before, T value) {
    if (before != null) {
      throw new IllegalStateException(
          "The " + option + " has been set already, to " + before + "; set it once");
    }
    return value;
  }

  /** A duration that leaves any time. */
  static Duration positive(String option, Duration duration) {
    if (duration.isNegative() || duration.isZero()) {
      throw new IllegalArgumentException(
          "The " + option + " must be longer than nothing: " + duration);
    }
    return duration;
  }

  /** A timeout that leaves any time, if there was none before. */
  static Duration timeout(@Nullable Duration before, Duration timeout) {
    return once("timeout", before, positive("timeout", timeout));
  }
}
