package org.liminix.console;

import java.util.Arrays;

/**
 * Text that only grows. A snapshot costs nothing and stays valid, since what is written is never
 * changed: the array is replaced when it is full. Guarded by its owner's lock; snapshots are not.
 */
final class TextLog {
  private char[] chars = new char[8192];
  private int length;

  void append(char[] source, int count) {
    append(source, 0, count);
  }

  void append(char[] source, int from, int count) {
    if (chars.length - length < count) {
      chars = Arrays.copyOf(chars, Math.max(length + count, chars.length * 2));
    }
    System.arraycopy(source, from, chars, length, count);
    length += count;
  }

  int length() {
    return length;
  }

  Snapshot snapshot() {
    return new Snapshot(chars, 0, length);
  }

  /** The text at one moment, or a part of it. */
  static final class Snapshot implements CharSequence {
    private final char[] array;
    private final int start;
    private final int end;

    private Snapshot(char[] array, int start, int end) {
      this.array = array;
      this.start = start;
      this.end = end;
    }

    @Override
    public int length() {
      return end - start;
    }

    @Override
    public char charAt(int index) {
      return array[start + index];
    }

    @Override
    public Snapshot subSequence(int from, int to) {
      return new Snapshot(array, start + from, start + to);
    }

    /** The last lines, without a final newline. */
    String lastLines(int count) {
      int to = end;
      while (to > start && array[to - 1] == '\n') {
        to--;
      }
      int from = to;
      for (int lines = 0; from > start; from--) {
        if (array[from - 1] == '\n' && ++lines == count) {
          break;
        }
      }
      return new String(array, from, to - from);
    }

    @Override
    public String toString() {
      return new String(array, start, end - start);
    }
  }
}
