package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.process.WaitInterruptedException;

@Timeout(60)
class ConsoleTest {
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final Duration SHORT = Duration.ofMillis(20);

  @TempDir Path directory;
  private Peer guest;
  private Console console;

  @BeforeEach
  void connect() throws IOException {
    guest = Peer.connect(directory, "router");
    console = guest.console();
  }

  @AfterEach
  void disconnect() throws IOException {
    guest.close();
  }

  @Test
  void findsTextThatCameBeforeAnybodyWaited() throws IOException {
    guest.says("U-Boot 2023.01\r\nLinux version 6.1\r\n");
    assertThat(console.expect("Linux version", LONG).before()).isEqualTo("U-Boot 2023.01\n");
  }

  @Test
  void looksOnlyAfterThePreviousMatch() throws IOException {
    guest.says("one two one two");
    console.expect("two");
    assertThat(console.expect("two").before()).isEqualTo(" one ");
    assertThatExceptionOfType(ConsoleTimeoutException.class)
        .isThrownBy(() -> console.expect("one", SHORT));
  }

  @Test
  void findsTextThatArrivesInPieces() throws Exception {
    CompletableFuture<Match> match =
        CompletableFuture.supplyAsync(() -> console.expect("login: ", LONG));
    for (byte piece : "router login: ".getBytes(StandardCharsets.UTF_8)) {
      guest.says(new byte[] {piece});
    }
    assertThat(match.get().before()).isEqualTo("router ");
  }

  @Test
  void givesTheGroupsOfARegularExpression() throws IOException {
    guest.says("inet 192.168.100.10 peer 192.168.100.1/32\r\n");
    Match match = console.expect(Pattern.compile("inet ([0-9.]+)(/\\d+)? peer ([0-9.]+)"), LONG);
    assertThat(match.group(1)).isEqualTo("192.168.100.10");
    assertThat(match.group(2)).isEmpty();
    assertThat(match.group(3)).isEqualTo("192.168.100.1");
  }

  @Test
  void matchesARegularExpressionAcrossPiecesAndLines() throws Exception {
    CompletableFuture<Match> match =
        CompletableFuture.supplyAsync(
            () -> console.expect(Pattern.compile("begin\\n.*\\nend"), LONG));
    for (String piece : new String[] {"be", "gin\r", "\nmid", "dle\r\ne", "nd\r\n"}) {
      guest.says(piece);
    }
    assertThat(match.get().text()).isEqualTo("begin\nmiddle\nend");
  }

  @Test
  void saysInATimeoutWhatWasAwaitedAndWhatCameInstead() throws IOException {
    guest.says("Starting kernel ...\r\nno such device\r\n");
    console.expect("Starting");
    console.expect("device");
    assertThatExceptionOfType(ConsoleTimeoutException.class)
        .isThrownBy(() -> console.expect("BusyBox", SHORT))
        .withMessageContainingAll(
            "router", "\"BusyBox\"", "20 ms", "Starting kernel ...\n    no such device")
        .withMessageContaining(directory.resolve("console.log").toString());
  }

  @Test
  void endsAWaitWhenTheGuestHangsUp() throws Exception {
    CompletableFuture<Match> match =
        CompletableFuture.supplyAsync(() -> console.expect("never", LONG));
    guest.says("last words");
    console.expect("last words");
    guest.hangsUp();
    assertThatExceptionOfType(ExecutionException.class)
        .isThrownBy(match::get)
        .withCauseInstanceOf(ConsoleClosedException.class)
        .withMessageContaining("last words");
  }

  @Test
  void findsWhatWasSaidBeforeTheGuestHungUp() throws IOException {
    guest.says("reboot: Power down\r\n");
    guest.hangsUp();
    console.expect("Power down", LONG);
    assertThatExceptionOfType(ConsoleClosedException.class)
        .isThrownBy(() -> console.expect("more", LONG));
  }

  @Test
  void endsAWaitWhenItIsClosed() {
    FutureTask<Match> match = new FutureTask<>(() -> console.expect("never", LONG));
    Thread waiter = new Thread(match);
    waiter.start();
    console.close();
    assertThatExceptionOfType(ExecutionException.class)
        .isThrownBy(match::get)
        .withCauseInstanceOf(ConsoleClosedException.class);
  }

  @Test
  void honoursAnInterruptAndStaysUsable() throws Exception {
    FutureTask<Match> match = new FutureTask<>(() -> console.expect("never", LONG));
    Thread waiter = new Thread(match);
    waiter.start();
    waiter.interrupt();
    assertThatExceptionOfType(ExecutionException.class)
        .isThrownBy(match::get)
        .withCauseInstanceOf(WaitInterruptedException.class);
    guest.says("still here");
    console.expect("still here", LONG);
  }

  @Test
  void sendsFromAnInterruptedThreadWithoutLosingTheChannel() throws IOException {
    Thread.currentThread().interrupt();
    console.sendLine("reboot");
    assertThat(Thread.interrupted()).isTrue();
    assertThat(guest.hears("\n")).isEqualTo("reboot\n");
    guest.says("rebooting");
    console.expect("rebooting", LONG);
  }

  @Test
  void dropsTerminalControlFromTheTextAndKeepsItInTheLog() throws IOException {
    String said = "\u001b[1;32mgreen\u001b[0m\u001b]0;title\u0007 \u001b(Bplain\u001b[6n# \r\n";
    guest.says(said);
    console.expect("green plain# \n", LONG);
    guest.hangsUp();
    assertThatExceptionOfType(ConsoleClosedException.class)
        .isThrownBy(() -> console.expect("more", LONG));
    assertThat(Files.readString(directory.resolve("console.log"))).isEqualTo(said);
  }

  @Test
  void writesAReadableLogWithTimesAsItGrows() throws IOException {
    Path log = directory.resolve("console.txt");
    Files.writeString(log, "what was there\n");
    try (Peer board = Peer.connect(directory, "board", builder -> builder.timedFile(log))) {
      board.says("\u001b[1mU-Boot\u001b[0m 2023.01\r\n\r\ngr\u00fc\u00df dich\r\nlogin: ");
      board.console().expect("login: ");
      assertThat(board.console().transcript().timedFile()).contains(log);
      String time = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z +\\d+\\.\\d{3}  ";
      assertThat(log)
          .content()
          .matches(
              "what was there\n"
                  + time.replace("+\\d+", "+0")
                  + "U-Boot 2023.01\n"
                  + time
                  + "\n"
                  + time
                  + "gr\u00fc\u00df dich\n"
                  + time
                  + "login: ");
      board.says("root\r\nlast words");
      board.hangsUp();
      assertThatExceptionOfType(ConsoleClosedException.class)
          .isThrownBy(() -> board.console().expect("more", LONG));
      assertThat(log).content().contains("  login: root\n").endsWith("  last words\n");
      List<Transcript.Line> lines = board.console().transcript().timedLines();
      for (int i = 0; i < lines.size(); i++) {
        assertThat(Files.readAllLines(log).get(i + 1))
            .startsWith(lines.get(i).toString().substring(0, 24))
            .endsWith(lines.get(i).text());
      }
    }
  }

  @Test
  void losesNoMoreThanALineToADamagedCharacterThatBeginsAControlString() throws IOException {
    guest.says("=> echo $\u001b_n}\r\nnot lost\r\n");
    assertThat(console.expect("not lost\n", LONG).before()).isEqualTo("=> echo $\n");
  }

  @Test
  void decodesUtf8AcrossPiecesAndSurvivesJunk() throws IOException {
    byte[] euro = "€".getBytes(StandardCharsets.UTF_8);
    guest.says(new byte[] {(byte) 0xff, 0, 'a', euro[0]});
    console.expect("a");
    guest.says(new byte[] {euro[1], euro[2], 'b', euro[0], 'c', '\r', '\r', '\n', 'd'});
    assertThat(console.expect("d", LONG).before()).isEqualTo("€b\ufffdc\n");
    assertThat(console.transcript().lines()).containsExactly("\ufffda€b\ufffdc", "d");
  }

  @Test
  void keepsEverythingWhenNobodyReads() throws IOException {
    String line = "0123456789012345678901234567890123456789012345678901234567890123456789\n";
    int lines = 150_000;
    byte[] block = line.repeat(1000).getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < lines / 1000; i++) {
      guest.says(block);
    }
    guest.says("the end");
    assertThat(console.expect("the end", LONG).before()).hasSize(lines * line.length());
  }

  @Test
  void refusesAnOptionThatIsSetTwice() {
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(
            () -> Console.over(java.nio.channels.FileChannel.open(directory)).name("a").name("b"))
        .withMessageContaining("name");
  }
}
