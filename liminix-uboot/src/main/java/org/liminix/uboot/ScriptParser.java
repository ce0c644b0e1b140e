package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a line into commands and words as U-Boot's hush parser does: {@code ;}, {@code &&} and
 * {@code ||} between commands; both kinds of quotes, backslashes, comments and variables.
 */
final class ScriptParser {
  private static final String SPACE = " \t\r";

  private final String line;
  private final int number;
  private int at;
  private final List<UBootCommand> commands = new ArrayList<>();
  private List<ScriptWord> words = new ArrayList<>();
  private int commandStart;
  private int commandEnd;

  ScriptParser(String line, int number) {
    this.line = line;
    this.number = number;
  }

  List<UBootCommand> parse() {
    while (at < line.length()) {
      char c = line.charAt(at);
      if (SPACE.indexOf(c) >= 0) {
        at++;
      } else if (c == '#') {
        break;
      } else if (c == ';' || line.startsWith("&&", at) || line.startsWith("||", at)) {
        end(c == ';' ? ";" : line.substring(at, at + 2));
      } else {
        if (words.isEmpty()) {
          commandStart = at;
        }
        words.add(word());
        commandEnd = at;
      }
    }
    end("");
    return List.copyOf(commands);
  }

  private void end(String operator) {
    if (!words.isEmpty()) {
      commands.add(new UBootCommand(words, line.substring(commandStart, commandEnd), operator));
      words = new ArrayList<>();
    }
    at += operator.length();
  }

  private ScriptWord word() {
    List<ScriptWord.Part> parts = new ArrayList<>();
    StringBuilder literal = new StringBuilder();
    char quote = 0;
    int start = at;
    while (at < line.length()) {
      char c = line.charAt(at);
      if (quote == 0 && (SPACE.indexOf(c) >= 0 || c == ';' || isOperator())) {
        break;
      }
      if (c == quote) {
        quote = 0;
        at++;
      } else if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
        at++;
      } else if (c == '\\' && quote != '\'') {
        if (at + 1 == line.length()) {
          throw new ScriptFormatException(
              number, line, "the \\ at its end would make one of it and the next; write one line");
        }
        literal.append(line.charAt(at + 1));
        at += 2;
      } else if (c == '$' && quote != '\'' && variableEnd() > 0) {
        flush(literal, parts);
        parts.add(new ScriptWord.Part(true, variable()));
      } else {
        literal.append(c);
        at++;
      }
    }
    if (quote != 0) {
      throw new ScriptFormatException(
          number, line, "the " + quote + " at column " + (start + 1) + " is never closed");
    }
    flush(literal, parts);
    return new ScriptWord(parts);
  }

  private boolean isOperator() {
    return line.startsWith("&&", at) || line.startsWith("||", at);
  }

  private static void flush(StringBuilder literal, List<ScriptWord.Part> parts) {
    if (!literal.isEmpty()) {
      parts.add(new ScriptWord.Part(false, literal.toString()));
      literal.setLength(0);
    }
  }

  /** The end of the variable that begins here, or -1 if this dollar begins none. */
  private int variableEnd() {
    if (line.startsWith("${", at)) {
      int close = line.indexOf('}', at);
      if (close < 0) {
        throw new ScriptFormatException(
            number, line, "the ${ at column " + (at + 1) + " is never closed");
      }
      return close + 1;
    }
    int end = at + 1;
    while (end < line.length()
        && (Character.isLetterOrDigit(line.charAt(end)) || line.charAt(end) == '_')) {
      end++;
    }
    return end == at + 1 ? -1 : end;
  }

  private String variable() {
    int end = variableEnd();
    String name =
        line.charAt(at + 1) == '{' ? line.substring(at + 2, end - 1) : line.substring(at + 1, end);
    at = end;
    return name;
  }
}
