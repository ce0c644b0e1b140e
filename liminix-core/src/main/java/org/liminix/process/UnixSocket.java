package org.liminix.process;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A connected stream socket that one thread reads while others write, all of them blocking.
 *
 * <p>Built on the JDK's own unix-domain channels (JEP 380), which unlike jnr-unixsocket 0.39 wake a
 * blocked reader when they are closed, tell a timeout from the end of the stream, and refuse a
 * write after close. Their one trap is avoided here: an interrupt closes a channel that blocks, so
 * this one never does; it waits in a selector, and an interrupted writer leaves the socket as it
 * was.
 *
 * <pre>{@code
 * try (UnixSocket monitor = UnixSocket.connect(directory.resolve("monitor"))) {
 *   monitor.write(ByteBuffer.wrap("info status\n".getBytes(US_ASCII)));
 * }
 * }</pre>
 *
 * <p>Thread-safe: one reader at a time, any number of writers. Whoever made it closes it, which
 * wakes all of them.
 */
public final class UnixSocket implements ByteChannel {
  private final SocketChannel channel;
  private final Selector readable;
  private final Selector writable;
  private final ReentrantLock writing = new ReentrantLock();

  private UnixSocket(SocketChannel channel) throws IOException {
    this.channel = channel;
    channel.configureBlocking(false);
    this.readable = Selector.open();
    try {
      this.writable = Selector.open();
    } catch (IOException e) { // no descriptor is left
      readable.close();
      throw e;
    }
    channel.register(readable, SelectionKey.OP_READ);
    channel.register(writable, SelectionKey.OP_WRITE);
  }

  /**
   * Connects to a socket somebody listens on.
   *
   * @throws IOException if nobody does
   */
  public static UnixSocket connect(Path path) throws IOException {
    return of(SocketChannel.open(UnixDomainSocketAddress.of(path)));
  }

  /** Takes over a connected channel, of any family. */
  public static UnixSocket of(SocketChannel channel) throws IOException {
    try {
      return new UnixSocket(channel);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  /**
   * Listens on a path that does not exist yet.
   *
   * @throws IOException if it does, or is too long for a socket
   */
  public static Listener listen(Path path) throws IOException {
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      Selector acceptable = Selector.open();
      try {
        server.bind(UnixDomainSocketAddress.of(path));
        server.configureBlocking(false);
        server.register(acceptable, SelectionKey.OP_ACCEPT);
        return new Listener(server, acceptable, path);
      } catch (IOException e) {
        acceptable.close();
        throw e;
      }
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  /**
   * Reads what there is, waiting for the first byte.
   *
   * @return the number of bytes, or -1 at the end of the stream
   * @throws ClosedChannelException if the socket is closed, also while this waits
   */
  @Override
  public int read(ByteBuffer buffer) throws IOException {
    while (true) {
      int count = channel.read(buffer);
      if (count != 0 || !buffer.hasRemaining()) {
        return count;
      }
      await(readable, 0);
    }
  }

  /**
   * Writes all of the buffer.
   *
   * @throws ClosedChannelException if the socket is closed, also while this waits
   * @throws WaitInterruptedException if the thread is interrupted while the peer takes nothing
   */
  @Override
  public int write(ByteBuffer buffer) throws IOException {
    return write(buffer, Deadline.after(ChronoUnit.FOREVER.getDuration()));
  }

  /**
   * Writes all of the buffer, if the peer takes it in time.
   *
   * @throws ClosedChannelException if the socket is closed, also while this waits
   * @throws WaitTimeoutException if it does not; what the buffer still holds has not been written
   * @throws WaitInterruptedException if the thread is interrupted while the peer takes nothing
   */
  public int write(ByteBuffer buffer, Deadline deadline) throws IOException {
    int count = buffer.remaining();
    try {
      // An interrupted thread may still write: only a wait is given up.
      if (!writing.tryLock() && !writing.tryLock(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
        throw notWritten(deadline);
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("another thread's write to a socket", e);
    }
    try {
      while (buffer.hasRemaining()) {
        if (channel.write(buffer) == 0) {
          if (deadline.hasPassed()) {
            throw notWritten(deadline);
          }
          await(writable, millis(deadline));
        }
      }
      return count;
    } finally {
      writing.unlock();
    }
  }

  private static WaitTimeoutException notWritten(Deadline deadline) {
    return new WaitTimeoutException(
        "The peer of a socket has not taken what was written within "
            + Deadline.readable(deadline.timeout()));
  }

  /** The time left for a selector, never the 0 that means forever. */
  private static long millis(Deadline deadline) {
    return TimeUnit.NANOSECONDS.toMillis(deadline.remainingNanos()) + 1;
  }

  /** Waits until the selector's channel is ready, 0 ms meaning forever. */
  private static void await(Selector selector, long millis) throws IOException {
    try {
      selector.select(key -> {}, millis);
    } catch (ClosedSelectorException e) {
      throw new ClosedChannelException();
    }
    if (Thread.interrupted()) {
      throw new WaitInterruptedException("a socket", new InterruptedException());
    }
  }

  @Override
  public boolean isOpen() {
    return channel.isOpen();
  }

  /** Closes the socket and wakes whoever waits on it. Idempotent. */
  @Override
  public void close() throws IOException {
    try (channel;
        readable;
        writable) {
      // Closing a selector wakes its waiter, too.
    }
  }

  @Override
  public String toString() {
    return channel.toString();
  }

  /** A socket others connect to. Closing it wakes {@link #accept} and removes the path. */
  public static final class Listener implements AutoCloseable {
    private final ServerSocketChannel server;
    private final Selector acceptable;
    private final Path path;

    private Listener(ServerSocketChannel server, Selector acceptable, Path path) {
      this.server = server;
      this.acceptable = acceptable;
      this.path = path;
    }

    /** The path it listens on. */
    public Path path() {
      return path;
    }

    /**
     * Waits until somebody connects.
     *
     * @throws ClosedChannelException if the listener is closed, also while this waits
     * @throws WaitTimeoutException if nobody connects in time
     * @throws WaitInterruptedException if the thread is interrupted; the listener goes on
     */
    public UnixSocket accept(Deadline deadline) throws IOException {
      while (true) {
        SocketChannel channel = server.accept();
        if (channel != null) {
          return of(channel);
        }
        if (deadline.hasPassed()) {
          throw new WaitTimeoutException(
              "Nobody has connected to "
                  + path
                  + " within "
                  + Deadline.readable(deadline.timeout()));
        }
        UnixSocket.await(acceptable, millis(deadline));
      }
    }

    /** Idempotent; all is released when it returns, even if another thread closes it, too. */
    @Override
    public synchronized void close() throws IOException {
      if (server.isOpen()) {
        server.close();
        acceptable.close();
        Files.deleteIfExists(path);
      }
    }
  }
}
