package org.liminix.console;

/** Why an {@link Attachment} is over. */
public enum Departure {
  /** The person has left, by {@code ^O} or by closing the terminal. */
  LEFT,
  /** What the terminal was attached to has ended. */
  ENDED
}
