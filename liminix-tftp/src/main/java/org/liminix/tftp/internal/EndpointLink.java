package org.liminix.tftp.internal;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.liminix.net.DatagramEndpoint;
import org.liminix.net.DatagramHost;

/** A transfer's port on any datagram host, such as one on an emulated segment. */
public final class EndpointLink implements Link {
  private final Handler handler;
  private final DatagramEndpoint endpoint;
  private InetSocketAddress peer;
  private boolean peerKnown;

  private EndpointLink(
      DatagramHost host, InetSocketAddress peer, boolean peerKnown, Handler handler) {
    this.peer = peer;
    this.peerKnown = peerKnown;
    this.handler = handler;
    this.endpoint = host.bind(0, (payload, source, port) -> received(payload, source));
  }

  /** The port of a server's transfer to a client. */
  public static EndpointLink to(InetSocketAddress client, DatagramHost host, Handler handler) {
    return new EndpointLink(host, client, true, handler);
  }

  /**
   * The port of a client that sends a request: the first answer from the server's address tells
   * which port the server has chosen for the transfer (RFC 1350 section 4).
   */
  public static EndpointLink requesting(
      InetSocketAddress server, DatagramHost host, Handler handler) {
    return new EndpointLink(host, server, false, handler);
  }

  private void received(ByteBuffer payload, InetSocketAddress source) {
    if (!peerKnown && source.getAddress().equals(peer.getAddress())) {
      peerKnown = true;
      peer = source;
    }
    if (source.equals(peer)) {
      handler.received(payload);
    } else {
      handler.strayed(payload, source);
    }
  }

  @Override
  public InetSocketAddress peer() {
    return peer;
  }

  @Override
  public boolean send(ByteBuffer packets, int size) {
    int end = packets.limit();
    while (packets.position() < end) {
      packets.limit(Math.min(end, packets.position() + size));
      endpoint.send(packets, peer);
      packets.position(packets.limit()).limit(end);
    }
    return true;
  }

  @Override
  public void sendTo(ByteBuffer packet, InetSocketAddress destination) {
    endpoint.send(packet, destination);
  }

  @Override
  public void close() {
    endpoint.close();
  }
}
