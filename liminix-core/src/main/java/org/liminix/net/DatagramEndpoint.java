package org.liminix.net;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * A UDP port: of this machine, or of an in-process host on an emulated segment. Opened by {@link
 * DatagramHost#bind}; whoever opened it closes it.
 */
public interface DatagramEndpoint extends AutoCloseable {
  /** The address and port that peers see. */
  InetSocketAddress localAddress();

  /**
   * Sends one datagram, or drops it as UDP may: nobody learns whether it arrives.
   *
   * @param payload its data from position to limit; consumed
   * @param destination where to
   */
  void send(ByteBuffer payload, InetSocketAddress destination);

  /** Frees the port. Idempotent. */
  @Override
  void close();
}
