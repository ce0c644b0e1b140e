package org.liminix.console;

import org.liminix.process.WaitTimeoutException;

/** What was awaited on a console did not appear in time; the message quotes its last lines. */
public class ConsoleTimeoutException extends WaitTimeoutException {
  private static final long serialVersionUID = 1L;

  public ConsoleTimeoutException(String message) {
    super(message);
  }
}
