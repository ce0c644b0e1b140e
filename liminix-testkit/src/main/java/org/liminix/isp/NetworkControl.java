package org.liminix.isp;

import java.nio.ByteBuffer;

/**
 * A protocol that configures one of the networks of a PPP link (RFC 1661 section 2), of which each
 * may open and fail alone. Confined to the loop.
 */
interface NetworkControl {
  /** What it is called, for messages. */
  String name();

  /** Begins to negotiate. */
  void open();

  /** Forgets everything, without a word to the peer. */
  void abandon();

  /** Whether packets of its network may flow. */
  boolean isOpened();

  /** Takes a packet of its own. */
  void receivedControl(ByteBuffer packet);

  /** Whether a packet of its network is valid; the limit moves to its end. */
  boolean accept(ByteBuffer packet);
}
