package org.liminix.tftp.internal;

import java.nio.channels.DatagramChannel;

/** A way to have one send cut into packets by the kernel. */
@FunctionalInterface
public interface Segmentation {
  /** The portable way: packets are sent one by one. */
  Segmentation NONE = (channel, size) -> false;

  /**
   * Makes the kernel cut what is sent on a connected channel into packets of that size.
   *
   * @return false if it cannot
   */
  boolean enable(DatagramChannel channel, int size);
}
