package org.liminix.uboot;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One option of a builder: given once or never, and missed with a message that names the fix. */
final class Setting<T> {
  private final String setter;
  private @Nullable T value;

  Setting(String setter) {
    this.setter = setter;
  }

  void set(T newValue) {
    if (value != null) {
      throw new IllegalStateException(
          "%s is already %s; call it once, or start another builder".formatted(setter, value));
    }
    value = newValue;
  }

  boolean isSet() {
    return value != null;
  }

  Optional<T> get() {
    return Optional.ofNullable(value);
  }

  T orElse(T fallback) {
    return value == null ? fallback : value;
  }

  T require(String why) {
    if (value == null) {
      throw new IllegalStateException(why + "; call " + setter);
    }
    return value;
  }
}
