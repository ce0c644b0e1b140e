package org.liminix.console;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What an expectation found on a console. Immutable. */
public final class Match {
  private final String before;
  private final List<String> groups;
  private final int index;

  Match(String before, List<String> groups, int index) {
    this.before = before;
    this.groups = groups;
    this.index = index;
  }

  /** Which of several alternatives it is, from 0 in the order in which they were given. */
  public int index() {
    return index;
  }

  /** The text that matched. */
  public String text() {
    return groups.get(0);
  }

  /**
   * A capturing group of the regular expression; group 0 is the whole match. A group that took no
   * part in the match is empty.
   *
   * @throws IndexOutOfBoundsException if the expression has no such group
   */
  public String group(int index) {
    return groups.get(index);
  }

  /**
   * The text between the end of the previous match and the start of this one: as it was shown, or,
   * if the kernel's messages split what matched, without them.
   */
  public String before() {
    return before;
  }

  static String orEmpty(@Nullable String group) {
    return group == null ? "" : group;
  }

  @Override
  public String toString() {
    return "Match[" + text() + "]";
  }
}
