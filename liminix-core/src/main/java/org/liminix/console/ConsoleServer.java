package org.liminix.console;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.process.LiminixException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A unix socket at which people and programs can join a console while a test uses it: each sees the
 * last lines it has said and all that follows, and what they type goes to it.
 *
 * <pre>{@code
 * ConsoleServer server = ConsoleServer.serve(console, directory.socket("console"));
 * Attachment.to("console", () -> UnixSocket.connect(directory.file("console"))).run();
 * }</pre>
 *
 * <p>The last lines come without control sequences. A client that does not read loses its
 * connection once 1 MiB waits for it, and one that types faster than the console takes it waits;
 * neither the console nor the other clients are held up. When the console ends, the clients' lines
 * do. Thread-safe. Whoever made it closes it; the console stays open.
 */
public final class ConsoleServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ConsoleServer.class);
  private static final int MOST_PENDING_BYTES = 1 << 20;

  private final Console console;
  private final Path path;
  private final EventLoop loop;

  /** Apart from the loop, since what is typed may have to wait for the guest to take it. */
  private final ExecutorService typist;

  private final ServerSocketChannel server;
  private final Set<Client> clients = ConcurrentHashMap.newKeySet();

  private ConsoleServer(Console console, Path path, ServerSocketChannel server) {
    this.console = console;
    this.path = path;
    this.loop = EventLoop.start("terminals-" + console.name());
    this.typist = Executors.newSingleThreadExecutor(this::typistThread);
    this.server = server;
  }

  private Thread typistThread(Runnable task) {
    Thread thread = new Thread(task, "liminix-typist-" + console.name());
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Starts to listen.
   *
   * @param path of the socket, which must not exist yet
   * @throws ConsoleException if the path cannot be used
   */
  public static ConsoleServer serve(Console console, Path path) {
    try {
      ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      try {
        channel.bind(UnixDomainSocketAddress.of(path));
        channel.configureBlocking(false);
        ConsoleServer server = new ConsoleServer(console, path, channel);
        server.loop.execute(server::listen);
        return server;
      } catch (IOException | RuntimeException | Error e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw new ConsoleException("Cannot serve console " + console.name() + " at " + path, e);
    }
  }

  private void listen() {
    try {
      loop.register(server, SelectionKey.OP_ACCEPT, key -> accept());
    } catch (UncheckedIOException e) {
      log.debug("The server of console {} was closed at once", console.name(), e);
    }
  }

  private void accept() {
    try {
      SocketChannel channel = server.accept();
      if (channel != null) {
        channel.configureBlocking(false);
        Client client = new Client(channel);
        clients.add(client);
        // Writable at once, which is how the client learns its key.
        loop.register(channel, SelectionKey.OP_READ | SelectionKey.OP_WRITE, client::ready);
        console.audience().join(client);
      }
    } catch (IOException e) {
      log.warn("Console {} could not accept a client: {}", console.name(), e.toString());
    }
  }

  /** Stops listening and disconnects the clients. Idempotent. */
  @Override
  public void close() {
    try {
      if (server.isOpen()) {
        server.close();
        Files.deleteIfExists(path);
        loop.execute(() -> clients.forEach(Client::disconnect));
        loop.close();
        // What waits for the guest is not interrupted, as that would close some kinds of channel.
        typist.shutdown();
      }
    } catch (IOException | RuntimeException e) {
      log.debug("Closing the server of console {}", console.name(), e);
    }
  }

  /** Somebody at a terminal. Confined to the loop, but for what the console calls. */
  private final class Client implements Audience.Member {
    private final SocketChannel channel;
    private final ByteBuffer input = ByteBuffer.allocate(4096);
    private final Queue<ByteBuffer> pending = new ArrayDeque<>();
    private int pendingBytes;
    private boolean ends;
    private @Nullable SelectionKey key;

    Client(SocketChannel channel) {
      this.channel = channel;
    }

    @Override
    public void said(ByteBuffer bytes) {
      ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
      loop.execute(() -> send(copy));
    }

    @Override
    public void ended() {
      loop.execute(
          () -> {
            ends = true;
            flush();
          });
    }

    void ready(SelectionKey ready) {
      key = ready;
      if (ready.isWritable()) {
        flush();
      }
      if (ready.isValid() && ready.isReadable()) {
        read(ready);
      }
    }

    private void read(SelectionKey key) {
      try {
        if (channel.read(input.clear()) < 0) {
          disconnect();
          return;
        }
        key.interestOpsAnd(~SelectionKey.OP_READ);
        typist.execute(() -> type(key));
      } catch (IOException | RejectedExecutionException e) {
        disconnect();
      }
    }

    /** On the typist's thread; the loop leaves the input alone until this is done. */
    private void type(SelectionKey key) {
      Runnable next;
      try {
        console.send(input.flip());
        next = () -> readOn(key);
      } catch (LiminixException e) {
        next = this::disconnect;
      }
      try {
        loop.execute(next);
      } catch (RejectedExecutionException e) {
        log.debug("Console {} is served no more", console.name());
      }
    }

    private void readOn(SelectionKey key) {
      if (key.isValid()) {
        key.interestOpsOr(SelectionKey.OP_READ);
      }
    }

    private void send(ByteBuffer bytes) {
      pending.add(bytes);
      pendingBytes += bytes.remaining();
      flush();
      if (pendingBytes > MOST_PENDING_BYTES) {
        log.warn("A client of console {} does not read and is disconnected", console.name());
        disconnect();
      }
    }

    private void flush() {
      if (key == null || !key.isValid()) {
        return;
      }
      try {
        while (!pending.isEmpty()) {
          pendingBytes -= channel.write(pending.element());
          if (pending.element().hasRemaining()) {
            key.interestOpsOr(SelectionKey.OP_WRITE);
            return;
          }
          pending.remove();
        }
        key.interestOpsAnd(~SelectionKey.OP_WRITE);
        if (ends) {
          disconnect();
        }
      } catch (IOException e) {
        disconnect();
      }
    }

    void disconnect() {
      console.audience().leave(this);
      clients.remove(this);
      pending.clear();
      pendingBytes = 0;
      try {
        channel.close();
      } catch (IOException e) {
        log.debug("Closing a client of console {}", console.name(), e);
      }
    }
  }
}
