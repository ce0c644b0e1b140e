package org.liminix.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;

/**
 * How a QEMU joins a {@link Segment}. Made by {@link Segment#plug}; whoever made it closes it after
 * the machine has ended.
 */
public sealed interface Plug extends AutoCloseable {
  /** Takes the machine off the segment. Idempotent, from any thread. */
  @Override
  void close();

  /**
   * QEMU joins the group by itself: {@code -netdev
   * socket,id=I,mcast=GROUP:PORT,localaddr=LOCALADDRESS}. There is nothing to close.
   *
   * @param group the multicast group of the segment
   * @param localAddress the interface to join it on
   */
  record Multicast(InetSocketAddress group, InetAddress localAddress) implements Plug {
    @Override
    public void close() {
      // The membership belongs to QEMU and ends with it.
    }
  }

  /**
   * The segment listens on a unix socket and QEMU connects: {@code -netdev
   * stream,id=I,server=off,addr.type=unix,addr.path=SOCKET}. In both directions each frame follows
   * its length as four bytes, big-endian. When QEMU goes away the next one may connect.
   */
  final class Stream implements Plug {
    private final Path socket;
    private final StreamPort port;

    Stream(Path socket, StreamPort port) {
      this.socket = socket;
      this.port = port;
    }

    /** The socket, on which the segment already listens. */
    public Path socket() {
      return socket;
    }

    /** Whether a machine is connected at this moment. */
    public boolean isConnected() {
      return port.isConnected();
    }

    /** How many frames to the machine were dropped because it did not read them fast enough. */
    public long dropped() {
      return port.dropped();
    }

    /** Disconnects the machine and removes the socket. */
    @Override
    public void close() {
      port.close();
    }

    @Override
    public String toString() {
      return "Plug.Stream[" + socket + "]";
    }
  }
}
