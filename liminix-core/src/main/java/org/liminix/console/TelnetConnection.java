package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Telnet connection (RFC 854): data in and out, negotiation on the side. A thread of its own
 * reads the socket, so that answers arrive also while nobody reads the data. Until the peer or this
 * end has used Telnet, bytes are sent as they are: the port may be a raw one. Thread-safe.
 */
final class TelnetConnection implements ByteChannel {
  static final int BINARY = 0; // RFC 856
  static final int ECHO = 1; // RFC 857
  static final int SUPPRESS_GO_AHEAD = 3; // RFC 858
  static final int COM_PORT = 44; // RFC 2217

  private static final Logger log = LoggerFactory.getLogger(TelnetConnection.class);
  private static final int UNREAD_BYTES = 1 << 18;
  private static final int SLICE_BYTES = 8192;

  /** What is sent within a subnegotiation, and back. */
  interface Subnegotiation {
    /** On the connection's own thread, holding its lock: it must not block. */
    void received(byte[] parameters);
  }

  private final UnixSocket socket;
  private final String address;
  private final Subnegotiation comPort;
  private final ByteQueue incoming = new ByteQueue(UNREAD_BYTES);
  private final Queue<ByteBuffer> commands = new ConcurrentLinkedQueue<>();
  private final ReentrantLock writing = new ReentrantLock();
  private ByteBuffer unfinished = ByteBuffer.allocate(0); // of the thread that is writing

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final TelnetOptions ours =
      TelnetOptions.ours(Set.of(BINARY, SUPPRESS_GO_AHEAD, COM_PORT), this::negotiate);
  private final TelnetOptions theirs =
      TelnetOptions.theirs(Set.of(BINARY, ECHO, SUPPRESS_GO_AHEAD, COM_PORT), this::negotiate);
  private boolean telnet;
  private boolean suspended;
  private boolean ended;

  TelnetConnection(UnixSocket socket, String address, Subnegotiation comPort) {
    this.socket = socket;
    this.address = address;
    this.comPort = comPort;
  }

  void start() {
    Thread reader = new Thread(this::pump, "liminix-telnet-" + address);
    reader.setDaemon(true);
    reader.start();
  }

  private void pump() {
    ByteBuffer input = ByteBuffer.allocate(SLICE_BYTES);
    ByteBuffer output = ByteBuffer.allocate(SLICE_BYTES);
    TelnetDecoder decoder = new TelnetDecoder(new Received());
    IOException failure = null;
    try {
      while (socket.read(input.clear()) >= 0) {
        decoder.decode(input.flip(), output.clear());
        incoming.put(output.flip());
      }
    } catch (ClosedChannelException e) {
      log.debug("The line to {} is closed", address);
    } catch (IOException e) {
      failure = e;
    } finally {
      incoming.end(failure);
      update(() -> ended = true);
    }
  }

  /** What the decoder finds, on the reader's thread. */
  private final class Received implements TelnetDecoder.Handler {
    @Override
    public void command(int command) {
      update(() -> telnet = true);
    }

    @Override
    public void negotiation(int verb, int option) {
      update(
          () -> {
            telnet = true;
            switch (verb) {
              case TelnetDecoder.DO -> ours.agreed(option);
              case TelnetDecoder.DONT -> ours.refused(option);
              case TelnetDecoder.WILL -> theirs.agreed(option);
              default -> theirs.refused(option);
            }
          });
    }

    @Override
    public void subnegotiation(int option, byte[] parameters) {
      update(
          () -> {
            telnet = true;
            if (option == COM_PORT) {
              comPort.received(parameters);
            }
          });
    }

    @Override
    public boolean receivesBinary() {
      return read(() -> theirs.state(BINARY)) == TelnetOptions.State.YES;
    }
  }

  /** Changes the state, and wakes those who wait for that. */
  void update(Runnable change) {
    lock.lock();
    try {
      change.run();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    sendCommands();
  }

  /**
   * Waits until that holds, which is looked at whenever the state changes, or the connection ends.
   *
   * @return whether it holds
   */
  boolean await(BooleanSupplier condition, String what, Deadline deadline) {
    lock.lock();
    try {
      while (!condition.getAsBoolean() && !ended) {
        if (!deadline.await(changed)) {
          break;
        }
      }
      return condition.getAsBoolean();
    } catch (InterruptedException e) {
      throw new WaitInterruptedException(what, e);
    } finally {
      lock.unlock();
    }
  }

  /** What the state is at the moment. */
  <T> T read(Supplier<T> state) {
    lock.lock();
    try {
      return state.get();
    } finally {
      lock.unlock();
    }
  }

  /** Whether the peer has closed the connection, or this end has. */
  boolean hasEnded() {
    return read(() -> ended);
  }

  /** How far the option of this end has come. */
  TelnetOptions.State offered(int option) {
    return read(() -> ours.state(option));
  }

  /** Offers to control the port, and asks for what that goes best with. */
  void offerComPort() {
    update(
        () -> {
          telnet = true;
          ours.ask(COM_PORT);
          ours.ask(BINARY);
          theirs.ask(BINARY);
          ours.ask(SUPPRESS_GO_AHEAD);
          theirs.ask(SUPPRESS_GO_AHEAD);
        });
  }

  /** Keeps data back until it is resumed (RFC 2217, FLOWCONTROL-SUSPEND). */
  void suspend(boolean wanted) {
    update(() -> suspended = wanted);
  }

  private void negotiate(int verb, int option) {
    commands.add(bytes(TelnetDecoder.IAC, verb, option));
  }

  void send(int command) {
    commands.add(bytes(TelnetDecoder.IAC, command));
    sendCommands();
  }

  void sendComPort(byte[] parameters) {
    commands.add(TelnetDecoder.subnegotiation(COM_PORT, parameters));
    sendCommands();
  }

  private static ByteBuffer bytes(int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length);
    for (int value : values) {
      bytes.put((byte) value);
    }
    return bytes.flip();
  }

  /**
   * Sends what waits, or leaves it to the thread that is sending: if that has to wait for the peer
   * to take data, neither the reader nor whoever awaits an answer waits with it.
   */
  private void sendCommands() {
    while (!commands.isEmpty() && writing.tryLock()) {
      try {
        ByteBuffer command = commands.poll();
        if (command != null) {
          finish();
          unfinished = command;
          socket.write(command);
        }
      } catch (IOException e) {
        log.debug("The line to {} takes no commands: {}", address, e.toString());
        commands.clear();
      } finally {
        writing.unlock();
      }
    }
  }

  @Override
  public int read(ByteBuffer buffer) throws IOException {
    return incoming.take(buffer);
  }

  @Override
  public int write(ByteBuffer buffer) throws IOException {
    int count = buffer.remaining();
    while (buffer.hasRemaining()) {
      int slice = Math.min(SLICE_BYTES, buffer.remaining());
      ByteBuffer data = buffer.slice(buffer.position(), slice);
      send(awaitPermission() ? encoded(data) : data);
      buffer.position(buffer.position() + slice);
    }
    return count;
  }

  /**
   * Waits while the peer wants no data.
   *
   * @return whether the peer speaks Telnet
   */
  private boolean awaitPermission() throws IOException {
    lock.lock();
    try {
      while (suspended && !ended) {
        changed.await();
      }
      if (ended) {
        throw new ClosedChannelException();
      }
      return telnet;
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the terminal server to resume the flow", e);
    } finally {
      lock.unlock();
    }
  }

  private ByteBuffer encoded(ByteBuffer data) {
    return TelnetDecoder.encode(data, offered(BINARY) == TelnetOptions.State.YES);
  }

  private void send(ByteBuffer bytes) throws IOException {
    try {
      // As on the socket: an interrupted thread may still write, only a wait is given up.
      if (!writing.tryLock()) {
        writing.lockInterruptibly();
      }
      try {
        finish();
        socket.write(bytes);
      } finally {
        if (endsWithinPair(bytes)) {
          unfinished = bytes(TelnetDecoder.IAC);
        }
        writing.unlock();
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("another thread's write to a line", e);
    } finally {
      sendCommands();
    }
  }

  /** Sends the rest of what an interrupt has cut, which would make a command of what follows. */
  private void finish() throws IOException {
    socket.write(unfinished);
  }

  private static boolean endsWithinPair(ByteBuffer bytes) {
    int from = bytes.position();
    while (bytes.hasRemaining() && from > 0 && (bytes.get(from - 1) & 0xff) == TelnetDecoder.IAC) {
      from--;
    }
    return (bytes.position() - from) % 2 != 0;
  }

  @Override
  public boolean isOpen() {
    return socket.isOpen();
  }

  @Override
  public void close() throws IOException {
    incoming.close(); // first, or its reader could take the end of the socket for the server's
    socket.close();
    update(() -> ended = true);
  }
}
