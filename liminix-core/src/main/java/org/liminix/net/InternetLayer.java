package org.liminix.net;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** IPv4 or IPv6 of an in-process host, as its UDP and its pings use it. Confined to the loop. */
interface InternetLayer {
  /** Those of one host. */
  interface Layers {
    /** The one that carries packets to an address. */
    InternetLayer to(InetAddress address);

    /** An address of any of them, or 0.0.0.0. */
    InetAddress localAddress();
  }

  /** An address to be known by, if it has one. */
  Optional<? extends InetAddress> localAddress();

  /** Sends a datagram, or drops it if there is no way. */
  void sendUdp(int fromPort, ByteBuffer payload, InetAddress to, int toPort);

  /** Sends an echo request, if it has an address that suits the target. */
  boolean sendEcho(InetAddress target, int identifier, int sequence, ByteBuffer data);

  /** Its address and network, or addresses, for messages. */
  String addresses();

  /** What a hop that does not answer lets a ping fail with. */
  PingFailedException.Reason silence();

  /** The gateway towards a target, or null if it is on the link. */
  @Nullable InetAddress gatewayTo(InetAddress target);
}
