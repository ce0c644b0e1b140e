package org.liminix.uboot;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What U-Boot's commands print, taken apart; whatever it is, none of this throws. */
final class UBootOutput {
  private static final Pattern CRC = Pattern.compile("==> ([0-9a-f]{8})(?![0-9a-f])");

  /** A size of at most 18 digits fits into a long. */
  private static final Pattern LOADED = Pattern.compile("Bytes transferred = (\\d{1,18})(?!\\d)");

  private UBootOutput() {}

  /** What {@code printenv} prints. A line without {@code =} belongs to the value before it. */
  static Map<String, String> environment(List<String> lines) {
    Map<String, String> variables = new LinkedHashMap<>();
    String name = "";
    for (String line : lines) {
      int equals = line.indexOf('=');
      if (line.startsWith("Environment size:")) {
        break;
      }
      if (equals > 0) {
        name = line.substring(0, equals);
        variables.put(name, line.substring(equals + 1));
      } else if (!name.isEmpty() && !line.isEmpty()) {
        variables.merge(name, line, (start, more) -> start + "\n" + more);
      }
    }
    return variables;
  }

  /** What {@code crc32} prints: {@code crc32 for 81000000 ... 8100ffff ==> 0d968558}. */
  static OptionalLong crc32(String output) {
    Matcher sum = CRC.matcher(output);
    return sum.find() ? OptionalLong.of(Long.parseLong(sum.group(1), 16)) : OptionalLong.empty();
  }

  /** What {@code tftpboot} prints: {@code Bytes transferred = 65536 (10000 hex)}. */
  static OptionalLong loadedSize(String output) {
    Matcher loaded = LOADED.matcher(output);
    return loaded.find() ? OptionalLong.of(Long.parseLong(loaded.group(1))) : OptionalLong.empty();
  }

  /** {@code $?}: up to 10 digits, which hush prints unsigned although a status may be negative. */
  static OptionalInt status(String digits) {
    return digits.isEmpty() ? OptionalInt.empty() : OptionalInt.of((int) Long.parseLong(digits));
  }
}
