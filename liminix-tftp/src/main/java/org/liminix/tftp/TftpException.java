package org.liminix.tftp;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.liminix.process.LiminixException;

/** A transfer failed, or a server could not start; the message says which, why and what helps. */
public class TftpException extends LiminixException {
  private static final long serialVersionUID = 1L;

  private final @Nullable TftpError error;

  /** A failure on this side. */
  public TftpException(String message, @Nullable Throwable cause) {
    super(message, cause);
    this.error = null;
  }

  /** A failure that has a code: one the other side sent, or one to be sent to it. */
  public TftpException(TftpError error, String message) {
    super(message);
    this.error = error;
  }

  /** The code, if the other side sent one or is to be sent one. */
  public Optional<TftpError> error() {
    return Optional.ofNullable(error);
  }
}
