package org.liminix.console;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Text as a shell reads it when it is typed on a terminal. */
final class ShellWords {
  private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

  /** A program and words that mean themselves. */
  private static final Pattern SIMPLE_COMMAND =
      Pattern.compile("([a-z/][\\w./-]*)( [\\w./:=,@%+-]+)*");

  /** POSIX XCU 2.4 and bash's own: these need others behind them. */
  private static final Set<String> RESERVED =
      Set.of(
          "case",
          "coproc",
          "do",
          "done",
          "elif",
          "else",
          "esac",
          "fi",
          "for",
          "function",
          "if",
          "in",
          "select",
          "then",
          "time",
          "until",
          "while");

  /** POSIX XCU 2.14: an error in one of these ends a shell that is not interactive. */
  private static final Set<String> SPECIAL =
      Set.of(
          "break",
          "continue",
          "eval",
          "exec",
          "exit",
          "export",
          "readonly",
          "return",
          "set",
          "shift",
          "times",
          "trap",
          "unset");

  private ShellWords() {}

  /**
   * The script as a command of its own, which neither a syntax error in it nor one in a special
   * built-in takes the rest of the line with: {@code command eval 'script'} (POSIX XCU 2.8.1), or
   * as it is where that cannot be, for each character is slow on a serial line.
   */
  static String contained(String script) {
    Matcher simple = SIMPLE_COMMAND.matcher(script);
    boolean harmless =
        simple.matches()
            && !RESERVED.contains(simple.group(1))
            && !SPECIAL.contains(simple.group(1));
    return harmless ? script : "command eval " + quote(script);
  }

  /**
   * A word that means the text, whatever is in it. Terminals, line editors and bash's history
   * expansion act on some characters even inside of quotes, and not all of them pass UTF-8; these
   * go as octal escapes of {@code printf}.
   *
   * @throws IllegalArgumentException if there is a NUL in it, which no shell can hold
   */
  static String quote(String text) {
    if (text.indexOf('\0') >= 0) {
      throw new IllegalArgumentException(
          "A shell takes no NUL, and there is one in \""
              + text.replace("\0", "\\0")
              + "\": upload it as a file");
    }
    if (isSafe(text)) {
      return plainly(text);
    }
    int end = text.length(); // a command substitution loses the newlines at its end
    while (end > 0 && text.charAt(end - 1) == '\n') {
      end--;
    }
    byte[] bytes = text.substring(0, end).getBytes(StandardCharsets.UTF_8);
    String newlines = text.substring(end);
    return "\"$(printf '"
        + escape(bytes, 0, bytes.length)
        + "')\""
        + (newlines.isEmpty() ? "" : plainly(newlines));
  }

  private static String plainly(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }

  private static boolean isSafe(String text) {
    // bash before 5.0 forgets from line to line that it is inside of quotes, and expands "!".
    boolean severalLines = text.indexOf('\n') >= 0;
    return text.chars()
        .allMatch(c -> c == '\n' || (c >= ' ' && c < 0x7f && !(severalLines && c == '!')));
  }

  /** A format of {@code printf} for these bytes, to stand in single quotes. */
  static String escape(byte[] bytes, int from, int to) {
    StringBuilder format = new StringBuilder();
    for (int i = from; i < to; i++) {
      int b = bytes[i] & 0xff;
      if (b == '%') {
        format.append("%%");
      } else if (b == '\\') {
        format.append("\\\\");
      } else if (b < ' ' || b >= 0x7f || b == '\'' || b == '!' || (b == '-' && i == from)) {
        format.append('\\').append(Integer.toOctalString(01000 | b), 1, 4);
      } else {
        format.append((char) b);
      }
    }
    return format.toString();
  }

  /** A path that neither begins as an option does nor is looked for along {@code CDPATH}. */
  static String path(String path) {
    if (path.isEmpty()) {
      throw new IllegalArgumentException("A path cannot be empty: name a file or directory");
    }
    return quote(path.startsWith("/") ? path : "./" + path);
  }

  /**
   * Checks the name of a variable (POSIX XBD 3.216).
   *
   * @throws IllegalArgumentException if no shell can have such a variable
   */
  static String variable(String name) {
    if (!VARIABLE.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "Not the name of an environment variable: \""
              + name
              + "\". Use letters, digits and underscores, a letter first");
    }
    return name;
  }

  /** The commands that put variables into the environment. */
  static String exports(Map<String, String> environment) {
    StringBuilder commands = new StringBuilder();
    environment.forEach(
        (name, value) ->
            commands.append("export ").append(name).append('=').append(quote(value)).append('\n'));
    return commands.toString();
  }
}
