package org.liminix.testkit;

import org.jspecify.annotations.Nullable;
import org.liminix.process.LiminixException;

/**
 * A guest image could not be made; the message names the fix and carries the words of the tool that
 * failed.
 */
public class ImageException extends LiminixException {
  private static final long serialVersionUID = 1L;

  public ImageException(String message) {
    super(message);
  }

  public ImageException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
