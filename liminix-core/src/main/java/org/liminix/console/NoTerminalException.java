package org.liminix.console;

import org.jspecify.annotations.Nullable;

/** There is no terminal to attach; the message says why, and what to do instead. */
public class NoTerminalException extends ConsoleException {
  private static final long serialVersionUID = 1L;

  public NoTerminalException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
