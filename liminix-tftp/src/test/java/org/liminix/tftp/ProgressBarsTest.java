package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What a person sees at a terminal. */
class ProgressBarsTest {
  private static final String HALF = "[##########----------] 50% 50 B, ";

  private final ProgressBars bars = new ProgressBars();

  private static TftpTransfer transfer(String file, long bytes, long size) {
    TftpTransfer transfer =
        new TftpTransfer(
            new TftpRequest(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 2000),
                TftpRequest.Operation.READ,
                file,
                TftpRequest.Mode.OCTET,
                Map.of()));
    transfer.terms(512, 1, size);
    transfer.progressed(bytes);
    return transfer;
  }

  private static List<TftpTransfer> transfers(int count) {
    return IntStream.range(0, count).mapToObj(i -> transfer("file" + i, 50, 100)).toList();
  }

  private void redraw(Screen screen, List<String> lines, List<TftpTransfer> running) {
    screen.print(bars.redraw(lines, running));
  }

  @Test
  void drawsBarsInPlaceBelowTheLines() {
    Screen screen = new Screen(24, 80);
    TftpTransfer kernel = transfer("kernel", 0, 100);
    TftpTransfer script = transfer("script", 0, -1);
    redraw(screen, List.of("serving"), List.of());
    redraw(screen, List.of(), List.of(kernel));
    kernel.progressed(50);
    script.progressed(2048);
    redraw(screen, List.of(), List.of(kernel, script));
    assertThat(screen.lines()).hasSize(3);
    assertThat(screen.lines().get(0)).isEqualTo("serving");
    assertThat(screen.lines().get(1)).startsWith(HALF).endsWith("/s  127.0.0.1 reads kernel");
    assertThat(screen.lines().get(2)).startsWith("2.0 KiB, ").endsWith("  127.0.0.1 reads script");
    redraw(screen, List.of("kernel is over"), List.of(script));
    assertThat(screen.lines()).hasSize(3).startsWith("serving", "kernel is over");
    redraw(screen, List.of("script is over"), List.of());
    assertThat(screen.lines()).containsExactly("serving", "kernel is over", "script is over");
  }

  @Test
  void keepsABarOfAnyNameOnOneLine() {
    Screen screen = new Screen(24, 60);
    List<TftpTransfer> wide =
        List.of(
            transfer("long".repeat(50), 50, 100),
            transfer("固件".repeat(60), 50, 100),
            transfer("short", 50, 100));
    for (int i = 0; i < 5; i++) {
      redraw(screen, List.of("line " + i), wide);
    }
    assertThat(screen.lines()).hasSize(8);
    assertThat(screen.lines().subList(0, 5)).containsExactly(lines(5));
    assertThat(screen.lines().subList(5, 8)).allMatch(line -> line.startsWith(HALF));
  }

  @Test
  void wrapsLinesThatAreWiderThanTheTerminal() {
    Screen screen = new Screen(24, 60);
    redraw(screen, List.of(), transfers(2));
    redraw(screen, List.of("x".repeat(150)), transfers(2));
    redraw(screen, List.of("end"), transfers(1));
    assertThat(screen.lines())
        .hasSize(5)
        .startsWith("x".repeat(60), "x".repeat(60), "x".repeat(30), "end");
  }

  private static String[] lines(int count) {
    return IntStream.range(0, count).mapToObj(i -> "line " + i).toArray(String[]::new);
  }

  @Test
  void drawsNoMoreBarsThanATerminalHasRows() {
    Screen screen = new Screen(12, 80);
    List<TftpTransfer> many = new ArrayList<>(transfers(200));
    for (int i = 0; i < 100; i++) {
      redraw(screen, List.of("line " + i), many);
      many.remove(0);
    }
    assertThat(screen.lines()).hasSize(100 + ProgressBars.MOST + 1).startsWith(lines(100));
    assertThat(screen.lines().subList(100, 110))
        .allSatisfy(bar -> assertThat(bar).startsWith(HALF).contains("reads file"));
    assertThat(screen.lines().get(100)).endsWith("reads file99");
    assertThat(screen.lines().get(110)).isEqualTo("and 91 more");
    redraw(screen, List.of(), List.of());
    assertThat(screen.lines()).containsExactly(lines(100));
  }

  @Test
  void drawsAFullBarForMoreThanWasAnnounced() {
    Screen screen = new Screen(24, 80);
    redraw(
        screen,
        List.of(),
        List.of(transfer("file", 700, 100), transfer("huge", Long.MAX_VALUE / 2, Long.MAX_VALUE)));
    assertThat(screen.lines().get(0)).startsWith("[" + "#".repeat(20) + "] 100% 700 B, ");
    assertThat(screen.lines().get(1)).startsWith("[##########----------] 50% ");
  }

  @Test
  void showsNothingThatATerminalWouldObey() {
    Screen screen = new Screen(24, 120);
    String name = "a\u001b[2J\u009b2J\r\n\u0000\u202eb\u2028c";
    TftpTransfer failed = transfer(name, 0, 100);
    failed.ended(TftpTransfer.State.FAILED, null, "\u001b[2J is over");
    redraw(screen, List.of(failed.toString()), List.of(transfer(name, 50, 100)));
    assertThat(screen.lines()).hasSize(2);
    assertThat(screen.lines().get(0)).contains("reads a?[2J?2J????b?c: ").endsWith("?[2J is over");
    assertThat(screen.lines().get(1)).endsWith("reads a?[2J?2J????b?c");
  }
}
