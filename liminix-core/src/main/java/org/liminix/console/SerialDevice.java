package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.liminix.process.WaitInterruptedException;

/**
 * A serial device of this machine, such as an adapter on USB.
 *
 * <pre>{@code
 * SerialDevice device = SerialDevice.at("/dev/ttyUSB0").baudRate(115200).open();
 * try (Console board = Console.over(device).name("board").open()) {
 *   board.expect("login:");
 *   device.sendBreak(Duration.ofMillis(250));
 * }
 * }</pre>
 *
 * <p>It needs jSerialComm, {@code com.fazecast:jSerialComm:2.11.4}, which is an optional dependency
 * of this library. Eight data bits, no parity, one stop bit and no flow control unless set. While
 * it is open it is locked, see flock(2), which keeps those out that ask.
 *
 * <p>Thread-safe, as {@link SerialLine} has it; closing it wakes all who wait.
 */
public final class SerialDevice implements SerialLine {
  private final JSerialPort port;
  private final Duration timeout;

  private SerialDevice(JSerialPort port, Duration timeout) {
    this.port = port;
    this.timeout = timeout;
  }

  /** A builder for a device, {@code /dev/ttyUSB0}, or a link to it below /dev/serial/by-id. */
  public static Builder at(String path) {
    return new Builder(path);
  }

  /**
   * Reads what there is, waiting for the first byte.
   *
   * @return the number of bytes, or -1 if the device has gone
   * @throws ClosedChannelException if the line is closed, also while this waits
   */
  @Override
  public int read(ByteBuffer buffer) throws IOException {
    return port.read(buffer);
  }

  /**
   * Takes all of the buffer, waiting while the device takes nothing and 64 KiB wait for it.
   *
   * @throws ClosedChannelException if the line is closed, also while this waits
   * @throws WaitInterruptedException if the thread is interrupted while it waits
   */
  @Override
  public int write(ByteBuffer buffer) throws IOException {
    return port.write(buffer);
  }

  @Override
  public SerialSettings settings() {
    return port.settings();
  }

  @Override
  public void apply(SerialSettings settings) {
    port.apply(settings, timeout);
  }

  @Override
  public void baudRate(int baudRate) {
    apply(settings().withBaudRate(baudRate));
  }

  @Override
  public void sendBreak(Duration duration) {
    port.sendBreak(Options.positive("break", duration), timeout);
  }

  @Override
  public void dtr(boolean on) {
    port.dtr(on, timeout);
  }

  @Override
  public void rts(boolean on) {
    port.rts(on, timeout);
  }

  @Override
  public ModemState modemState() {
    return port.modemState();
  }

  @Override
  public void purge() {
    port.purge();
  }

  @Override
  public boolean isOpen() {
    return port.isOpen();
  }

  /**
   * Closes the device, when what was written before has been sent, which may take a second. What
   * its other end does not take by then is discarded. Idempotent.
   */
  @Override
  public void close() {
    port.close();
  }

  @Override
  public String toString() {
    return "Serial device " + port;
  }

  /** Says how the line is set. Each option once; not thread-safe. */
  public static final class Builder extends SerialLineBuilder<Builder> {
    private final String path;

    private Builder(String path) {
      if (path.isBlank()) {
        throw new IllegalArgumentException("Name the device, /dev/ttyUSB0 for example");
      }
      this.path = path;
    }

    @Override
    Builder self() {
      return this;
    }

    /**
     * Opens the device.
     *
     * @throws IllegalStateException if no baud rate is set
     * @throws ConsoleException if there is no such device, somebody else uses it, this user may
     *     not, or jSerialComm is missing; the message says what to do
     */
    public SerialDevice open() {
      SerialSettings settings = SerialSettings.of(requireBaudRate());
      requireLibrary();
      JSerialPort port =
          JSerialPort.open(path, over(settings), orDefault(dtr, true), orDefault(rts, true));
      return new SerialDevice(port, timeoutOrDefault());
    }

    private int requireBaudRate() {
      if (baudRate == null) {
        throw new IllegalStateException("Set the baud rate of " + path + ", 115200 for example");
      }
      return baudRate;
    }

    private static boolean orDefault(@Nullable Boolean option, boolean unset) {
      return option == null ? unset : option;
    }

    private static void requireLibrary() {
      try {
        Class.forName(
            "com.fazecast.jSerialComm.SerialPort", false, SerialDevice.class.getClassLoader());
      } catch (ClassNotFoundException e) {
        throw new ConsoleException(
            "Serial devices need jSerialComm: add the dependency com.fazecast:jSerialComm:2.11.4,"
                + " and among modules \"requires com.fazecast.jSerialComm\"",
            e);
      }
    }
  }
}
