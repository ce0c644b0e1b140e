package org.liminix.net;

import java.nio.ByteBuffer;

/** Told of every frame that reaches a {@link Station}. */
@FunctionalInterface
public interface FrameHandler {
  /**
   * Called on the event loop of the segments; must not block.
   *
   * @param frame an Ethernet frame from destination address to end of payload, without preamble or
   *     checksum; read-only, in network byte order, and valid only during the call
   */
  void received(ByteBuffer frame);
}
