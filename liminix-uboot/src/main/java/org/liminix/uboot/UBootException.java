package org.liminix.uboot;

import org.jspecify.annotations.Nullable;
import org.liminix.process.LiminixException;

/** U-Boot did not do what it was asked to; the message has the command and what U-Boot said. */
public class UBootException extends LiminixException {
  private static final long serialVersionUID = 1L;

  UBootException(String message) {
    super(message);
  }

  UBootException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
