package org.liminix.console;

/**
 * What a message of the kernel begins with on a console (kernel/printk/printk.c, {@code
 * print_prefix}): a log level as {@code <6>}, a timestamp padded to five digits as {@code [
 * 1.234567]}, a caller as {@code [ T1]}, and a space.
 */
final class KernelPrefix {
  /** How far some text has come towards such a prefix. */
  enum Progress {
    NONE,
    PARTIAL,
    COMPLETE
  }

  private static final int LONGEST_SECONDS = 12;
  private static final int FRACTION_DIGITS = 6;

  private final CharSequence text;
  private int position;

  private KernelPrefix(CharSequence text) {
    this.text = text;
  }

  /** Whether a prefix may begin with that character, or with a lost line end's first half. */
  static boolean mayBeginWith(char c) {
    return c == '[' || c == '<' || c == '\r';
  }

  /**
   * Looks at the whole of a text.
   *
   * @param atLineStart whether a log level alone is enough, as kernels without timestamps print it
   */
  static Progress of(CharSequence text, boolean atLineStart) {
    return new KernelPrefix(text).progress(atLineStart);
  }

  /** The timestamp of a complete prefix in microseconds, or -1 if it has none. */
  static long micros(CharSequence message) {
    int open = 0;
    while (open < message.length() && message.charAt(open) != '[') {
      if (message.charAt(open) == ' ') {
        return -1;
      }
      open++;
    }
    long value = 0;
    for (int i = open + 1; i < message.length() && message.charAt(i) != ']'; i++) {
      char c = message.charAt(i);
      if (isDigit(c)) {
        value = value * 10 + (c - '0');
      } else if (c != ' ' && c != '.') {
        return -1;
      }
    }
    return open < message.length() ? value : -1;
  }

  /** The message without a complete prefix. */
  static CharSequence strip(CharSequence message) {
    KernelPrefix prefix = new KernelPrefix(message);
    prefix.skip('\r');
    prefix.level();
    int afterLevel = prefix.position;
    if (prefix.timestamp() == Progress.COMPLETE && prefix.caller() == Progress.COMPLETE) {
      return message.subSequence(Math.min(prefix.position + 1, message.length()), message.length());
    }
    return message.subSequence(afterLevel, message.length());
  }

  private Progress progress(boolean atLineStart) {
    skip('\r');
    Progress level = level();
    if (level == Progress.NONE || level == Progress.PARTIAL) {
      return level;
    }
    boolean levelAlone = atLineStart && position > 0 && text.charAt(position - 1) == '>';
    Progress stamp = timestamp();
    if (stamp == Progress.COMPLETE) {
      stamp = caller();
    }
    if (stamp == Progress.COMPLETE) {
      stamp = atEnd() ? Progress.PARTIAL : skip(' ') ? Progress.COMPLETE : Progress.NONE;
    }
    return stamp == Progress.NONE && levelAlone ? Progress.COMPLETE : stamp;
  }

  private Progress level() {
    if (!skip('<')) {
      return atEnd() ? Progress.PARTIAL : Progress.COMPLETE;
    }
    int digits = digits(3);
    if (atEnd()) {
      return Progress.PARTIAL;
    }
    return digits > 0 && skip('>') ? Progress.COMPLETE : Progress.NONE;
  }

  private Progress timestamp() {
    if (atEnd()) {
      return Progress.PARTIAL;
    }
    if (!skip('[')) {
      return Progress.NONE;
    }
    int begin = position;
    while (skip(' ')) {
      // The padding.
    }
    int digits = digits(LONGEST_SECONDS);
    if (atEnd()) {
      return Progress.PARTIAL;
    }
    if (digits == 0 || position - begin < 5 || !skip('.')) {
      return Progress.NONE;
    }
    digits = digits(FRACTION_DIGITS);
    if (atEnd()) {
      return Progress.PARTIAL;
    }
    return digits == FRACTION_DIGITS && skip(']') ? Progress.COMPLETE : Progress.NONE;
  }

  /** Complete if there is none, too. CONFIG_PRINTK_CALLER prints threads as T, processors as C. */
  private Progress caller() {
    if (!skip('[')) {
      return Progress.COMPLETE;
    }
    while (skip(' ')) {
      // The padding.
    }
    if (atEnd()) {
      return Progress.PARTIAL;
    }
    if (!skip('T') && !skip('C')) {
      return Progress.NONE;
    }
    digits(LONGEST_SECONDS);
    if (atEnd()) {
      return Progress.PARTIAL;
    }
    return skip(']') ? Progress.COMPLETE : Progress.NONE;
  }

  private int digits(int most) {
    int begin = position;
    while (!atEnd() && position - begin < most && isDigit(text.charAt(position))) {
      position++;
    }
    return position - begin;
  }

  private boolean skip(char c) {
    if (atEnd() || text.charAt(position) != c) {
      return false;
    }
    position++;
    return true;
  }

  private boolean atEnd() {
    return position == text.length();
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
