package org.liminix.qemu;

import org.jspecify.annotations.Nullable;

/** QEMU refused a command, or its control connection is gone. */
public class QmpException extends VmException {
  private static final long serialVersionUID = 1L;

  private final String errorClass;

  public QmpException(String errorClass, String message) {
    super(message);
    this.errorClass = errorClass;
  }

  public QmpException(String message, @Nullable Throwable cause) {
    super(message, cause);
    this.errorClass = "";
  }

  /** The same failure with the stack of the thread that waited for it. */
  static QmpException rethrown(@Nullable Throwable failure) {
    QmpException rethrown = new QmpException(String.valueOf(failure), failure);
    if (failure instanceof QmpException refusal) {
      rethrown = new QmpException(refusal.errorClass(), String.valueOf(refusal.getMessage()));
      rethrown.initCause(refusal);
    }
    return rethrown;
  }

  /** QEMU's class of the error, such as GenericError or CommandNotFound; empty if none. */
  public String errorClass() {
    return errorClass;
  }
}
