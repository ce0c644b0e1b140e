package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;

/**
 * A TCP connection that carries a console's bytes as they are: a raw port of a terminal server,
 * {@code socat}, QEMU's {@code -serial tcp:}. {@link TelnetLine} is for those that speak Telnet.
 *
 * <pre>{@code
 * Console board = Console.over(TcpLine.to("10.0.0.5", 7001).connect()).name("board").open();
 * }</pre>
 *
 * <p>Keep-alive is on: a server that vanished ends the line after a minute and a half. Thread-safe:
 * one reader at a time, any number of writers; closing it wakes all of them. The console that reads
 * it closes it.
 */
public final class TcpLine implements ByteChannel {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  private final UnixSocket socket;
  private final String address;

  private TcpLine(UnixSocket socket, String address) {
    this.socket = socket;
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

  /**
   * Reads what there is, waiting for the first byte.
   *
   * @throws ClosedChannelException if the line is closed, also while this waits
   */
  @Override
  public int read(ByteBuffer buffer) throws IOException {
    return socket.read(buffer);
  }

  /**
   * Writes all of the buffer.
   *
   * @throws ClosedChannelException if the line is closed, also while this waits
   * @throws WaitInterruptedException if the thread is interrupted while the peer takes nothing
   */
  @Override
  public int write(ByteBuffer buffer) throws IOException {
    return socket.write(buffer);
  }

  @Override
  public boolean isOpen() {
    return socket.isOpen();
  }

  /** Disconnects. Idempotent. */
  @Override
  public void close() throws IOException {
    socket.close();
  }

  @Override
  public String toString() {
    return "TCP line to " + address;
  }

  /** Says where to connect. Each option once; not thread-safe. */
  public static final class Builder {
    private final String host;
    private final int port;
    private @Nullable Duration timeout;

    private Builder(String host, int port) {
      TcpDial.requireAddress(host, port);
      this.host = host;
      this.port = port;
    }

    /** How long to try; 10 s unless set. */
    public Builder timeout(Duration timeout) {
      this.timeout = Options.once("timeout", this.timeout, Options.positive("timeout", timeout));
      return this;
    }

    /**
     * Connects, trying each address of the host.
     *
     * @throws ConsoleException if the host is unknown or refuses
     * @throws ConsoleTimeoutException if there is no answer in time
     * @throws WaitInterruptedException if the thread is interrupted meanwhile
     */
    public TcpLine connect() {
      Deadline deadline = Deadline.after(timeout == null ? DEFAULT_TIMEOUT : timeout);
      TcpDial dial = new TcpDial(host, port, deadline);
      return new TcpLine(dial.connect(), dial.toString());
    }
  }
}
