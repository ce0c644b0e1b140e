package org.liminix.console;

import java.util.Arrays;

/**
 * A console's text twice: all of it as it was shown, and the lane of whoever else writes there,
 * from which the kernel's messages are cut out, so that what they split is whole again.
 *
 * <p>A serial driver writes a message of the kernel without a break, from its prefix to its
 * newline, but may begin anywhere in a line of a process. The text as shown is never held back; the
 * other lane lacks what may still turn out to be a message. Guarded by its owner's lock.
 */
final class Lanes {
  /** Decides whether what looks like a message of the kernel is one, and takes note of it. */
  interface Judge {
    /**
     * A line that begins with a prefix.
     *
     * @param line without its newline
     * @param start where it begins in the text as shown
     * @return whether the kernel has just printed it; false for one that a command quotes
     */
    boolean isFromKernel(String line, int start);

    /** Some other line, without its newline. */
    void plainLine(CharSequence line, int start);
  }

  /** Longer than any message (CONSOLE_LOG_MAX is 1024, without the prefix). */
  private static final int LONGEST_MESSAGE = 2048;

  private enum State {
    TEXT,
    PREFIX,
    MESSAGE
  }

  private final Judge judge;
  private final TextLog shown = new TextLog();
  private final TextLog shell = new TextLog();

  /**
   * Triples: place in the shell's lane, begin and end in the text as shown of what is cut there.
   */
  private int[] cuts = new int[96];

  private int cutsLength;

  private State state = State.TEXT;
  private final StringBuilder held = new StringBuilder();
  private int lineStart;

  Lanes(Judge judge) {
    this.judge = judge;
  }

  TextLog.Snapshot shown() {
    return shown.snapshot();
  }

  TextLog.Snapshot shell() {
    return shell.snapshot();
  }

  int length() {
    return shown.length();
  }

  void append(char[] chars, int count) {
    int base = shown.length();
    shown.append(chars, count);
    int text = 0; // where what belongs into the shell's lane begins
    for (int i = 0; i < count; i++) {
      char c = chars[i];
      switch (state) {
        case TEXT -> {
          if (c == '\n') {
            toShell(chars, text, i + 1);
            text = i + 1;
            endLine();
          } else if (KernelPrefix.mayBeginWith(c)) {
            toShell(chars, text, i);
            held.append(c);
            state = State.PREFIX;
          }
        }
        case PREFIX -> {
          held.append(c);
          switch (KernelPrefix.of(held, shell.length() == lineStart)) {
            case PARTIAL -> {}
            case COMPLETE -> {
              state = State.MESSAGE;
              if (c == '\n') { // a level, and nothing behind it
                held.setLength(held.length() - 1);
                endMessage(base + i + 1);
                text = i + 1;
              }
            }
            case NONE -> {
              held.setLength(held.length() - 1);
              release();
              text = i--; // it may begin a prefix itself
            }
          }
        }
        case MESSAGE -> {
          if (c == '\n') {
            endMessage(base + i + 1);
            text = i + 1;
          } else if (held.append(c).length() > LONGEST_MESSAGE) {
            release();
            text = i + 1;
          }
        }
      }
    }
    if (state == State.TEXT) {
      toShell(chars, text, count);
    }
  }

  /** No more of it will come: what is held back was no message. */
  void end() {
    release();
  }

  private void toShell(char[] chars, int from, int to) {
    shell.append(chars, from, to - from);
  }

  private void release() {
    shell.append(held.toString().toCharArray(), 0, held.length());
    held.setLength(0);
    state = State.TEXT;
  }

  private void endMessage(int end) {
    String line = held.charAt(0) == '\r' ? held.substring(1) : held.toString();
    int start = end - 1 - line.length();
    if (judge.isFromKernel(line, start)) {
      cut(end - 1 - held.length(), end);
      held.setLength(0);
      state = State.TEXT;
    } else {
      held.append('\n');
      release();
      lineStart = shell.length();
    }
  }

  private void endLine() {
    TextLog.Snapshot line = shell.snapshot().subSequence(lineStart, shell.length() - 1);
    judge.plainLine(line, toShown(lineStart, true));
    lineStart = shell.length();
  }

  private void cut(int start, int end) {
    int last = cutsLength - 3;
    if (last >= 0 && cuts[last] == shell.length() && cuts[last + 2] == start) {
      cuts[last + 2] = end;
      return;
    }
    if (cutsLength == cuts.length) {
      cuts = Arrays.copyOf(cuts, cutsLength * 2);
    }
    cuts[cutsLength++] = shell.length();
    cuts[cutsLength++] = start;
    cuts[cutsLength++] = end;
  }

  /** What has been cut out. */
  String kernel() {
    StringBuilder kernel = new StringBuilder();
    for (int cut = 0; cut < cutsLength; cut += 3) {
      kernel.append(shown.snapshot(), cuts[cut + 1], cuts[cut + 2]);
    }
    return kernel.toString();
  }

  /** Whether something has been cut out behind a place of the text as shown. */
  boolean differBehind(int place) {
    return cutsLength > 0 && cuts[cutsLength - 1] > place;
  }

  /**
   * The place in the text as shown of one in the shell's lane.
   *
   * @param begin whether it begins something, and so lies behind what is cut there
   */
  int toShown(int place, boolean begin) {
    int cut = lastCut(0, begin ? place : place - 1);
    return cut < 0 ? place : place - cuts[cut] + cuts[cut + 2];
  }

  /** The place in the shell's lane of one in the text as shown. */
  int toShell(int place) {
    int cut = lastCut(1, place);
    return cut < 0 ? place : cuts[cut] + Math.max(0, place - cuts[cut + 2]);
  }

  /** The last cut whose field is not above a value, or -1. */
  private int lastCut(int field, int value) {
    int low = 0;
    int high = cutsLength / 3;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (cuts[middle * 3 + field] <= value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return (low - 1) * 3;
  }
}
