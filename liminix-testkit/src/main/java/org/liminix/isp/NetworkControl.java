package org.liminix.isp;

import java.nio.ByteBuffer;

/**
 * A protocol that configures one of the networks of a PPP link (RFC 1661 section 2), of which each
 * may open and fail alone. Confined to the loop.
 */
interface NetworkControl {
  /** What it is called, for messages. */
  String name();

  /** How it comes to an agreement. */
  Negotiation negotiation();

  /** Whether packets of its network may flow. */
  default boolean isOpened() {
    return negotiation().state() == Negotiation.State.OPENED;
  }

  /** Whether a packet of its network is valid; the limit moves to its end. */
  boolean accept(ByteBuffer packet);
}
