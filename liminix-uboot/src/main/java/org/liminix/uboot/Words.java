package org.liminix.uboot;

/** Quoting for U-Boot's hush parser. */
final class Words {
  private Words() {}

  static String doubleQuoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("$", "\\$") + '"';
  }

  static String singleQuoted(String text) {
    if (text.indexOf('\'') >= 0) {
      return doubleQuoted(text);
    }
    return "'" + text + "'";
  }

  /** A word that needs no quotes. */
  static String requirePlain(String setter, String word) {
    if (!word.matches("[\\w./@:+=,-]+")) {
      throw new IllegalArgumentException(
          setter + " must be a plain word without spaces or quotes, not \"" + word + '"');
    }
    return word;
  }
}
