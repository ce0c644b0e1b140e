package org.liminix.uboot;

import java.util.List;

/** What of a command is typed at the prompt, so that more can be typed behind it. */
final class PromptLine {
  private PromptLine() {}

  /**
   * The commands without comment, and with blanks for tabs.
   *
   * @throws IllegalArgumentException if this is not one line with a command
   * @throws ScriptFormatException if it cannot be typed
   */
  static String of(String text) {
    List<UBootScript.Line> lines = UBootScript.parse(text).lines();
    if (text.indexOf('\n') >= 0 || lines.size() != 1) {
      throw new IllegalArgumentException("Not one line with a command: \"" + text + '"');
    }
    StringBuilder typed = new StringBuilder();
    String operator = "";
    for (UBootCommand command : lines.get(0).commands()) {
      typed.append(operator).append(of(lines.get(0), command));
      operator = command.operator();
    }
    if (!operator.isEmpty() && !operator.equals(";")) {
      throw new ScriptFormatException(1, text, "nothing follows the " + operator);
    }
    return typed.toString();
  }

  static String of(UBootScript.Line line, UBootCommand command) {
    if (command.words().stream().anyMatch(word -> word.toString().indexOf('\t') >= 0)) {
      throw new ScriptFormatException(
          line.number(),
          line.text(),
          "a tab within a word is a key to U-Boot's line editor and cannot be typed");
    }
    String typed = command.toString().replace('\t', ' ');
    typed
        .chars()
        .filter(c -> c > '~')
        .findFirst()
        .ifPresent(
            c -> {
              throw new ScriptFormatException(
                  line.number(),
                  line.text(),
                  "U-Boot's line editor takes ASCII only, not U+%04x".formatted(c));
            });
    return typed;
  }
}
