package org.liminix.tftp.internal;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;

/**
 * The port of one transfer, tied to the port of its peer: the pair of transfer identifiers of RFC
 * 1350 section 4. Used on its event loop only.
 */
public interface Link extends AutoCloseable {
  /** Who sits at the other end. */
  InetSocketAddress peer();

  /**
   * Sends packets laid end to end, each {@code size} bytes long but the last, which may be shorter.
   *
   * @param packets from position to limit; the position moves past what was sent
   * @return false if the port took no more for now: {@link Handler#writable()} follows
   */
  boolean send(ByteBuffer packets, int size);

  /**
   * How many packets are best laid end to end for one {@link #send(ByteBuffer, int)}: one where
   * each takes a call of its own, for its bytes are in the processor's nearest cache as long as no
   * other packet is made ready in between.
   */
  default int packetsAtOnce() {
    return 1;
  }

  /** Sends one packet, or loses it as UDP may. */
  default void send(ByteBuffer packet) {
    send(packet, Math.max(1, packet.remaining()));
  }

  /** Sends one packet to somebody who is not the peer. */
  void sendTo(ByteBuffer packet, InetSocketAddress destination);

  /** Frees the port. Idempotent. */
  @Override
  void close();

  /** Told what happens at the port. */
  interface Handler {
    /** A packet came from the peer; valid during the call. */
    void received(ByteBuffer packet);

    /** A packet came from somebody else; valid during the call. */
    void strayed(ByteBuffer packet, InetSocketAddress source);

    /** The peer's machine says that nobody listens there. */
    void unreachable();

    /** The port takes packets again. */
    void writable();
  }

  /** Opens a port for a peer. */
  @FunctionalInterface
  interface Factory {
    /**
     * Opens a port.
     *
     * @throws org.liminix.net.NetworkException if no port can be had
     */
    Link open(InetSocketAddress peer, Handler handler);
  }
}
