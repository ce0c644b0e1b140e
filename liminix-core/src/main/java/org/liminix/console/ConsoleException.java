package org.liminix.console;

import org.jspecify.annotations.Nullable;
import org.liminix.process.LiminixException;

/** A console could not do what was asked; the message quotes its last lines. */
public class ConsoleException extends LiminixException {
  private static final long serialVersionUID = 1L;

  public ConsoleException(String message) {
    super(message);
  }

  public ConsoleException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
