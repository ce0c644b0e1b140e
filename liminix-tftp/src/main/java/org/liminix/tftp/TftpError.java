package org.liminix.tftp;

import java.util.Optional;
import org.liminix.tftp.internal.Wire;

/** The error codes of TFTP (RFC 1350 appendix, RFC 2347). */
public enum TftpError {
  /** 0: none of the others; the message tells. */
  UNDEFINED(Wire.UNDEFINED),
  /** 1: file not found. */
  FILE_NOT_FOUND(Wire.FILE_NOT_FOUND),
  /** 2: access violation. */
  ACCESS_VIOLATION(Wire.ACCESS_VIOLATION),
  /** 3: disk full or allocation exceeded. */
  DISK_FULL(Wire.DISK_FULL),
  /** 4: illegal TFTP operation. */
  ILLEGAL_OPERATION(Wire.ILLEGAL_OPERATION),
  /** 5: unknown transfer ID. */
  UNKNOWN_TRANSFER_ID(Wire.UNKNOWN_TRANSFER_ID),
  /** 6: file already exists. */
  FILE_EXISTS(Wire.FILE_EXISTS),
  /** 7: no such user. */
  NO_SUCH_USER(7),
  /** 8: option negotiation failed (RFC 2347). */
  OPTION_REFUSED(Wire.OPTION_REFUSED);

  private final int code;

  TftpError(int code) {
    this.code = code;
  }

  /** The number on the wire. */
  public int code() {
    return code;
  }

  /** The error of that number, if it has one. */
  public static Optional<TftpError> of(int code) {
    return code >= 0 && code < values().length ? Optional.of(values()[code]) : Optional.empty();
  }
}
