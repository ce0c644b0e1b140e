package org.liminix.net;

import org.jspecify.annotations.Nullable;
import org.liminix.process.LiminixException;

/** A segment, or a host on it, could not do what was asked. */
public class NetworkException extends LiminixException {
  private static final long serialVersionUID = 1L;

  public NetworkException(String message) {
    super(message);
  }

  public NetworkException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
