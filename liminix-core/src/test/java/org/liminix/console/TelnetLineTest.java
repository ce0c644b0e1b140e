package org.liminix.console;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;

/** Against servers that break the rules; what keeps them is in {@link TelnetLineIT}. */
@Timeout(60)
class TelnetLineTest {
  private static final String IAC = "\u00ff";
  private static final String DONT = IAC + "\u00fe";
  private static final String DO = IAC + "\u00fd";
  private static final String WONT = IAC + "\u00fc";
  private static final String WILL = IAC + "\u00fb";
  private static final String SB_COM_PORT = IAC + "\u00fa,";
  private static final String SE = IAC + "\u00f0";
  private static final String COM_PORT = ",";

  /** A server of the test's own. */
  private static final class Server implements AutoCloseable {
    private final ServerSocketChannel listener;
    private final CompletableFuture<UnixSocket> client;

    Server() throws IOException {
      listener =
          ServerSocketChannel.open()
              .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      client =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return UnixSocket.of(listener.accept());
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
    }

    TelnetLine.Builder line() {
      return TelnetLine.to("127.0.0.1", listener.socket().getLocalPort());
    }

    UnixSocket client() throws Exception {
      return client.get(30, TimeUnit.SECONDS);
    }

    void says(String text) throws Exception {
      client().write(ByteBuffer.wrap(text.getBytes(ISO_8859_1)));
    }

    /** What it hears up to and including that text, or the end. */
    String hears(String until) throws Exception {
      StringBuilder heard = new StringBuilder();
      ByteBuffer one = ByteBuffer.allocate(1);
      while (heard.indexOf(until) < 0 && client().read(one.clear()) > 0) {
        heard.append((char) (one.get(0) & 0xff));
      }
      return heard.toString();
    }

    /** Hears the offer to control the port, and agrees. */
    void agrees() throws Exception {
      hears(WILL + COM_PORT);
      says(DO + COM_PORT);
    }

    @Override
    public void close() throws Exception {
      client().close(); // which waits for it to be accepted
      listener.close();
    }
  }

  private static void send(TelnetLine line, String text) throws IOException {
    line.write(ByteBuffer.wrap(text.getBytes(ISO_8859_1)));
  }

  private static String read(TelnetLine line, int count) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(count);
    while (buffer.hasRemaining() && line.read(buffer) >= 0) {}
    return new String(buffer.array(), ISO_8859_1);
  }

  @Test
  void agreesOnceToWhatItKnowsAndRefusesTheRest() throws Exception {
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      server.says(WILL + "\u0001" + WILL + "\u0001" + DO + "\u0018" + WILL + "\u0005ready");
      assertThat(read(line, 5)).isEqualTo("ready");
      send(line, "x");
      assertThat(server.hears("x")).isEqualTo(DO + "\u0001" + WONT + "\u0018" + DONT + "\u0005x");
    }
  }

  @Test
  void endsALoopOfAnswers() throws Exception {
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      for (int i = 0; i < 5000; i++) {
        server.says(WILL + "\u0001" + WONT + "\u0001" + DO + "c");
      }
      server.says("ready");
      assertThat(read(line, 5)).isEqualTo("ready");
      send(line, "x");
      assertThat(server.hears("x")).hasSizeLessThan(1000);
    }
  }

  @Test
  void survivesAJunkOfSubnegotiations() throws Exception {
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      for (int command = 0; command < 256; command++) {
        server.says(SB_COM_PORT + (command == 255 ? IAC + IAC : "" + (char) command) + SE);
        server.says(SB_COM_PORT + "eabcdefg" + SE);
      }
      server.says(SB_COM_PORT + SE + IAC + "\u00fa" + "\u0018" + "x".repeat(4000) + SE);
      server.says(SB_COM_PORT + "m" + SE + "ready");
      assertThat(read(line, 5)).isEqualTo("ready");
    }
  }

  @Test
  void saysThatARawPortDoesNotAnswer() throws Exception {
    try (Server server = new Server()) {
      assertThatExceptionOfType(ConsoleTimeoutException.class)
          .isThrownBy(
              () -> server.line().baudRate(115200).timeout(Duration.ofMillis(200)).connect())
          .withMessageContaining("TcpLine");
      assertThat(server.hears("no such text")).startsWith(WILL + COM_PORT); // and the end
    }
  }

  @Test
  void saysWhatTheServerChoseInstead() throws Exception {
    try (Server server = new Server()) {
      CompletableFuture<TelnetLine> line =
          CompletableFuture.supplyAsync(() -> server.line().baudRate(115200).connect());
      server.agrees();
      server.hears(SB_COM_PORT + "\u0001\0\u0001\u00c2\0" + SE);
      server.says(SB_COM_PORT + "e\0\0%\u0080" + SE);
      assertThatExceptionOfType(ExecutionException.class)
          .isThrownBy(() -> line.get(30, TimeUnit.SECONDS))
          .withMessageContaining("setting 115200 baud")
          .withMessageContaining("9600 baud");
    }
  }

  @Test
  void saysWhatAServerThatHangsUpWasAskedFor() throws Exception {
    try (Server server = new Server()) {
      CompletableFuture<TelnetLine> line =
          CompletableFuture.supplyAsync(() -> server.line().dtr(true).connect());
      server.agrees();
      server.hears(SB_COM_PORT + "\u0005\u0008" + SE);
      server.client().close();
      assertThatExceptionOfType(ExecutionException.class)
          .isThrownBy(() -> line.get(30, TimeUnit.SECONDS))
          .withCauseInstanceOf(ConsoleClosedException.class)
          .withMessageContaining("switching DTR on");
    }
  }

  @Test
  void holdsBackDataWhileTheServerWantsNone() throws Exception {
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      server.says(SB_COM_PORT + "l" + SE + "stop");
      assertThat(read(line, 4)).isEqualTo("stop");
      Thread sender =
          new Thread(
              () -> {
                try {
                  send(line, "data");
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
              });
      sender.start();
      while (sender.getState() != Thread.State.WAITING && sender.isAlive()) {
        Thread.onSpinWait();
      }
      server.says(DO + "c");
      assertThat(server.hears(WONT + "c")).isEqualTo(WONT + "c");
      server.says(SB_COM_PORT + "m" + SE);
      assertThat(server.hears("data")).isEqualTo("data");
      sender.join();
    }
  }

  @Test
  void sendsABreakOfTelnetWhereTheServerRefusesToBeControlled() throws Exception {
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      CompletableFuture<Void> sent =
          CompletableFuture.runAsync(() -> line.sendBreak(Duration.ofMillis(1)));
      server.hears(WILL + COM_PORT);
      server.says(DONT + COM_PORT);
      assertThat(server.hears(IAC + "\u00f3")).endsWith(IAC + "\u00f3");
      sent.get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void holdsABreakAndEndsIt() throws Exception {
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      CompletableFuture<Void> sent =
          CompletableFuture.runAsync(() -> line.sendBreak(Duration.ofMillis(1)));
      server.agrees();
      for (String state : new String[] {"\u0005", "\u0006"}) {
        server.hears(SB_COM_PORT + "\u0005" + state + SE);
        server.says(SB_COM_PORT + "i" + state + SE);
      }
      sent.get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void endsABreakThatIsInterrupted() throws Exception {
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      CompletableFuture<Throwable> end = new CompletableFuture<>();
      Thread sender =
          new Thread(
              () -> {
                try {
                  line.sendBreak(Duration.ofHours(1));
                } catch (WaitInterruptedException e) {
                  end.complete(e);
                }
              });
      sender.start();
      server.agrees();
      server.hears(SB_COM_PORT + "\u0005\u0005" + SE);
      server.says(SB_COM_PORT + "i\u0005" + SE);
      sender.interrupt();
      assertThat(server.hears(SB_COM_PORT + "\u0005\u0006" + SE)).endsWith("\u0006" + SE);
      assertThat(end.get(30, TimeUnit.SECONDS)).hasMessageContaining("Interrupted");
    }
  }

  @Test
  void tellsWhatTheServerNotifies() throws Exception {
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      server.says(DO + COM_PORT + SB_COM_PORT + "k\u00b0" + SE);
      server.says(SB_COM_PORT + "j\u0008" + SE + SB_COM_PORT + "j\u0010" + SE);
      server.says(SB_COM_PORT + "dbox 1" + SE + "ready");
      assertThat(read(line, 5)).isEqualTo("ready");
      assertThat(line.modemState()).isEqualTo(new ModemState(true, true, false, true));
      assertThat(line.errors()).containsExactly(LineError.FRAMING, LineError.BREAK);
      assertThat(line.signature()).isEqualTo("box 1");
    }
  }

  @Test
  void endsWhenItIsClosedAndWhenTheServerHangsUp() throws Exception {
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      CompletableFuture<Throwable> ended = Bytes.endOf(line);
      line.close();
      assertThat(ended.get(30, TimeUnit.SECONDS)).isInstanceOf(ClosedChannelException.class);
      assertThat(line.isOpen()).isFalse();
    }
    try (Server server = new Server();
        TelnetLine line = server.line().connect()) {
      server.says("bye");
      server.client().close();
      assertThat(read(line, 3)).isEqualTo("bye");
      assertThat(line.read(ByteBuffer.allocate(1))).isEqualTo(-1);
    }
  }

  @Test
  void refusesWhatIsSaidTwiceOrMakesNoSense() {
    TelnetLine.Builder builder = TelnetLine.to("board", 2001).baudRate(9600);
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> builder.baudRate(115200))
        .withMessageContaining("9600");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> builder.dataBits(9))
        .withMessageContaining("5 to 8");
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(() -> TelnetLine.to("board", 0));
  }
}
