package org.liminix.uboot;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** A word of a command: literal text and variables, in their order. */
record ScriptWord(List<Part> parts) {
  /** Text as it stands, or the name of a variable to put in its place. */
  record Part(boolean variable, String text) {
    @Override
    public String toString() {
      return variable ? "${" + text + "}" : text;
    }
  }

  ScriptWord {
    parts = List.copyOf(parts);
  }

  /** The value, or the name of a variable that has none. */
  record Expansion(Optional<String> value, String missing) {}

  Expansion expand(Map<String, String> environment) {
    StringBuilder expanded = new StringBuilder();
    for (Part part : parts) {
      String text = part.variable() ? environment.get(part.text()) : part.text();
      if (text == null) {
        return new Expansion(Optional.empty(), part.text());
      }
      expanded.append(text);
    }
    return new Expansion(Optional.of(expanded.toString()), "");
  }

  /** The word with its variables spelled out and without its quotes. */
  @Override
  public String toString() {
    return parts.stream().map(Part::toString).collect(Collectors.joining());
  }
}
