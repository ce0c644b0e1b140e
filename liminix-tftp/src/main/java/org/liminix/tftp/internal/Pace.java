package org.liminix.tftp.internal;

/**
 * How many blocks of a window go out at once: fewer after a loss, for a board with a small receive
 * ring loses the end of every burst, and more again after windows without one.
 */
final class Pace {
  /**
   * Windows without a loss after which bursts grow again; twice as many after each further loss,
   * for a board whose receive ring is too small will lose at the same size again.
   */
  private static final int CLEAN_WINDOWS = 16;

  private static final int MOST_CLEAN_WINDOWS = 1 << 14;

  /** Windows without a loss that tell a burst the peer bears from a line that loses at random. */
  private static final int STEADY_WINDOWS = 64;

  private final int window;
  private int burst;
  private int cleanWindows;
  private int cleanWindowsNeeded = CLEAN_WINDOWS;
  private int losses;

  private boolean suspected; // with what there was before
  private int burstBefore;
  private int cleanWindowsNeededBefore;
  private int lossesBefore;

  Pace(int window) {
    this.window = window;
    this.burst = window;
  }

  int burst() {
    return burst;
  }

  /** How often the peer lost something. */
  int losses() {
    return losses;
  }

  /** How many blocks at once the peer bears; the whole window as long as that is not known. */
  int borne() {
    return cleanWindows >= STEADY_WINDOWS ? burst : window;
  }

  /** The peer said that something is missing. */
  void lost() {
    suspected = false;
    slowDown();
  }

  /** The peer is silent: something got lost, or it is merely slow. */
  void suspectLoss() {
    if (!suspected) {
      suspected = true;
      burstBefore = burst;
      cleanWindowsNeededBefore = cleanWindowsNeeded;
      lossesBefore = losses;
    }
    slowDown();
  }

  /** The peer lacked what was sent again, or cannot tell. */
  void confirmLoss() {
    suspected = false;
  }

  /** The peer was merely slow: all is as it was before the suspicion. */
  void dismissLoss() {
    if (suspected) {
      suspected = false;
      burst = burstBefore;
      cleanWindowsNeeded = cleanWindowsNeededBefore;
      losses = lossesBefore;
    }
  }

  private void slowDown() {
    losses++;
    cleanWindows = 0;
    cleanWindowsNeeded = Math.min(MOST_CLEAN_WINDOWS, 2 * cleanWindowsNeeded);
    burst = Math.max(1, burst / 2);
  }

  /** A window arrived whole. */
  void windowArrived() {
    if (burst < window && ++cleanWindows >= cleanWindowsNeeded) {
      cleanWindows = 0;
      burst = Math.min(window, burst * 2);
    }
  }
}
