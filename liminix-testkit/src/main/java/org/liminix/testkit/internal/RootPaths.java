package org.liminix.testkit.internal;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Where things are in a root: everything in {@code /bin}, {@code /sbin} and {@code /lib} goes below
 * {@code /usr}, as in every Debian since 12. Places have no leading slash.
 */
public final class RootPaths {
  private static final Pattern MERGED = Pattern.compile("(bin|sbin|lib|lib32|lib64|libx32)/.*");
  private static final Pattern MERGED_ITSELF = Pattern.compile("bin|sbin|lib|lib32|lib64|libx32");

  // Mounted over at boot.
  private static final List<String> HIDDEN = List.of("dev", "proc", "sys", "run", "tmp", "var");

  private RootPaths() {}

  /** The place of a path in a package. */
  static String ofPackage(String path) {
    String relative = path.replaceFirst("^\\.?/+", "").replaceFirst("/+$", "");
    boolean merged =
        MERGED.matcher(relative).matches() || MERGED_ITSELF.matcher(relative).matches();
    return merged ? "usr/" + relative : relative;
  }

  /**
   * The place of a path a caller gave.
   *
   * @throws IllegalArgumentException if nothing can be put there, saying why
   */
  public static String ofCaller(String path) {
    if (!path.startsWith("/")) {
      throw new IllegalArgumentException(
          "The path of a file in the guest must be absolute: \"" + path + "\". Put a / first");
    }
    List<String> names = Arrays.asList(path.substring(1).split("/", -1));
    if (names.contains("") || names.contains(".") || names.contains("..")) {
      throw new IllegalArgumentException(
          "The path of a file in the guest must be in its plain form, without empty names, . and"
              + " ..: \""
              + path
              + "\"");
    }
    if (path.chars().anyMatch(c -> c < ' ' || c == 0x7f)) {
      throw new IllegalArgumentException(
          "The path of a file in the guest has control characters: \"" + path + "\"");
    }
    String place = ofPackage(path);
    if (HIDDEN.contains(names.get(0))) {
      throw new IllegalArgumentException(
          path
              + " would not be seen, because /"
              + names.get(0)
              + " is in memory and empty at boot. Put the file elsewhere and copy it there from a"
              + " script in /etc/rc.d");
    }
    return place;
  }
}
