package org.liminix.net;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The port to a multicast group, with QEMU's {@code -netdev socket,mcast=} as its other members:
 * one frame per datagram, on the loopback interface only.
 *
 * <p>A member of a group hears what it sends itself. So frames are sent from a second socket, whose
 * port tells them from those of the others.
 */
final class MulticastPort extends Port {
  private static final Logger log = LoggerFactory.getLogger(MulticastPort.class);

  private static final InetAddress LOOPBACK = loopback();

  /** Room for a burst; the system grants what it allows. */
  private static final int SOCKET_BUFFER_BYTES = 1 << 21;

  /** One turn reads no more frames than this, so that a busy group leaves room for the others. */
  private static final int FRAMES_PER_TURN = 256;

  private final InetSocketAddress group;
  private final ByteBuffer in = ByteBuffer.allocateDirect(MAX_FRAME);
  private final ByteBuffer view = in.asReadOnlyBuffer();
  private @Nullable DatagramChannel receiver;
  private @Nullable DatagramChannel sender;
  private @Nullable SocketAddress self;

  MulticastPort(Segment segment, InetSocketAddress group) {
    super(segment, "group " + group.getAddress().getHostAddress() + ":" + group.getPort());
    this.group = group;
  }

  private static InetAddress loopback() {
    try {
      return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    } catch (UnknownHostException e) {
      throw new AssertionError("four bytes are an address", e);
    }
  }

  InetSocketAddress group() {
    return group;
  }

  InetAddress localAddress() {
    return LOOPBACK;
  }

  void open() {
    try {
      NetworkInterface lo = NetworkInterface.getByInetAddress(LOOPBACK);
      if (lo == null) {
        throw new IOException("no network interface has the address 127.0.0.1");
      }
      DatagramChannel to = DatagramChannel.open(StandardProtocolFamily.INET);
      sender = to;
      to.configureBlocking(false);
      to.setOption(StandardSocketOptions.IP_MULTICAST_IF, lo);
      to.setOption(StandardSocketOptions.IP_MULTICAST_LOOP, true);
      to.setOption(StandardSocketOptions.SO_SNDBUF, SOCKET_BUFFER_BYTES);
      to.bind(new InetSocketAddress(LOOPBACK, 0));
      self = to.getLocalAddress();

      DatagramChannel from = DatagramChannel.open(StandardProtocolFamily.INET);
      receiver = from;
      from.configureBlocking(false);
      from.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      from.setOption(StandardSocketOptions.SO_RCVBUF, SOCKET_BUFFER_BYTES);
      from.bind(group); // not the wildcard: other groups on this port are none of our business
      from.join(group.getAddress(), lo);
      segment.loop().register(from, SelectionKey.OP_READ, key -> receive(from));
    } catch (IOException e) {
      release();
      throw new NetworkException(
          ("Cannot join the multicast group of network %s (%s) on 127.0.0.1: %s;"
                  + " Segments.isolated() needs no multicast")
              .formatted(segment.network(), name(), e.getMessage()),
          e);
    }
  }

  private void receive(DatagramChannel from) {
    try {
      for (int count = 0; count < FRAMES_PER_TURN; count++) {
        in.clear();
        SocketAddress source = from.receive(in);
        if (source == null) {
          break;
        }
        if (!source.equals(self)) {
          view.limit(in.position()).position(0);
          segment.forward(this, view);
        }
      }
    } catch (IOException e) {
      log.warn("{} of network {} cannot be read", name(), segment.network(), e);
    }
    segment.flush();
  }

  @Override
  void deliver(ByteBuffer frame) {
    DatagramChannel to = sender;
    try {
      if (to == null || to.send(frame, group) == 0) {
        drop();
      }
    } catch (IOException e) {
      log.debug("{} of network {} does not take a frame", name(), segment.network(), e);
      drop();
    }
  }

  void close() {
    segment.detach(this);
  }

  @Override
  void release() {
    Bridges.remove(segment, group);
    for (@Nullable DatagramChannel channel : new @Nullable DatagramChannel[] {sender, receiver}) {
      if (channel != null) {
        try {
          channel.close();
        } catch (IOException e) {
          log.debug("Closing {}", name(), e);
        }
      }
    }
  }
}
