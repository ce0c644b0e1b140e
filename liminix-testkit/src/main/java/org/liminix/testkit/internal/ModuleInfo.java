package org.liminix.testkit.internal;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * What a kernel module says about itself in its {@code .modinfo} section: NUL-terminated {@code
 * key=value} strings (include/linux/module.h of the kernel).
 *
 * @param name the name with underscores, as {@code lsmod} shows it
 * @param path where it lies below {@code /lib/modules/<release>}
 * @param size the bytes of the file
 * @param depends the modules whose symbols it uses
 * @param softDepends names or aliases to load before it, where they exist
 * @param aliases the patterns it may also be asked for by
 */
record ModuleInfo(
    String name,
    String path,
    long size,
    List<String> depends,
    List<String> softDepends,
    List<String> aliases) {

  /**
   * Reads a module.
   *
   * @throws IllegalArgumentException if the file is not a module
   */
  static ModuleInfo parse(String path, byte[] file) {
    ByteBuffer section =
        ElfFile.parse(file)
            .section(".modinfo")
            .orElseThrow(() -> new IllegalArgumentException("it has no .modinfo section"));
    List<String> depends = new ArrayList<>();
    List<String> softDepends = new ArrayList<>();
    List<String> aliases = new ArrayList<>();
    byte[] bytes = new byte[section.remaining()];
    section.get(bytes);
    for (String line : new String(bytes, StandardCharsets.UTF_8).split("\0", -1)) {
      int equals = line.indexOf('=');
      if (equals < 0) {
        continue;
      }
      String value = line.substring(equals + 1);
      switch (line.substring(0, equals)) {
        case "depends" -> addWords(depends, value, ",");
        case "softdep" -> addSoftDependencies(softDepends, value);
        case "alias" -> aliases.add(value);
        default -> {}
      }
    }
    return new ModuleInfo(
        nameOf(path),
        path,
        file.length,
        List.copyOf(depends),
        List.copyOf(softDepends),
        List.copyOf(aliases));
  }

  /** The module name in a path, with underscores as the kernel has it. */
  static String nameOf(String path) {
    String file = path.substring(path.lastIndexOf('/') + 1);
    int suffix = file.indexOf(".ko");
    return canonical(suffix < 0 ? file : file.substring(0, suffix));
  }

  /** Module names are equal up to the difference between hyphen and underscore. */
  static String canonical(String name) {
    return name.replace('-', '_');
  }

  private static void addWords(List<String> words, String value, String separator) {
    for (String word : value.split(separator, -1)) {
      if (!word.isBlank()) {
        words.add(canonical(word.strip()));
      }
    }
  }

  /** Takes the part after {@code pre:}; what comes after {@code post:} is not needed to load. */
  private static void addSoftDependencies(List<String> words, String value) {
    boolean before = false;
    for (String word : value.split("\\s+", -1)) {
      if (word.endsWith(":")) {
        before = word.equals("pre:");
      } else if (before && !word.isEmpty()) {
        words.add(word);
      }
    }
  }

  private static final String SEPARATOR = "\t";
  private static final String ALIAS_SEPARATOR = "\u0001";

  /** One line of a module index. */
  String toLine() {
    return String.join(
        SEPARATOR,
        path,
        Long.toString(size),
        String.join(",", depends),
        String.join(",", softDepends),
        String.join(ALIAS_SEPARATOR, aliases));
  }

  static ModuleInfo fromLine(String line) {
    String[] fields = line.split(SEPARATOR, -1);
    return new ModuleInfo(
        nameOf(fields[0]),
        fields[0],
        Long.parseLong(fields[1]),
        words(fields[2], ","),
        words(fields[3], ","),
        words(fields[4], ALIAS_SEPARATOR));
  }

  private static List<String> words(String field, String separator) {
    return field.isEmpty() ? List.of() : List.of(field.split(separator, -1));
  }
}
