package org.liminix.qemu;

import java.util.List;
import org.liminix.console.CommandFailedException;
import org.liminix.console.CommandResult;

/**
 * How a program ended that ran beside a console: by the guest agent, see {@link GuestCommand}, or
 * on a Linux host of the testkit. Immutable.
 *
 * @param command the program and its arguments
 * @param status its exit status; 127 if there is no such program, 128 and the signal if one ended
 *     it
 * @param output what it printed on standard output, without the newlines at its end
 * @param errorOutput what it printed on standard error, without the newlines at its end
 */
public record GuestResult(List<String> command, int status, String output, String errorOutput) {
  public GuestResult {
    command = List.copyOf(command);
  }

  /** Whether the exit status is 0. */
  public boolean succeeded() {
    return status == 0;
  }

  /**
   * This result, if the program succeeded.
   *
   * @throws CommandFailedException if it did not; the message has what it printed
   */
  public GuestResult orThrow() {
    if (!succeeded()) {
      throw new CommandFailedException(
          new CommandResult(
              String.join(" ", command), status, (output + "\n" + errorOutput).strip()));
    }
    return this;
  }
}
