package org.liminix.tftp.internal;

import java.nio.channels.DatagramChannel;

/** A way to have one send cut into packets by the kernel. Used on one event loop. */
public interface Segmentation {
  /** The portable way: packets are sent one by one. */
  Segmentation NONE = (channel, size) -> false;

  /**
   * Makes the kernel cut what is sent on a connected channel into packets of that size, or, if the
   * size is 0, send it whole again.
   *
   * @return false if it cannot
   */
  boolean cut(DatagramChannel channel, int size);

  /** Gets ready, which may take a while; called from any thread but the event loop's. */
  default void prepare() {}
}
