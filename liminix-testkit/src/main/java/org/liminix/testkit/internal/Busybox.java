package org.liminix.testkit.internal;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The applets of a busybox binary, read from the sorted name table inside it. */
final class Busybox {
  // applet_names in applets/applet_tables.c: NUL-terminated names, "[" and "[[" the first of them
  // in every configuration that has a shell with test.
  private static final byte[] START = {0, '[', 0, '[', '[', 0};

  private Busybox() {}

  /** The names under which the binary can be called; none if it has no such table. */
  static List<String> applets(byte[] binary) {
    for (int i = 0; i + START.length <= binary.length; i++) {
      if (matches(binary, i)) {
        List<String> names = namesFrom(binary, i + 1);
        if (names.contains("sh") && names.contains("init")) {
          return names;
        }
      }
    }
    return List.of();
  }

  private static boolean matches(byte[] binary, int offset) {
    for (int j = 0; j < START.length; j++) {
      if (binary[offset + j] != START[j]) {
        return false;
      }
    }
    return true;
  }

  private static List<String> namesFrom(byte[] binary, int offset) {
    List<String> names = new ArrayList<>();
    String previous = "";
    int start = offset;
    for (int i = offset; i < binary.length; i++) {
      if (binary[i] == 0) {
        String name = new String(binary, start, i - start, StandardCharsets.US_ASCII);
        // The table is sorted for bisection; the first name out of order is behind its end.
        if (name.compareTo(previous) <= 0) {
          return names;
        }
        names.add(name);
        previous = name;
        start = i + 1;
      }
    }
    return names;
  }
}
