package org.liminix.qemu;

import org.jspecify.annotations.Nullable;

/** A machine cannot go on from where it was booted once: it has to boot again. */
final class SpoiledGuestException extends VmException {
  private static final long serialVersionUID = 1L;

  SpoiledGuestException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
