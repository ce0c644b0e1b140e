package org.liminix.testkit;

import org.jspecify.annotations.Nullable;
import org.liminix.process.LiminixException;

/**
 * A {@link LinuxHost} cannot run on this machine, or could not do what it was asked to; the message
 * names the cause and, where there is one, the fix.
 */
public class LinuxHostException extends LiminixException {
  private static final long serialVersionUID = 1L;

  public LinuxHostException(String message) {
    super(message);
  }

  public LinuxHostException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
