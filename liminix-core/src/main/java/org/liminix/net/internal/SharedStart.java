package org.liminix.net.internal;

import java.util.function.BiFunction;
import org.liminix.net.Segments;

/** Starting something on the shared networks, which then belong to it and end with it. */
public final class SharedStart {
  private SharedStart() {}

  /**
   * Opens the shared networks and starts something on them.
   *
   * @param start given the segments and what to run when the started thing is closed
   */
  public static <T> T of(BiFunction<Segments, Runnable, T> start) {
    Segments segments = Segments.multicast();
    try {
      return start.apply(segments, segments::close);
    } catch (RuntimeException | Error e) {
      segments.close();
      throw e;
    }
  }
}
