package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Set;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;

/**
 * A port of a terminal server that speaks Telnet (RFC 854), and controls its serial port from here
 * if it knows RFC 2217, as {@code ser2net} and most hardware does.
 *
 * <pre>{@code
 * TelnetLine line = TelnetLine.to("10.0.0.5", 2001).baudRate(115200).connect();
 * try (Console board = Console.over(line).name("board").open()) {
 *   board.expect("login:");
 *   line.sendBreak(Duration.ofMillis(250));
 * }
 * }</pre>
 *
 * <p>Without settings it only answers: it lets the server echo, suppress go-ahead and send binary
 * (RFC 857, 858 and 856), and changes nothing in what it carries while the server does not speak
 * Telnet. The first use of what {@link SerialLine} can do offers RFC 2217; where the server refuses
 * that, a {@link ConsoleException} says so, the line goes on, and {@link #sendBreak} sends Telnet's
 * own BREAK. Binary data pass whole if the server agrees to RFC 856 or keeps to RFC 854.
 *
 * <p>Keep-alive is on. Thread-safe, as {@link SerialLine} has it; closing it wakes all who wait.
 */
public final class TelnetLine implements SerialLine {
  private final ComPortControl control;
  private final TelnetConnection connection;
  private final String address;

  private TelnetLine(ComPortControl control, String address) {
    this.control = control;
    this.connection = control.connection();
    this.address = address;
  }

  /**
   * A builder for a connection to a host, by name or address, and port.
   *
   * @throws IllegalArgumentException if the host is blank or the port not between 1 and 65535
   */
  public static Builder to(String host, int port) {
    return new Builder(host, port);
  }

  @Override
  public int read(ByteBuffer buffer) throws IOException {
    return connection.read(buffer);
  }

  @Override
  public int write(ByteBuffer buffer) throws IOException {
    return connection.write(buffer);
  }

  @Override
  public SerialSettings settings() {
    return control.settings();
  }

  @Override
  public void apply(SerialSettings settings) {
    control.baudRate(settings.baudRate());
    control.dataBits(settings.dataBits());
    control.parity(settings.parity());
    control.stopBits(settings.stopBits());
    control.flowControl(settings.flowControl());
  }

  @Override
  public void baudRate(int baudRate) {
    control.baudRate(SerialSettings.requireBaudRate(baudRate));
  }

  /** Holds the line in break; without RFC 2217 for as long as the server likes. */
  @Override
  public void sendBreak(Duration duration) {
    control.sendBreak(Options.positive("break", duration));
  }

  @Override
  public void dtr(boolean on) {
    control.dtr(on);
  }

  @Override
  public void rts(boolean on) {
    control.rts(on);
  }

  /** As the server has last notified; before it has, none is set. */
  @Override
  public ModemState modemState() {
    return control.modemState();
  }

  @Override
  public void purge() {
    control.purge();
  }

  /** What the server's serial port has noticed since this line was first controlled. */
  public Set<LineError> errors() {
    return control.errors();
  }

  /** What the server calls itself. */
  public String signature() {
    return control.signature();
  }

  @Override
  public boolean isOpen() {
    return connection.isOpen();
  }

  /** Disconnects. Idempotent. */
  @Override
  public void close() throws IOException {
    connection.close();
  }

  @Override
  public String toString() {
    return "Telnet line to " + address;
  }

  /**
   * Says where to connect, and how the serial port there is to be set; what is not said stays as it
   * is there. Each option once; not thread-safe.
   */
  public static final class Builder extends SerialLineBuilder<Builder> {
    private final String host;
    private final int port;

    private Builder(String host, int port) {
      TcpDial.requireAddress(host, port);
      this.host = host;
      this.port = port;
    }

    @Override
    Builder self() {
      return this;
    }

    /**
     * Connects, and sets the serial port if there is something to set.
     *
     * @throws ConsoleException if the host is unknown or refuses, or the server does not set the
     *     port as it should; the message says what it chose instead
     * @throws ConsoleTimeoutException if there is no answer in time
     * @throws WaitInterruptedException if the thread is interrupted meanwhile
     */
    public TelnetLine connect() {
      TcpDial dial = new TcpDial(host, port, Deadline.after(timeoutOrDefault()));
      ComPortControl control =
          new ComPortControl(dial.connect(), dial.toString(), timeoutOrDefault());
      TelnetLine line = new TelnetLine(control, dial.toString());
      line.connection.start();
      try {
        configure(control);
        return line;
      } catch (RuntimeException e) {
        try {
          line.close();
        } catch (IOException unclosed) {
          e.addSuppressed(unclosed);
        }
        throw e;
      }
    }

    private void configure(ComPortControl control) {
      if (dtr != null) {
        control.dtr(dtr);
      }
      if (rts != null) {
        control.rts(rts);
      }
      if (baudRate != null) {
        control.baudRate(baudRate);
      }
      if (dataBits != null) {
        control.dataBits(dataBits);
      }
      if (parity != null) {
        control.parity(parity);
      }
      if (stopBits != null) {
        control.stopBits(stopBits);
      }
      if (flowControl != null) {
        control.flowControl(flowControl);
      }
    }
  }
}
