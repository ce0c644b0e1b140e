package org.liminix.net;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/** Told of every datagram that reaches a UDP port. */
@FunctionalInterface
public interface DatagramHandler {
  /**
   * Called on the event loop of the host that owns the port.
   *
   * @param payload the datagram's data, valid only during the call
   * @param source the address and port it came from
   * @param endpoint the port it came to, for the answer
   */
  void received(ByteBuffer payload, InetSocketAddress source, DatagramEndpoint endpoint);
}
