package org.liminix.console;

import org.jspecify.annotations.Nullable;

/**
 * A console has ended, because the guest behind it did or because it was closed; the message says
 * what is known of the reason.
 */
public class ConsoleClosedException extends ConsoleException {
  private static final long serialVersionUID = 1L;

  public ConsoleClosedException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
