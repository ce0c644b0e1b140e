package org.liminix.net;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The port of a QEMU: the server side of {@code -netdev stream} on a unix socket.
 *
 * <p>Unix-domain channels of the JDK (since 16) rather than jnr-unixsocket: they are selectable
 * together with every other channel of the loop, a blocked call ends when its thread is
 * interrupted, and after a close nothing can be written to whatever file reuses the descriptor.
 *
 * <p>Frames are taken out of a buffer that one read has filled, and collected in a buffer that one
 * write empties. A machine that does not read loses what does not fit.
 */
final class StreamPort extends Port {
  private static final Logger log = LoggerFactory.getLogger(StreamPort.class);

  /** The length of {@code sun_path} on Linux, less the byte that ends it. */
  private static final int MAX_PATH_BYTES = 107;

  private static final int BUFFER_BYTES = 1 << 18;

  /** One turn reads no more than this often, so that a busy machine leaves room for the others. */
  private static final int READS_PER_TURN = 4;

  private final Path path;
  private @Nullable ServerSocketChannel server;
  private volatile @Nullable Connection connection;

  StreamPort(Segment segment, String name, Path path) {
    super(segment, name);
    this.path = path;
  }

  void listen() {
    int length = path.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    if (length > MAX_PATH_BYTES) {
      throw new NetworkException(
          "The path of the socket for %s on %s has %d bytes and a unix socket's at most %d: %s; use a shorter directory"
              .formatted(name(), segment.network(), length, MAX_PATH_BYTES, path));
    }
    try {
      ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      server = channel;
      channel.configureBlocking(false);
      channel.bind(UnixDomainSocketAddress.of(path), 1);
      segment.loop().register(channel, SelectionKey.OP_ACCEPT, key -> accept(channel));
    } catch (IOException e) {
      closeServer();
      throw new NetworkException(
          "Cannot listen on %s for %s on %s: %s; its directory must exist and the file must not"
              .formatted(path, name(), segment.network(), e.getMessage()),
          e);
    }
  }

  private void accept(ServerSocketChannel from) {
    try {
      SocketChannel channel = from.accept();
      if (channel != null) {
        channel.configureBlocking(false);
        Connection opened = new Connection(channel);
        connection = opened;
        // One machine per port: the next one waits in the backlog until this one is gone.
        segment.loop().register(from, 0, key -> {});
        opened.await(SelectionKey.OP_READ);
      }
    } catch (IOException e) {
      log.warn("{} on {}: no connection", name(), segment.network(), e);
    }
  }

  boolean isConnected() {
    return connection != null;
  }

  @Override
  void deliver(ByteBuffer frame) {
    Connection current = connection;
    if (current == null || !current.collect(frame)) {
      drop();
    }
  }

  @Override
  void flush() {
    Connection current = connection;
    if (current != null) {
      current.flush();
    }
  }

  private void disconnect() {
    Connection gone = connection;
    connection = null;
    if (gone != null) {
      closeQuietly(gone.channel);
    }
    ServerSocketChannel open = server;
    if (open != null && open.isOpen()) {
      segment.loop().register(open, SelectionKey.OP_ACCEPT, key -> accept(open));
    }
  }

  void close() {
    segment.detach(this);
  }

  @Override
  void release() {
    closeServer();
    disconnect();
  }

  private void closeServer() {
    ServerSocketChannel open = server;
    if (open != null) {
      try {
        boolean bound = open.getLocalAddress() != null;
        open.close();
        if (bound) {
          Files.deleteIfExists(path);
        }
      } catch (IOException e) {
        log.debug("Closing {}", path, e);
      }
    }
  }

  private static void closeQuietly(SocketChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("Closing {}", channel, e);
    }
  }

  /** One machine, from its connect to its end. */
  private final class Connection {
    private final SocketChannel channel;
    private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private final ByteBuffer view = in.asReadOnlyBuffer();
    private final ByteBuffer out = ByteBuffer.allocateDirect(BUFFER_BYTES);
    private boolean blocked;

    Connection(SocketChannel channel) {
      this.channel = channel;
    }

    void await(int operations) {
      segment.loop().register(channel, operations, this::ready);
    }

    private void ready(SelectionKey key) {
      if (key.isWritable()) {
        blocked = false;
        await(SelectionKey.OP_READ);
        flush();
      }
      if (key.isValid() && key.isReadable()) {
        receive();
        segment.flush();
      }
    }

    private void receive() {
      for (int turn = 0; turn < READS_PER_TURN; turn++) {
        int read = read();
        if (read < 0 || !forwardFrames()) {
          if (connection == this) {
            disconnect();
          }
          return;
        }
        if (in.hasRemaining() && read < BUFFER_BYTES / 2) {
          return; // most likely everything; the selector knows better
        }
      }
    }

    private int read() {
      try {
        return channel.read(in);
      } catch (IOException e) {
        log.debug("{} on {} disconnected", name(), segment.network(), e);
        return -1;
      }
    }

    /** Returns false if the stream cannot be a sequence of frames. */
    private boolean forwardFrames() {
      int at = 0;
      int end = in.position();
      while (end - at >= Integer.BYTES) {
        int length = in.getInt(at);
        if (length <= 0 || length > MAX_FRAME) {
          log.warn(
              "{} on {} sent a frame of {} bytes and is disconnected; at most {} are possible",
              name(),
              segment.network(),
              length,
              MAX_FRAME);
          return false;
        }
        int start = at + Integer.BYTES;
        if (end - start < length) {
          break;
        }
        at = start + length;
        view.limit(at).position(start);
        segment.forward(StreamPort.this, view);
      }
      if (at > 0) {
        in.limit(end).position(at);
        in.compact();
      }
      return true;
    }

    boolean collect(ByteBuffer frame) {
      int needed = Integer.BYTES + frame.remaining();
      if (out.remaining() < needed) {
        flush();
        if (out.remaining() < needed) {
          return false;
        }
      }
      out.putInt(frame.remaining()).put(frame);
      return true;
    }

    void flush() {
      if (blocked || out.position() == 0) {
        return;
      }
      out.flip();
      try {
        channel.write(out);
      } catch (IOException e) {
        // Whoever reads the channel next sees the end of the stream and disconnects.
        log.debug("{} on {} does not read", name(), segment.network(), e);
        out.position(out.limit());
      }
      out.compact();
      if (out.position() > 0) {
        blocked = true;
        await(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
      }
    }
  }
}
