package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.console.SerialSettings.FlowControl;
import org.liminix.console.SerialSettings.Parity;
import org.liminix.console.SerialSettings.StopBits;
import org.liminix.process.UnixSocket;
import org.liminix.test.SerialBench;

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
  void controlsTheSerialPort() throws Exception {
    try (SerialBench bench = SerialBench.with(SHELL);
        TelnetLine line = to(bench.serve(RFC2217)).dataBits(7).parity(Parity.EVEN).connect();
        Console console = Console.over(line).timeout(Duration.ofSeconds(30)).open()) {
      assertThat(line.settings())
          .isEqualTo(SerialSettings.of(9600).withDataBits(7).withParity(Parity.EVEN));
      line.sendBreak(Duration.ofMillis(10));
      line.purge();
      assertThat(line.signature()).isEqualTo("ser2net");
      assertThat(line.modemState()).isEqualTo(ModemState.of(0)); // a pseudo-terminal has no wires
      assertThat(Shell.on(console).withoutPrompt().open().run("echo $((6 * 7))").output())
          .isEqualTo("42");
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
    byte[] noise = Bytes.noise();
    try (SerialBench bench = SerialBench.withSocket(board);
        TelnetLine line = to(bench.serve(RFC2217)).baudRate(115200).connect()) {
      Bytes.assertCarries(line, board.get(0), noise);
    }
  }

  @Test
  void carriesAllBytesWhereTheServerKnowsTelnetOnly() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board);
        TelnetLine line = to(bench.serve("telnet")).connect()) {
      line.write(ByteBuffer.wrap(new byte[] {'x'})); // behind it the server has spoken
      assertThat(Bytes.received(board.get(0), 1)).containsExactly('x');
      board.get(0).write(ByteBuffer.wrap(new byte[] {'y'}));
      assertThat(Bytes.received(line, 1)).containsExactly('y');
      Bytes.assertCarries(line, board.get(0), Bytes.noise());
    }
  }

  @Test
  void changesNothingWhereTheServerIsRaw() throws Exception {
    byte[] noise = Bytes.noise();
    try (SerialBench bench = SerialBench.withSocket(board);
        TelnetLine line = to(bench.serve("")).connect()) {
      CompletableFuture<byte[]> heard =
          CompletableFuture.supplyAsync(() -> Bytes.received(board.get(0), noise.length));
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

  private static TelnetLine.Builder to(int port) {
    return TelnetLine.to("127.0.0.1", port).timeout(Duration.ofSeconds(30));
  }
}
