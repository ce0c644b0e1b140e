package org.liminix.uboot;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * As much of U-Boot's parsers and commands as the tests need: hush of common/cli_hush.c and the
 * simple one of common/cli_simple.c. Command {@code do N WORD} is recorded, and ends with status 1
 * if N is a multiple of 3.
 */
final class SimulatedShell {
  private static final int MOST_WORDS = 16;
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+)\\}");

  private final boolean hush;
  private final boolean canRun;
  private final Consumer<String> out;
  private final List<String> executed = new CopyOnWriteArrayList<>();
  private final List<String> unknown = new CopyOnWriteArrayList<>();
  private final Map<String, String> environment = new ConcurrentSkipListMap<>();
  private String last = "";
  private boolean repeatable;
  private int status;

  SimulatedShell(boolean hush, boolean canRun, Consumer<String> out) {
    this.hush = hush;
    this.canRun = canRun;
    this.out = out;
  }

  /** All that had an effect, in order. */
  List<String> executed() {
    return executed;
  }

  /** What was no command. */
  List<String> unknown() {
    return unknown;
  }

  Map<String, String> environment() {
    return environment;
  }

  /** The line that was run last. */
  String last() {
    return last;
  }

  /** Runs a line; false if hush waits for the end of a quotation. */
  boolean run(String line) {
    if (line.isEmpty() && !repeatable) {
      return true;
    }
    String text = line.isEmpty() ? last : line;
    if (hush && isOpen(text)) {
      return false;
    }
    last = text;
    repeatable = true;
    runText(text, 0);
    return true;
  }

  private static boolean isOpen(String text) {
    char quote = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\\' && quote != '\'') {
        i++;
      } else if (c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      }
    }
    return quote != 0;
  }

  private void runText(String text, int depth) {
    for (String command : commands(text)) {
      List<String> words = hush ? hushWords(command) : simpleWords(command);
      if (words.size() > MOST_WORDS) {
        out.accept("** Too many args (max. 16) **\n");
      } else if (!words.isEmpty()) {
        status = execute(words, depth);
      }
    }
  }

  private List<String> commands(String text) {
    List<String> commands = new ArrayList<>();
    boolean quoted = false;
    int start = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean escaped = i > 0 && text.charAt(i - 1) == '\\';
      quoted ^= c == '\'' && !escaped;
      if (c == ';' && !quoted && !escaped) {
        commands.add(text.substring(start, i));
        start = i + 1;
      }
      if (hush && c == '#' && !quoted && (i == 0 || " ;".indexOf(text.charAt(i - 1)) >= 0)) {
        commands.add(text.substring(start, i));
        return commands;
      }
    }
    commands.add(text.substring(start));
    return commands;
  }

  private List<String> hushWords(String command) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean begun = false;
    char quote = 0;
    for (int i = 0; i < command.length(); i++) {
      char c = command.charAt(i);
      if (quote == 0 && c == ' ') {
        if (begun) {
          words.add(word.toString());
        }
        word.setLength(0);
        begun = false;
        continue;
      }
      begun = true;
      if (c == quote) {
        quote = 0;
      } else if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == '\\' && quote != '\'') {
        word.append(++i < command.length() ? command.charAt(i) : "");
      } else if (quote != '\'' && command.startsWith("$?", i)) {
        word.append(status);
        i++;
      } else {
        Matcher variable = VARIABLE.matcher(command).region(i, command.length());
        if (quote != '\'' && variable.lookingAt()) {
          word.append(environment.getOrDefault(variable.group(1), ""));
          i = variable.end() - 1;
        } else {
          word.append(c);
        }
      }
    }
    if (begun) {
      words.add(word.toString());
    }
    return words;
  }

  /** Quotes keep variables and semicolons as they are, but not blanks. */
  private List<String> simpleWords(String command) {
    StringBuilder expanded = new StringBuilder();
    boolean quoted = false;
    char before = 0;
    for (int i = 0; i < command.length(); i++) {
      char c = command.charAt(i);
      if (!quoted && c == '\\' && before != '\\' && i + 1 < command.length()) {
        before = c;
        c = command.charAt(++i);
      }
      Matcher variable = VARIABLE.matcher(command).region(i, command.length());
      if (c == '\'' && before != '\\') {
        quoted = !quoted;
      } else if (!quoted && before != '\\' && variable.lookingAt()) {
        expanded.append(environment.getOrDefault(variable.group(1), ""));
        i = variable.end() - 1;
      } else {
        expanded.append(c);
      }
      before = c;
    }
    String text = expanded.toString().strip();
    return text.isEmpty() ? List.of() : List.of(text.split(" +"));
  }

  private int execute(List<String> words, int depth) {
    String name = words.get(0);
    String rest = String.join(" ", words.subList(1, words.size()));
    switch (name) {
      case "setenv" -> {
        // What a variable runs does not count.
        repeatable &= depth > 0;
        if (words.size() > 2) {
          environment.put(words.get(1), rest.substring(words.get(1).length() + 1));
        } else if (words.size() == 2) {
          environment.remove(words.get(1));
        }
      }
      case "printenv" -> {
        if (words.size() > 1 && !environment.containsKey(words.get(1))) {
          out.accept("## Error: \"" + words.get(1) + "\" not defined\n");
          return 1;
        }
        environment.forEach(
            (key, value) ->
                out.accept(
                    words.size() == 1 || key.equals(words.get(1)) ? key + "=" + value + "\n" : ""));
      }
      case "echo" -> out.accept(rest + "\n");
      case "crc32" -> {
        executed.add(name + " " + rest);
        out.accept("CRC32 for 80000000 ... 800000ff ==> 0d968558\n");
      }
      case "do" -> {
        executed.add(name + " " + rest);
        if (words.size() < 2 || !words.get(1).matches("\\d{1,9}")) {
          return refuse(name);
        }
        int number = Integer.parseInt(words.get(1));
        stall(number);
        out.accept("did " + number + "\n");
        return number % 3 == 0 ? 1 : 0;
      }
      case "run" -> {
        return canRun ? runVariables(words.subList(1, words.size()), depth) : refuse(name);
      }
      default -> {
        return refuse(name);
      }
    }
    return 0;
  }

  private int runVariables(List<String> names, int depth) {
    for (String name : names) {
      String text = environment.get(name);
      if (text == null) {
        out.accept("## Error: \"" + name + "\" not defined\n");
        return 1;
      }
      runText(text, depth + 1);
    }
    return status;
  }

  private int refuse(String name) {
    // A comment where there are none is an unknown command, and meant to be.
    if (!name.startsWith("#")) {
      unknown.add(name);
    }
    out.accept("Unknown command '" + name + "' - try 'help'\n");
    return 1;
  }

  /** Every so often a command takes its time; the board reads nothing, and its FIFO overflows. */
  private static void stall(int number) {
    if (number % 2500 == 2499) {
      LockSupport.parkNanos(Duration.ofMillis(2500).toNanos());
    } else if (number % 100 == 99) {
      LockSupport.parkNanos(Duration.ofMillis(30).toNanos());
    }
  }
}
