package org.liminix.net;

import java.net.Inet4Address;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import org.liminix.net.internal.Checksum;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Interface;
import org.liminix.net.internal.Ipv4Prefix;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The UDP (RFC 768) of an in-process host. Confined to the loop. */
final class UdpPorts {
  private static final Logger log = LoggerFactory.getLogger(UdpPorts.class);

  private static final int HEADER = 8;

  /** Where ports that nobody chose begin (RFC 6335 section 6). */
  private static final int FIRST_EPHEMERAL = 49_152;

  private final EventLoop loop;
  private final Ipv4Interface card;
  private final String host;
  private final Map<Integer, Endpoint> bound = new HashMap<>();
  private final ByteBuffer packet = ByteBuffer.allocateDirect(Ipv4.MAX_PACKET);
  private int nextEphemeral = FIRST_EPHEMERAL;
  private int identification;

  UdpPorts(EventLoop loop, Ipv4Interface card, String host) {
    this.loop = loop;
    this.card = card;
    this.host = host;
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

  /** Whether the packet was a datagram for an open port, or is none at all. */
  boolean received(ByteBuffer ip) {
    int start = ip.position() + Ipv4.headerLength(ip);
    int available = ip.limit() - start;
    int length = available < HEADER ? 0 : Short.toUnsignedInt(ip.getShort(start + 4));
    if (length < HEADER || length > available) {
      return true;
    }
    boolean checked = ip.getShort(start + 6) != 0;
    int source = Ipv4.source(ip);
    if (checked
        && Checksum.withPseudoHeader(
                ip, start, start + length, source, Ipv4.destination(ip), Ipv4.UDP)
            != 0) {
      return true;
    }
    Endpoint endpoint = bound.get(Short.toUnsignedInt(ip.getShort(start + 2)));
    if (endpoint == null) {
      return false;
    }
    InetSocketAddress from =
        new InetSocketAddress(Ipv4.toInet(source), Short.toUnsignedInt(ip.getShort(start)));
    ByteBuffer payload = ip.duplicate().limit(start + length).position(start + HEADER);
    endpoint.handler.received(payload.slice(), from, endpoint);
    return true;
  }

  private void send(int fromPort, ByteBuffer payload, int to, int toPort) {
    int length = HEADER + payload.remaining();
    Ipv4Prefix own = card.address();
    int from = own == null ? 0 : own.address();
    packet.clear();
    Ipv4.putHeader(packet, from, to, Ipv4.UDP, identification++, length);
    int start = packet.position();
    packet.putShort((short) fromPort).putShort((short) toPort).putShort((short) length);
    packet.putShort((short) 0).put(payload);
    int checksum = Checksum.withPseudoHeader(packet, start, packet.position(), from, to, Ipv4.UDP);
    packet.putShort(start + 6, (short) (checksum == 0 ? 0xffff : checksum));
    card.send(packet.flip());
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
      Ipv4Prefix own = card.address();
      return new InetSocketAddress(Ipv4.toInet(own == null ? 0 : own.address()), port);
    }

    @Override
    public void send(ByteBuffer payload, InetSocketAddress destination) {
      if (!(destination.getAddress() instanceof Inet4Address address)) {
        throw new IllegalArgumentException(destination + " is no IPv4 address");
      }
      int most = Ipv4.MAX_PACKET - Ipv4.HEADER - HEADER;
      if (payload.remaining() > most) {
        throw new IllegalArgumentException(
            "A datagram of " + payload.remaining() + " bytes; UDP carries at most " + most);
      }
      int to = Ipv4.toInt(address);
      if (loop.inLoop()) {
        UdpPorts.this.send(port, payload, to, destination.getPort());
      } else {
        ByteBuffer copy = ByteBuffer.allocate(payload.remaining()).put(payload).flip();
        execute(() -> UdpPorts.this.send(port, copy, to, destination.getPort()));
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
