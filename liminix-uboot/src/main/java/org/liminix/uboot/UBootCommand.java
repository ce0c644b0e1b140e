package org.liminix.uboot;

import java.util.List;
import java.util.Objects;

/**
 * One command of a {@link UBootScript}: its name and arguments, quotes resolved, variables not.
 *
 * <p>Immutable and thread-safe. Two are equal if they do the same, however they are quoted.
 */
public final class UBootCommand {
  private final List<ScriptWord> words;
  private final String source;
  private final String operator;

  UBootCommand(List<ScriptWord> words, String source, String operator) {
    this.words = List.copyOf(words);
    this.source = source;
    this.operator = operator;
  }

  /** The command's name, such as {@code cp.b}. */
  public String name() {
    return words.get(0).toString();
  }

  /** What follows the name, with variables written <code>${name}</code>. */
  public List<String> arguments() {
    return words.stream().skip(1).map(ScriptWord::toString).toList();
  }

  List<ScriptWord> words() {
    return words;
  }

  /**
   * What stands between this command and the next on its line: {@code ;}, {@code &&}, or nothing.
   */
  String operator() {
    return operator;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof UBootCommand that
        && words.equals(that.words)
        && operator.equals(that.operator);
  }

  @Override
  public int hashCode() {
    return Objects.hash(words, operator);
  }

  /** The command as it was written. */
  @Override
  public String toString() {
    return source;
  }
}
