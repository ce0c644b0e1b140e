package org.liminix.console;

import java.time.Instant;
import java.util.Arrays;

/** When each line of a growing text began to arrive. Guarded by its owner's lock. */
final class LineTimes {
  private int[] starts = new int[256];
  private long[] millis = new long[256];
  private int count;
  private boolean atLineStart = true;

  /** Text that came at that time. */
  void append(long now, int place, char[] chars, int length) {
    for (int i = 0; i < length; i++) {
      if (atLineStart) {
        add(place + i, now);
      }
      atLineStart = chars[i] == '\n';
    }
  }

  private void add(int start, long time) {
    if (count == starts.length) {
      starts = Arrays.copyOf(starts, count * 2);
      millis = Arrays.copyOf(millis, count * 2);
    }
    starts[count] = start;
    millis[count++] = time;
  }

  int count() {
    return count;
  }

  /** How many lines have had their newline. */
  int ended() {
    return atLineStart ? count : count - 1;
  }

  int start(int line) {
    return starts[line];
  }

  Instant time(int line) {
    return Instant.ofEpochMilli(millis[line]);
  }
}
