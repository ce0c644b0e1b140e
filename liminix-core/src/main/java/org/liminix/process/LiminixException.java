package org.liminix.process;

import org.jspecify.annotations.Nullable;

/**
 * The root of every exception this library throws on its own account.
 *
 * <p>Misuse of an API (a second call of a setter, a value out of range) is an {@link
 * IllegalArgumentException} or {@link IllegalStateException} instead: it is a bug in the calling
 * code, not a condition of the bench.
 */
public class LiminixException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public LiminixException(String message) {
    super(message);
  }

  public LiminixException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
