package org.liminix.tftp;

import java.io.PrintStream;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Shows a person what a server does: on a terminal a bar for each transfer under way, redrawn in
 * place below the lines for those that are over; elsewhere only these lines.
 */
final class ProgressBars implements TftpListener {
  private static final int WIDTH = 30;

  private final PrintStream out;
  private final boolean terminal;
  private final Set<TftpTransfer> running = new LinkedHashSet<>();
  private int drawn;

  ProgressBars(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  @Override
  public void started(TftpTransfer transfer) {
    running.add(transfer);
    redraw("");
  }

  @Override
  public void progressed(TftpTransfer transfer) {
    redraw("");
  }

  @Override
  public void ended(TftpTransfer transfer) {
    running.remove(transfer);
    redraw(transfer + System.lineSeparator());
  }

  @Override
  public void refused(TftpTransfer request) {
    redraw(request + System.lineSeparator());
  }

  private void redraw(String lines) {
    if (!terminal) {
      out.print(lines);
      out.flush();
      return;
    }
    StringBuilder screen = new StringBuilder();
    if (drawn > 0) {
      screen.append("\u001b[").append(drawn).append('A'); // up to the first bar
    }
    screen.append("\r\u001b[J").append(lines); // clear from there
    for (TftpTransfer transfer : running) {
      screen.append(bar(transfer)).append('\n');
    }
    drawn = running.size();
    out.print(screen);
    out.flush();
  }

  private static String bar(TftpTransfer transfer) {
    StringBuilder bar = new StringBuilder();
    long size = transfer.size().orElse(0);
    if (size > 0) {
      int full = (int) (transfer.bytes() * WIDTH / size);
      bar.append('[').append("#".repeat(full)).append("-".repeat(WIDTH - full)).append("] ");
      bar.append(transfer.bytes() * 100 / size).append("% ");
    }
    bar.append(Units.bytes(transfer.bytes())).append(", ");
    bar.append(Units.rate(transfer.bytesPerSecond()));
    return bar + "  " + transfer.request();
  }
}
