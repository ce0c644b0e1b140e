package org.liminix.console;

import java.util.List;

/**
 * What a command printed, and how it ended. Immutable.
 *
 * @param command the command that ran
 * @param status its exit status, 0 to 255
 * @param output what it printed on standard output and standard error, which a console does not
 *     tell apart, without the newlines at its end
 */
public record CommandResult(String command, int status, String output) {
  /** Whether the exit status is 0. */
  public boolean succeeded() {
    return status == 0;
  }

  /** The lines of the output; none if there is no output. */
  public List<String> lines() {
    return output.lines().toList();
  }

  /**
   * This result, if the command succeeded.
   *
   * @throws CommandFailedException if it did not; the message has the output
   */
  public CommandResult orThrow() {
    if (!succeeded()) {
      throw new CommandFailedException(this);
    }
    return this;
  }
}
