package org.liminix.net;

/**
 * A host whose UDP ports can be opened: this machine, or an in-process host on an emulated segment,
 * where port 69 needs no root.
 */
public interface DatagramHost {
  /**
   * Opens a UDP port.
   *
   * @param port 1 to 65535, or 0 for any free one
   * @param handler called on {@link #loop()} for every datagram that arrives
   * @throws NetworkException if the port is taken or may not be opened; the message names it
   */
  DatagramEndpoint bind(int port, DatagramHandler handler);

  /** The loop on which handlers run. */
  EventLoop loop();
}
