package org.liminix.uboot;

import java.time.Duration;

/** Deadlines that grow with the work. */
final class Durations {
  /** What the slowest boards do over TFTP, and with erasing and writing flash. */
  private static final long BYTES_PER_SECOND = 64 * 1024;

  private Durations() {}

  static Duration forBytes(Duration base, long bytes) {
    return base.plusSeconds(bytes / BYTES_PER_SECOND);
  }
}
