package org.liminix.uboot;

import org.liminix.process.LiminixException;

/** A line that U-Boot would not take as it was meant. */
public final class ScriptFormatException extends LiminixException {
  private static final long serialVersionUID = 1L;

  private final int line;

  ScriptFormatException(int line, String text, String problem) {
    super("Line %d, %s: %s".formatted(line, text.strip(), problem));
    this.line = line;
  }

  /** The number of the line, counted from 1. */
  public int line() {
    return line;
  }
}
