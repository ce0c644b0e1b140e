package org.liminix.net;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This machine as a host: its real UDP ports at one address.
 *
 * <pre>{@code
 * UdpHost host = UdpHost.at(InetAddress.getLoopbackAddress(), loop);
 * DatagramEndpoint echo = host.bind(0, (payload, source, endpoint) -> endpoint.send(payload, source));
 * }</pre>
 *
 * <p>Thread-safe. The caller owns the loop and closes the endpoints.
 */
public final class UdpHost implements DatagramHost {
  private static final Logger log = LoggerFactory.getLogger(UdpHost.class);

  /** Datagrams taken from one port before the loop looks at others. */
  private static final int BATCH = 64;

  /** Asked of the kernel, which grants what it may: room for a burst from many peers. */
  private static final int RECEIVE_BUFFER = 1024 * 1024;

  private final InetAddress address;
  private final EventLoop loop;

  /** Holds the datagram a handler is looking at: one at a time on the loop. */
  private final ByteBuffer received = ByteBuffer.allocateDirect(64 * 1024);

  private UdpHost(InetAddress address, EventLoop loop) {
    this.address = address;
    this.loop = loop;
  }

  /**
   * This machine at that address.
   *
   * @param address one of its own, or a wildcard for all of them
   * @param loop where handlers run
   */
  public static UdpHost at(InetAddress address, EventLoop loop) {
    return new UdpHost(address, loop);
  }

  /** The address its ports are opened at. */
  public InetAddress address() {
    return address;
  }

  @Override
  public EventLoop loop() {
    return loop;
  }

  @Override
  public DatagramEndpoint bind(int port, DatagramHandler handler) {
    DatagramChannel channel = open(new InetSocketAddress(address, port));
    Port endpoint;
    try {
      endpoint = new Port(channel, (InetSocketAddress) channel.getLocalAddress());
    } catch (IOException e) {
      closeQuietly(channel);
      throw new NetworkException("UDP port " + port + " has no address", e);
    }
    loop.register(channel, SelectionKey.OP_READ, key -> receive(channel, endpoint, handler));
    return endpoint;
  }

  private static DatagramChannel open(InetSocketAddress at) {
    DatagramChannel channel = null;
    try {
      channel =
          at.getAddress() instanceof Inet4Address && !at.getAddress().isAnyLocalAddress()
              ? DatagramChannel.open(StandardProtocolFamily.INET)
              : DatagramChannel.open(); // both families where the machine has both
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.SO_RCVBUF, RECEIVE_BUFFER);
      return channel.bind(at);
    } catch (IOException e) {
      if (channel != null) {
        closeQuietly(channel);
      }
      throw new NetworkException(
          "UDP port "
              + at.getPort()
              + " of "
              + at.getAddress().getHostAddress()
              + " cannot be opened: "
              + e.getMessage()
              + hint(at.getPort()),
          e);
    }
  }

  private static String hint(int port) {
    return port > 0 && port < 1024
        ? ". Ports below 1024 need root or CAP_NET_BIND_SERVICE; or another program has it"
        : ". Another program may have it";
  }

  private void receive(DatagramChannel channel, Port endpoint, DatagramHandler handler) {
    try {
      for (int i = 0; i < BATCH && channel.isOpen(); i++) {
        received.clear();
        InetSocketAddress source = (InetSocketAddress) channel.receive(received);
        if (source == null) {
          return;
        }
        handler.received(received.flip(), source, endpoint);
      }
    } catch (IOException e) {
      log.debug("Receiving at {}", endpoint.localAddress(), e);
    }
  }

  private static void closeQuietly(DatagramChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("Closing a UDP port", e);
    }
  }

  private record Port(DatagramChannel channel, InetSocketAddress localAddress)
      implements DatagramEndpoint {
    @Override
    public void send(ByteBuffer payload, InetSocketAddress destination) {
      try {
        channel.send(payload, destination);
      } catch (IOException e) {
        log.debug("Sending from {} to {}", localAddress, destination, e);
      }
      payload.position(payload.limit());
    }

    @Override
    public void close() {
      closeQuietly(channel);
    }
  }
}
