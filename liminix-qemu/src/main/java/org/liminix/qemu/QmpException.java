package org.liminix.qemu;

import org.jspecify.annotations.Nullable;

/** QEMU refused a command, or its control connection is gone. */
public class QmpException extends VmException {
  private static final long serialVersionUID = 1L;

  /** What kind of failure it is: QEMU's {@code QapiErrorClass}, and the connection's end. */
  public enum Kind {
    /** QEMU is gone, or its connection is. */
    DISCONNECTED,
    /** There is no such command in this version of QEMU. */
    COMMAND_NOT_FOUND,
    /** There is no device of that name. */
    DEVICE_NOT_FOUND,
    /** The device is not in use. */
    DEVICE_NOT_ACTIVE,
    /** The command is known and failed: the message says why. */
    REFUSED
  }

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

  /** What kind of failure it is. */
  public Kind kind() {
    return switch (errorClass) {
      case "" -> Kind.DISCONNECTED;
      case "CommandNotFound" -> Kind.COMMAND_NOT_FOUND;
      case "DeviceNotFound" -> Kind.DEVICE_NOT_FOUND;
      case "DeviceNotActive" -> Kind.DEVICE_NOT_ACTIVE;
      default -> Kind.REFUSED;
    };
  }
}
