package org.liminix.tftp;

import java.util.Collection;
import java.util.List;

/**
 * Draws a bar for each transfer under way at the bottom of a terminal, in place of those drawn
 * before. Used by one thread.
 *
 * <p>To go up to the first bar one has to know how many lines the bars took. So the terminal is
 * told to cut what is wider than itself (DECAWM off), whatever its width and that of the characters
 * in a name, and there are never more bars than rows.
 */
final class ProgressBars {
  /** Bars drawn, the oldest transfers' first: what has left a screen at its top stays as it is. */
  static final int MOST = 10;

  private static final int WIDTH = 20;
  private static final String CONTROL = "\u001b[";

  private int drawn;

  /** What to print for these lines to stand above the bars of these transfers. */
  String redraw(List<String> lines, Collection<TftpTransfer> running) {
    StringBuilder screen = new StringBuilder();
    if (drawn > 0) {
      screen.append(CONTROL).append(drawn).append('A'); // up to the first bar
    }
    screen.append('\r').append(CONTROL).append('J'); // clear from there
    lines.forEach(line -> screen.append(line).append('\n'));
    drawn = Math.min(running.size(), MOST);
    screen.append(CONTROL).append("?7l"); // cut what is too wide
    running.stream().limit(MOST).forEach(transfer -> draw(transfer, screen));
    if (running.size() > MOST) {
      drawn++;
      screen.append("and ").append(running.size() - MOST).append(" more\n");
    }
    return screen.append(CONTROL).append("?7h").toString();
  }

  private static void draw(TftpTransfer transfer, StringBuilder screen) {
    long bytes = transfer.bytes();
    long size = transfer.size().orElse(0);
    if (size > 0) {
      double part = Math.min(1, (double) bytes / size); // a client may send more than it announced
      int full = (int) (part * WIDTH);
      screen.append('[').append("#".repeat(full)).append("-".repeat(WIDTH - full)).append("] ");
      screen.append((int) (part * 100)).append("% ");
    }
    screen.append(Units.bytes(bytes)).append(", ").append(Units.rate(transfer.bytesPerSecond()));
    screen.append("  ").append(transfer.request()).append('\n');
  }
}
