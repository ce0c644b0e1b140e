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
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A unix socket at which people and programs can join a console while a test uses it: all see what
 * it says, and what they type goes to it.
 *
 * <pre>{@code
 * ConsoleServer server = ConsoleServer.serve(console, directory.socket("console"));
 * // elsewhere: socat -,raw,echo=0,escape=0x0f unix-connect:DIRECTORY/console
 * }</pre>
 *
 * <p>A client that does not read loses its connection once 1 MiB waits for it; the console is never
 * held up. Thread-safe. Whoever made it closes it; the console stays open.
 */
public final class ConsoleServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ConsoleServer.class);
  private static final int MOST_PENDING_BYTES = 1 << 20;

  private final Console console;
  private final Path path;

  /** Of its own, since what a client types may have to wait for the guest to take it. */
  private final EventLoop loop;

  private final ServerSocketChannel server;
  private final AutoCloseable listening;
  private final Set<Client> clients = ConcurrentHashMap.newKeySet();

  private ConsoleServer(Console console, Path path, ServerSocketChannel server) {
    this.console = console;
    this.path = path;
    this.loop = EventLoop.start("terminals-" + console.name());
    this.server = server;
    this.listening = console.listen(this::broadcast);
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
      }
    } catch (IOException e) {
      log.warn("Console {} could not accept a client: {}", console.name(), e.toString());
    }
  }

  private void broadcast(ByteBuffer bytes) {
    if (clients.isEmpty()) {
      return;
    }
    ByteBuffer copy = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
    loop.execute(() -> clients.forEach(client -> client.send(copy.duplicate())));
  }

  /** Stops listening and disconnects the clients. Idempotent. */
  @Override
  public void close() {
    try {
      listening.close();
      if (server.isOpen()) {
        server.close();
        Files.deleteIfExists(path);
        loop.execute(() -> clients.forEach(Client::disconnect));
        loop.close();
      }
    } catch (Exception e) {
      log.debug("Closing the server of console {}", console.name(), e);
    }
  }

  /** Somebody at a terminal. Confined to the loop. */
  private final class Client {
    private final SocketChannel channel;
    private final ByteBuffer input = ByteBuffer.allocate(4096);
    private final Queue<ByteBuffer> pending = new ArrayDeque<>();
    private int pendingBytes;
    private @Nullable SelectionKey key;

    Client(SocketChannel channel) {
      this.channel = channel;
    }

    void ready(SelectionKey ready) {
      key = ready;
      try {
        if (ready.isWritable()) {
          flush(ready);
        }
        if (ready.isReadable()) {
          if (channel.read(input.clear()) < 0) {
            disconnect();
            return;
          }
          console.send(input.flip());
        }
      } catch (IOException | ConsoleException e) {
        disconnect();
      }
    }

    void send(ByteBuffer bytes) {
      pending.add(bytes);
      pendingBytes += bytes.remaining();
      try {
        if (key != null) {
          flush(key);
        }
      } catch (IOException e) {
        disconnect();
      }
      if (pendingBytes > MOST_PENDING_BYTES) {
        log.warn("A client of console {} does not read and is disconnected", console.name());
        disconnect();
      }
    }

    private void flush(SelectionKey key) throws IOException {
      while (!pending.isEmpty()) {
        pendingBytes -= channel.write(pending.element());
        if (pending.element().hasRemaining()) {
          key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
          return;
        }
        pending.remove();
      }
      key.interestOps(SelectionKey.OP_READ);
    }

    void disconnect() {
      clients.remove(this);
      try {
        channel.close();
      } catch (IOException e) {
        log.debug("Closing a client of console {}", console.name(), e);
      }
    }
  }
}
