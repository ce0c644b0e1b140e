package org.liminix.qemu;

import org.jspecify.annotations.Nullable;
import org.liminix.process.LiminixException;

/** A virtual machine could not be started, or has ended; the message has QEMU's own words. */
public class VmException extends LiminixException {
  private static final long serialVersionUID = 1L;

  public VmException(String message) {
    super(message);
  }

  public VmException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
