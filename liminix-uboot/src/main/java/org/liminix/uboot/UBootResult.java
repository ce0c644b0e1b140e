package org.liminix.uboot;

import java.util.List;
import java.util.OptionalInt;

/**
 * What a command printed, and how it ended.
 *
 * @param command the command that ran
 * @param status its exit status; empty where U-Boot has no {@code $?}
 * @param output what it printed, without the newlines at its end
 */
public record UBootResult(String command, OptionalInt status, String output) {
  /** The lines of the output; none if there is no output. */
  public List<String> lines() {
    return output.lines().toList();
  }

  /** Whether the status is known to be another than 0. */
  public boolean failed() {
    return status.isPresent() && status.getAsInt() != 0;
  }

  /**
   * This result, unless the command is known to have failed.
   *
   * @throws UBootException if it has; the message has the output
   */
  public UBootResult orThrow() {
    if (failed()) {
      throw new UBootException(
          "%s ended with status %d:%n%s".formatted(command, status.getAsInt(), output.indent(4)));
    }
    return this;
  }
}
