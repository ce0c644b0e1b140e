package org.liminix.tftp;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a person sees of what a program prints: as much of a terminal (ECMA-48, and DECAWM of the
 * VT100) as redrawing takes. A test that prints anything else fails.
 */
final class Screen {
  private static final Pattern CONTROL = Pattern.compile("\u001b\\[(\\?7[lh]|[0-9]+A|J)");

  private final int rows;
  private final int columns;
  private final List<String> above = new ArrayList<>(); // what has left at the top
  private final List<List<String>> cells = new ArrayList<>();
  private int row;
  private int column;
  private boolean wraps = true;

  Screen(int rows, int columns) {
    this.rows = rows;
    this.columns = columns;
    for (int i = 0; i < rows; i++) {
      cells.add(blank());
    }
  }

  private List<String> blank() {
    return new ArrayList<>(Collections.nCopies(columns, " "));
  }

  void print(String text) {
    Matcher control = CONTROL.matcher(text);
    for (int at = 0; at < text.length(); ) {
      int character = text.codePointAt(at);
      if (control.region(at, text.length()).lookingAt()) {
        obey(control.group(1));
        at = control.end();
        continue;
      }
      switch (character) {
        case '\r' -> column = 0;
        case '\n' -> nextLine(); // to a terminal it goes as \r\n
        default -> put(character);
      }
      at += Character.charCount(character);
    }
  }

  private void obey(String control) {
    switch (control.charAt(control.length() - 1)) {
      case 'A' -> row = Math.max(0, row - Integer.parseInt(control.replace("A", "")));
      case 'J' -> {
        Collections.fill(cells.get(row).subList(column, columns), " ");
        for (int below = row + 1; below < rows; below++) {
          cells.set(below, blank());
        }
      }
      default -> wraps = control.endsWith("h");
    }
  }

  private void put(int character) {
    if (Character.isISOControl(character) || Character.getType(character) == Character.FORMAT) {
      throw new AssertionError("a terminal would obey U+" + Integer.toHexString(character));
    }
    int width = Character.isIdeographic(character) ? 2 : 1;
    if (column + width > columns && wraps) {
      nextLine();
    }
    column = Math.min(column, columns - width);
    cells.get(row).set(column, Character.toString(character));
    if (width == 2) {
      cells.get(row).set(column + 1, "");
    }
    column += width;
  }

  private void nextLine() {
    column = 0;
    if (row < rows - 1) {
      row++;
    } else {
      above.add(String.join("", cells.remove(0)).stripTrailing());
      cells.add(blank());
    }
  }

  /** All lines down to the last that is not empty, with those that have left at the top. */
  List<String> lines() {
    List<String> lines = new ArrayList<>(above);
    cells.forEach(line -> lines.add(String.join("", line).stripTrailing()));
    while (!lines.isEmpty() && lines.get(lines.size() - 1).isEmpty()) {
      lines.remove(lines.size() - 1);
    }
    return lines;
  }
}
