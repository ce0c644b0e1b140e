package org.liminix.net;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntUnaryOperator;
import org.liminix.net.internal.Ipv4;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The UDP (RFC 768) of an in-process host. Confined to the loop. */
final class UdpPorts {
  private static final Logger log = LoggerFactory.getLogger(UdpPorts.class);

  static final int HEADER = 8;

  /** Where ports that nobody chose begin (RFC 6335 section 6). */
  private static final int FIRST_EPHEMERAL = 49_152;

  private final EventLoop loop;
  private final String host;
  private final InternetLayer.Layers layers;
  private final Map<Integer, Endpoint> bound = new HashMap<>();
  private int nextEphemeral = FIRST_EPHEMERAL;

  UdpPorts(EventLoop loop, String host, InternetLayer.Layers layers) {
    this.loop = loop;
    this.host = host;
    this.layers = layers;
  }

  DatagramEndpoint bind(int port, DatagramHandler handler) {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException(port + " is no UDP port; use 1 to 65535, or 0 for any");
    }
    int chosen = port == 0 ? freePort() : port;
    Endpoint endpoint = new Endpoint(chosen, handler);
    if (bound.putIfAbsent(chosen, endpoint) != null) {
      throw new NetworkException(
          "UDP port " + chosen + " of " + host + " is in use: close what is bound to it first");
    }
    return endpoint;
  }

  private int freePort() {
    for (int tries = FIRST_EPHEMERAL; tries <= 65_535; tries++) {
      int port = nextEphemeral;
      nextEphemeral = port == 65_535 ? FIRST_EPHEMERAL : port + 1;
      if (!bound.containsKey(port)) {
        return port;
      }
    }
    throw new NetworkException("All ephemeral UDP ports of " + host + " are in use");
  }

  /**
   * Takes a datagram.
   *
   * @param start where it begins in a whole packet
   * @param checksumMandatory whether one without a checksum is dropped
   * @param checksum of what lies between the start and a given end, with the pseudo-header
   * @return false if it was for a port that is not open
   */
  boolean received(
      ByteBuffer ip,
      int start,
      InetAddress source,
      boolean checksumMandatory,
      IntUnaryOperator checksum) {
    int available = ip.limit() - start;
    int length = available < HEADER ? 0 : Short.toUnsignedInt(ip.getShort(start + 4));
    if (length < HEADER || length > available) {
      return true;
    }
    boolean checked = ip.getShort(start + 6) != 0;
    if (checked ? checksum.applyAsInt(start + length) != 0 : checksumMandatory) {
      return true;
    }
    Endpoint endpoint = bound.get(Short.toUnsignedInt(ip.getShort(start + 2)));
    if (endpoint == null) {
      return false;
    }
    InetSocketAddress from = new InetSocketAddress(source, Short.toUnsignedInt(ip.getShort(start)));
    ByteBuffer payload = ip.duplicate().limit(start + length).position(start + HEADER);
    endpoint.handler.received(payload.slice(), from, endpoint);
    return true;
  }

  /** Writes a datagram at the buffer's position; the payload is consumed. */
  static void put(
      ByteBuffer out, int fromPort, int toPort, ByteBuffer payload, IntUnaryOperator checksum) {
    int start = out.position();
    int length = HEADER + payload.remaining();
    out.putShort((short) fromPort).putShort((short) toPort).putShort((short) length);
    out.putShort((short) 0).put(payload);
    int sum = checksum.applyAsInt(out.position());
    out.putShort(start + 6, (short) (sum == 0 ? 0xffff : sum)); // zero means that there is none
  }

  private final class Endpoint implements DatagramEndpoint {
    private final int port;
    private final DatagramHandler handler;

    Endpoint(int port, DatagramHandler handler) {
      this.port = port;
      this.handler = handler;
    }

    @Override
    public InetSocketAddress localAddress() {
      return new InetSocketAddress(loop.compute(layers::localAddress), port);
    }

    @Override
    public void send(ByteBuffer payload, InetSocketAddress destination) {
      InetAddress to = destination.getAddress();
      if (to == null) {
        throw new IllegalArgumentException(destination + " is a name; give an address");
      }
      InternetLayer layer = layers.to(to);
      int most = (to instanceof Inet4Address ? Ipv4.MAX_PACKET - Ipv4.HEADER : 0xffff) - HEADER;
      if (payload.remaining() > most) {
        throw new IllegalArgumentException(
            "A datagram of " + payload.remaining() + " bytes; UDP carries at most " + most);
      }
      if (loop.inLoop()) {
        layer.sendUdp(port, payload, to, destination.getPort());
      } else {
        ByteBuffer copy = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
        execute(() -> layer.sendUdp(port, copy, to, destination.getPort()));
      }
    }

    @Override
    public void close() {
      execute(() -> bound.remove(port, this));
    }

    private void execute(Runnable task) {
      if (loop.inLoop()) {
        task.run();
        return;
      }
      try {
        loop.execute(task);
      } catch (RejectedExecutionException e) {
        log.trace("UDP port {} went with its host", port, e);
      }
    }
  }
}
