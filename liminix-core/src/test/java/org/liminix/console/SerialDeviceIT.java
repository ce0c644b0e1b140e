package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.console.SerialSettings.FlowControl;
import org.liminix.console.SerialSettings.Parity;
import org.liminix.console.SerialSettings.StopBits;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.UnixSocket;
import org.liminix.test.SerialBench;

/** On pseudo-terminals, which have neither wires nor a speed. */
@Timeout(120)
class SerialDeviceIT {
  private static final Duration LONG = Duration.ofSeconds(30);

  private final List<UnixSocket> board = new ArrayList<>();

  private static SerialDevice.Builder at(SerialBench bench) {
    return SerialDevice.at(bench.device().toString()).timeout(LONG);
  }

  @Test
  void carriesAShell() throws Exception {
    try (SerialBench bench = SerialBench.with("exec:/bin/sh,pty,setsid,ctty,stderr");
        SerialDevice device = at(bench).baudRate(115200).open();
        Console console = Console.over(device).timeout(LONG).open()) {
      assertThat(Shell.on(console).open().run("echo $((6 * 7))").output()).isEqualTo("42");
    }
  }

  @Test
  void setsTheLine() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board);
        SerialDevice device = at(bench).baudRate(57600).stopBits(StopBits.TWO).open()) {
      assertThat(bench.stty()).contains("speed 57600 baud", " cstopb", "-crtscts", "-parodd");
      SerialSettings other =
          new SerialSettings(9600, 8, Parity.NONE, StopBits.ONE, FlowControl.RTS_CTS);
      device.apply(other);
      assertThat(bench.stty()).contains("speed 9600 baud", "-cstopb", " crtscts");
      device.baudRate(115200);
      assertThat(bench.stty()).contains("speed 115200 baud", " crtscts");
      assertThat(device.settings()).isEqualTo(other.withBaudRate(115200));
    }
  }

  @Test
  void carriesAllBytesBothWays() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board);
        SerialDevice device = at(bench).baudRate(115200).open()) {
      Bytes.assertCarries(device, board.get(0), Bytes.noise());
    }
  }

  @Test
  void wakesItsReaderWhenItIsClosed() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board);
        SerialDevice device = at(bench).baudRate(115200).open()) {
      CompletableFuture<Throwable> end = Bytes.endOf(device);
      board.get(0).write(ByteBuffer.wrap(new byte[] {'x'})); // it reads, and reads again
      device.close();
      device.close();
      assertThat(end.get(30, TimeUnit.SECONDS)).isInstanceOf(ClosedChannelException.class);
      assertThat(device.isOpen()).isFalse();
      assertThatExceptionOfType(ConsoleClosedException.class)
          .isThrownBy(() -> device.baudRate(9600));
    }
  }

  @Test
  void closesAlsoForAnInterruptedThread() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board);
        SerialDevice device = at(bench).baudRate(115200).open()) {
      CompletableFuture<Throwable> end = Bytes.endOf(device);
      Thread.currentThread().interrupt();
      device.close();
      assertThat(Thread.interrupted()).isTrue();
      assertThat(end.get(30, TimeUnit.SECONDS)).isInstanceOf(ClosedChannelException.class);
    }
  }

  @Test
  void closesWhileTheFarEndTakesNothing() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board);
        SerialDevice device = at(bench).baudRate(115200).open()) {
      CompletableFuture<Boolean> filling = new CompletableFuture<>();
      CompletableFuture<Object> end =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  while (true) {
                    device.write(ByteBuffer.allocate(65536));
                    filling.complete(true);
                  }
                } catch (IOException e) {
                  return e;
                }
              });
      filling.get(30, TimeUnit.SECONDS);
      device.close(); // which first waits a second for what is written to be sent
      assertThat(end.get(30, TimeUnit.SECONDS)).isInstanceOf(ClosedChannelException.class);
    }
  }

  @Test
  void endsWhenTheDeviceGoes() throws Exception {
    SerialBench bench = SerialBench.withSocket(board);
    try (SerialDevice device = at(bench).baudRate(115200).open();
        Console console = Console.over(device).open()) {
      bench.close();
      assertThatExceptionOfType(ConsoleClosedException.class)
          .isThrownBy(() -> console.expect("login:", LONG));
    }
  }

  @Test
  void saysThatWiresAreMissing() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board);
        SerialDevice device = at(bench).baudRate(115200).open()) {
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> device.dtr(false))
          .withMessageContaining("does not take DTR");
      assertThat(device.modemState()).isEqualTo(new ModemState(false, false, false, false));
      device.sendBreak(Duration.ofMillis(1));
      device.purge();
    }
  }

  @Test
  void saysThatThereIsNoSuchDevice(@TempDir Path directory) throws Exception {
    assertThatExceptionOfType(ConsoleException.class)
        .isThrownBy(() -> SerialDevice.at("/dev/no-such-tty").baudRate(9600).open())
        .withMessageContaining("There is no serial device /dev/no-such-tty");
    Path file = Files.createFile(directory.resolve("file"));
    assertThatExceptionOfType(ConsoleException.class)
        .isThrownBy(() -> SerialDevice.at(file.toString()).baudRate(9600).open())
        .withMessageContaining("no serial device");
  }

  @Test
  void saysWhoUsesTheDevice() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board)) {
      SupervisedProcess holder =
          bench.run(
              "/bin/sh", "-c", "exec 3<$0; echo held; exec sleep 1000", bench.device().toString());
      while (!holder.lastOutput().contains("held")) {
        Thread.onSpinWait();
      }
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> at(bench).baudRate(9600).open())
          .withMessageContaining("in use by sleep (process ");
    }
  }

  @Test
  void namesTheLibraryThatIsMissing() throws Exception {
    URL library = SerialDevice.class.getProtectionDomain().getCodeSource().getLocation();
    // Without a parent, since the platform's loader knows the modules of this JVM, too.
    try (URLClassLoader loader = new URLClassLoader(new URL[] {library}, null)) {
      Class<?> type = loader.loadClass(SerialDevice.class.getName());
      Object builder = type.getMethod("at", String.class).invoke(null, "/dev/ttyUSB0");
      builder.getClass().getMethod("baudRate", int.class).invoke(builder, 9600);
      Method open = builder.getClass().getMethod("open");
      assertThatExceptionOfType(InvocationTargetException.class)
          .isThrownBy(() -> open.invoke(builder))
          .havingCause()
          .withMessageContaining("com.fazecast:jSerialComm:2.11.4");
    }
  }

  @Test
  void saysHowToGetPermission() {
    assertThat(new SerialDeviceFinder("/dev/ttyUSB0").notOpened(13))
        .hasMessageContaining("usermod -aG dialout");
  }

  @Test
  void refusesADeviceThatThisJvmHasOpen() throws Exception {
    try (SerialBench bench = SerialBench.withSocket(board);
        SerialDevice device = at(bench).baudRate(9600).open()) {
      assertThat(device.isOpen()).isTrue();
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> at(bench).baudRate(9600).open())
          .withMessageContaining("in use by this JVM");
    }
  }

  @Test
  void wantsABaudRate() {
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(() -> SerialDevice.at("/dev/ttyUSB0").open())
        .withMessageContaining("baud rate");
  }
}
