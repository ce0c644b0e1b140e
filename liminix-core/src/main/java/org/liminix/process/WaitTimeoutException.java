package org.liminix.process;

/** Something that was awaited did not happen in time; the message says what, and what did. */
public class WaitTimeoutException extends LiminixException {
  private static final long serialVersionUID = 1L;

  public WaitTimeoutException(String message) {
    super(message);
  }
}
