package org.liminix.console;

/**
 * What a serial port has noticed on its line (RFC 2217, NOTIFY-LINESTATE). Framing errors from a
 * board that speaks usually mean the wrong baud rate.
 */
public enum LineError {
  /** Characters came faster than they were taken, and are lost. */
  OVERRUN(0x02),
  /** A character's parity was wrong. */
  PARITY(0x04),
  /** A character had no stop bit. */
  FRAMING(0x08),
  /** The other end sent a break. */
  BREAK(0x10);

  /** Of the line's state, as of the 16450 UART. */
  final int bit;

  LineError(int bit) {
    this.bit = bit;
  }
}
