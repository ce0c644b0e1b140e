package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.common.base.Splitter;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.console.Console;
import org.liminix.test.ChildJvm;
import org.liminix.test.Tmux;

/** The command as people run it, from its jar. */
@Timeout(120)
class TuftedIT {
  private static final int BLOCKS = 100;

  /** Wider than the terminal, together with what stands in front. */
  private static final String IMAGE = "openwrt-ramips-mt7621-squashfs-sysupgrade-of-today.bin";

  @TempDir Path root;
  @TempDir Path jars;
  private boolean withJffi = true;

  @BeforeEach
  void putFiles() throws IOException {
    Files.write(root.resolve(IMAGE), Bench.random(512 * BLOCKS - 1));
    Files.writeString(root.resolve("boot.scr"), "bootm");
  }

  /** The words that start it: its jar stands beside those it needs, as its manifest says. */
  private String command(String... options) throws IOException {
    Path own = null;
    for (String entry : Splitter.on(File.pathSeparator).split(ChildJvm.classPath())) {
      boolean jffi = Path.of(entry).getFileName().toString().startsWith("jffi");
      if (entry.endsWith(".jar") && (withJffi || !jffi)) {
        Path jar = Path.of(entry);
        Path copy = Files.copy(jar, jars.resolve(jar.getFileName().toString()));
        own = jar.getFileName().toString().startsWith("liminix-tftp") ? copy : own;
      }
    }
    assumeTrue(own != null, "the jar is missing: run this test with mvn verify");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return java
        + " -XX:TieredStopAtLevel=1 "
        + String.join(" ", options)
        + " -jar "
        + own
        + " -a 127.0.0.0/8 -p 0 -l 127.0.0.1 "
        + root;
  }

  private static InetSocketAddress server(String port) {
    return new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(port));
  }

  /** Fetches the image up to its middle, which is where this client stands still. */
  private static void fetchHalf(RawPeer board) {
    board.read(IMAGE, "tsize", "0").receive();
    board.ack(0);
    for (int block = 1; block <= BLOCKS / 2; block++) {
      board.receive().isData(block);
      board.ack(block);
    }
  }

  private static void fetchRest(RawPeer board) {
    for (int block = BLOCKS / 2 + 1; block <= BLOCKS; block++) {
      board.receive().isData(block);
      board.ack(block);
    }
  }

  private void fetchWithTftpHpa(String port) throws Exception {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/tftp")), "tftp is missing: apt-get install tftp-hpa");
    Process tftp =
        new ProcessBuilder("tftp", "127.0.0.1", port, "-c", "get", "boot.scr", "/dev/null")
            .inheritIO()
            .start();
    assertThat(tftp.waitFor()).isZero();
  }

  @Test
  void showsOnATerminalWhatIsUnderWayAndWhatIsOver() throws Exception {
    String command = command();
    try (Tmux tmux = Tmux.open()) {
      Console screen = tmux.screen();
      tmux.type("clear; " + command + "; echo ended-$?\r");
      String port = screen.expect(Pattern.compile("at port (\\d+), to 127.0.0.0/8")).group(1);
      try (RawPeer board = new RawPeer(server(port))) {
        fetchHalf(board);
        screen.expect("] 50% ");
        fetchWithTftpHpa(port);
        screen.expect("reads boot.scr: 5 B");
        screen.expect("] 50% ");
        List<String> shown = tmux.shown();
        int bar = lineOf(shown, "] 50% 25.0 KiB, ");
        assertThat(shown.get(bar))
            .startsWith("[##########----------] 50% ")
            .contains("  127.0.0.1 reads openwrt-");
        assertThat(shown.get(bar - 1)).startsWith("127.0.0.1 reads boot.scr: 5 B in ");
        assertThat(shown.get(bar - 2)).endsWith("at port " + port + ", to 127.0.0.0/8");
        assertThat(shown.subList(bar + 1, shown.size())).allMatch(String::isEmpty);

        fetchRest(board);
        screen.expect("reads " + IMAGE + ": 50.0 KiB in");
        shown = tmux.shown();
        assertThat(shown).noneMatch(line -> line.contains("%"));
        assertThat(shown.get(bar)).startsWith("127.0.0.1 reads " + IMAGE);
      }
      try (RawPeer board = new RawPeer(server(port))) {
        fetchHalf(board);
        screen.expect("] 50% ");
        tmux.type("\u0003");
        screen.expect("ended-130");
        RawPeer.Reply farewell = board.receive();
        while (farewell.opcode() == RawPeer.DATA) {
          farewell = board.receive();
        }
        assertThat(farewell.isError(0).message()).isEqualTo("The server is closing");
        assertThat(String.join("", tmux.shown()))
            .doesNotContain("%", "SLF4J")
            .contains("failed after 25.0 KiB");
      }
    }
  }

  private static int lineOf(List<String> lines, String text) {
    return lines.indexOf(lines.stream().filter(line -> line.contains(text)).findFirst().get());
  }

  /** Starts it without a terminal, its errors among its output. */
  private Process start(String... options) throws IOException {
    return new ProcessBuilder("/bin/sh", "-c", "exec " + command(options) + " 2>&1 </dev/null")
        .start();
  }

  private String port(BufferedReader output) throws IOException {
    String first = output.readLine();
    assertThat(first).startsWith("TFTP serving from " + root + " at port ");
    return first.replaceAll(".* at port (\\d+),.*", "$1");
  }

  @Test
  void printsLinesWhereThereIsNoTerminal() throws Exception {
    Process tufted = start();
    try (BufferedReader output = tufted.inputReader()) {
      String port = port(output);
      try (RawPeer board = new RawPeer(server(port))) {
        fetchHalf(board);
        fetchWithTftpHpa(port);
        assertThat(output.readLine()).startsWith("127.0.0.1 reads boot.scr: 5 B in ");
        fetchRest(board);
        assertThat(output.readLine()).startsWith("127.0.0.1 reads " + IMAGE + ": 50.0 KiB in ");
      }
      assertThat(tufted.toHandle().destroy()).isTrue(); // Process.destroy() closes its output, too
      assertThat(output.readLine()).isNull();
    } finally {
      tufted.destroyForcibly();
    }
  }

  @Test
  void sendsWindowsWithoutJffiToo() throws Exception {
    byte[] image = Files.readAllBytes(root.resolve(IMAGE));
    withJffi = false;
    Process tufted = start();
    try (BufferedReader output = tufted.inputReader();
        RawPeer board = new RawPeer(server(port(output)))) {
      assertThat(board.fetch(IMAGE, "blksize", "1468", "windowsize", "16")).isEqualTo(image);
      assertThat(output.readLine())
          .startsWith("127.0.0.1 reads " + IMAGE + ": 50.0 KiB in ")
          .contains("windowsize 16");
      assertThat(Files.readString(Path.of("/proc/" + tufted.pid() + "/maps")))
          .as("the libraries it has loaded")
          .contains("libnio")
          .doesNotContain("jffi");
    } finally {
      tufted.destroyForcibly();
    }
  }

  @Test
  void servesAGoodClientInLittleMemoryWhileOthersTakeAllTheyCan() throws Exception {
    byte[] image = Files.readAllBytes(root.resolve(IMAGE));
    Process tufted = start("-Xmx64m");
    List<RawPeer> greedy = new ArrayList<>();
    try (BufferedReader output = tufted.inputReader()) {
      String port = port(output);
      for (int i = 0; i < 900; i++) {
        InetSocketAddress own = new InetSocketAddress("127.0.0." + (2 + i % 3), 0);
        RawPeer peer = new RawPeer(server(port), own);
        greedy.add(peer);
        peer.read(IMAGE, "blksize", "65464", "windowsize", "16", "timeout", "255").receive();
        peer.ack(0);
      }
      try (RawPeer board = new RawPeer(server(port))) {
        String[] usual = {"blksize", "1468", "windowsize", "16"};
        assertThat(board.read(IMAGE, usual).receive().options()).containsEntry("windowsize", "16");
        assertThat(board.fetch(IMAGE, usual)).isEqualTo(image);
      }
      assertThat(tufted.toHandle().destroy()).isTrue();
      assertThat(output.lines()).noneMatch(line -> line.contains("no memory"));
    } finally {
      greedy.forEach(RawPeer::close);
      tufted.destroyForcibly();
    }
  }

  @Test
  void refusesAWindowForWhichThereIsNoMemory() throws Exception {
    Process tufted = start("-Xmx512m", "-XX:MaxDirectMemorySize=512k");
    try (BufferedReader output = tufted.inputReader();
        RawPeer board = new RawPeer(server(port(output)))) {
      board.read(IMAGE, "blksize", "65464", "windowsize", "16").receive().options();
      board.ack(0).receive().isError(0);
      assertThat(output.readLine()).contains("failed after 0 B", "no memory for this window");
      assertThat(board.fetch("boot.scr")).asString().isEqualTo("bootm");
    } finally {
      tufted.destroyForcibly();
    }
  }
}
