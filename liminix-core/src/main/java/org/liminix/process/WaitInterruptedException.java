package org.liminix.process;

/**
 * The thread was interrupted while it waited. Its interrupt status is set again before this is
 * thrown, so that JUnit's {@code @Timeout} and executors see it.
 */
public class WaitInterruptedException extends LiminixException {
  private static final long serialVersionUID = 1L;

  public WaitInterruptedException(String awaited, InterruptedException cause) {
    super("Interrupted while waiting for " + awaited, cause);
    Thread.currentThread().interrupt();
  }
}
