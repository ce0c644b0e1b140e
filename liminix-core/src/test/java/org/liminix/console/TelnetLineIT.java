package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.console.SerialSettings.FlowControl;
import org.liminix.console.SerialSettings.Parity;
import org.liminix.console.SerialSettings.StopBits;
import org.liminix.process.UnixSocket;

/** Against ser2net over a pseudo-terminal. */
@Timeout(120)
class TelnetLineIT {
  private static final String SHELL = "exec:/bin/sh,pty,setsid,ctty,stderr";
  private static final String RFC2217 = "telnet(rfc2217)";

  private final List<UnixSocket> board = new ArrayList<>();

  @Test
  void setsTheSerialPort() throws Exception {
    try (SerialBench bench = SerialBench.with(SHELL);
        TelnetLine line = to(bench.serve(RFC2217)).baudRate(57600).connect()) {
      assertThat(bench.stty()).contains("speed 57600 baud");
      assertThat(line.settings()).isEqualTo(SerialSettings.of(57600));

      line.baudRate(115200);
      assertThat(bench.stty()).contains("speed 115200 baud");

      SerialSettings other =
          new SerialSettings(9600, 8, Parity.NONE, StopBits.TWO, FlowControl.RTS_CTS);
      line.apply(other);
      assertThat(bench.stty()).contains("speed 9600 baud", " cstopb", " crtscts");
      assertThat(line.settings()).isEqualTo(other);
      line.apply(other.withFlowControl(FlowControl.XON_XOFF));
      assertThat(bench.stty()).contains(" ixon", "-crtscts");
    }
  }

  @Test
  void carriesAShell() throws Exception {
    try (SerialBench bench = SerialBench.with(SHELL);
        TelnetLine line = to(bench.serve(RFC2217)).baudRate(115200).connect();
        Console console = Console.over(line).timeout(Duration.ofSeconds(30)).open()) {
      Shell shell = Shell.on(console).open();
      assertThat(shell.run("echo $((6 * 7))").output()).isEqualTo("42");
      line.baudRate(9600);
      assertThat(shell.run("tty").orThrow().output()).startsWith("/dev/");
    }
  }

  @Test
  void carriesAllBytesBothWays() throws Exception {
    byte[] noise = noise();
    try (SerialBench bench = SerialBench.withSocket(board);
        TelnetLine line = to(bench.serve(RFC2217)).baudRate(115200).connect()) {
      assertCarries(line, board.get(0), noise);
    }
  }

  @Test
  void carriesAllBytesWhereTheServerKnowsTelnetOnly() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board);
        TelnetLine line = to(bench.serve("telnet")).connect()) {
      line.write(ByteBuffer.wrap(new byte[] {'x'})); // behind it the server has spoken
      assertThat(received(board.get(0), 1)).containsExactly('x');
      board.get(0).write(ByteBuffer.wrap(new byte[] {'y'}));
      assertThat(received(line, 1)).containsExactly('y');
      assertCarries(line, board.get(0), noise());
    }
  }

  @Test
  void changesNothingWhereTheServerIsRaw() throws Exception {
    byte[] noise = noise();
    try (SerialBench bench = SerialBench.withSocket(board);
        TelnetLine line = to(bench.serve("")).connect()) {
      CompletableFuture<byte[]> heard =
          CompletableFuture.supplyAsync(() -> received(board.get(0), noise.length));
      line.write(ByteBuffer.wrap(noise));
      assertThat(heard.get(100, TimeUnit.SECONDS)).isEqualTo(noise);
    }
  }

  @Test
  void saysThatTheServerLetsNoPortBeControlledAndGoesOn() throws Exception {
    try (SerialBench bench = SerialBench.with(SHELL);
        TelnetLine line = to(bench.serve("telnet")).connect();
        Console console = Console.over(line).timeout(Duration.ofSeconds(30)).open()) {
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> line.baudRate(115200))
          .withMessageContaining("does not let its port be controlled")
          .withMessageContaining("telnet(rfc2217)");
      assertThat(Shell.on(console).open().run("echo $((6 * 7))").output()).isEqualTo("42");
    }
  }

  private static void assertCarries(ByteChannel near, ByteChannel far, byte[] bytes)
      throws Exception {
    CompletableFuture<byte[]> there =
        CompletableFuture.supplyAsync(() -> received(far, bytes.length));
    CompletableFuture<byte[]> back =
        CompletableFuture.supplyAsync(() -> received(near, bytes.length));
    CompletableFuture<Integer> sent = CompletableFuture.supplyAsync(() -> send(far, bytes));
    assertThat(send(near, bytes)).isEqualTo(bytes.length);
    assertThat(sent.get(100, TimeUnit.SECONDS)).isEqualTo(bytes.length);
    assertThat(there.get(100, TimeUnit.SECONDS)).isEqualTo(bytes);
    assertThat(back.get(100, TimeUnit.SECONDS)).isEqualTo(bytes);
  }

  private static int send(ByteChannel to, byte[] bytes) {
    try {
      return to.write(ByteBuffer.wrap(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] received(ByteChannel from, int count) {
    ByteBuffer buffer = ByteBuffer.allocate(count);
    try {
      while (buffer.hasRemaining() && from.read(buffer) >= 0) {}
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return buffer.array();
  }

  /** A MiB of every byte after every other, CR LF, CR NUL, IAC SE and runs of IAC among them. */
  private static byte[] noise() {
    byte[] noise = new byte[1 << 20];
    new Random(2217).nextBytes(noise);
    for (int i = 0; i < 65536; i++) {
      noise[2 * i] = (byte) (i >> 8);
      noise[2 * i + 1] = (byte) i;
    }
    return noise;
  }

  private static TelnetLine.Builder to(int port) {
    return TelnetLine.to("127.0.0.1", port).timeout(Duration.ofSeconds(30));
  }
}
