package org.liminix.tftp.internal;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import org.liminix.net.DatagramEndpoint;
import org.liminix.net.DatagramHost;

/** A transfer's port on any datagram host, such as one on an emulated segment. */
public final class EndpointLink implements Link {
  private final InetSocketAddress peer;
  private final DatagramEndpoint endpoint;

  public EndpointLink(DatagramHost host, InetSocketAddress peer, Handler handler) {
    this.peer = peer;
    this.endpoint =
        host.bind(
            0,
            (payload, source, port) -> {
              if (source.equals(peer)) {
                handler.received(payload);
              } else {
                handler.strayed(payload, source);
              }
            });
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
