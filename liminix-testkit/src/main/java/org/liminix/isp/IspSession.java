package org.liminix.isp;

import java.net.Inet4Address;
import java.time.Duration;
import org.liminix.net.MacAddress;

/**
 * What a client of an {@link Isp} has from the moment it got an address: its line.
 *
 * <p>Thread-safe. It ends when one side ends it or the ISP is closed.
 */
public interface IspSession {
  /** Its PPPoE session number, 1 to 65534. */
  int id();

  /** Who the client proved to be. */
  String user();

  /** The address the client was given. */
  Inet4Address address();

  /** The card of the client. */
  MacAddress peer();

  /** Whether packets flow. */
  boolean isOpen();

  /**
   * Has the ISP end it, without waiting for that: with an LCP Terminate-Request, a PADT or both, as
   * is the way of its kind.
   */
  void terminate();

  /**
   * Waits until packets no longer flow in it, whoever ended it.
   *
   * @throws org.liminix.process.WaitTimeoutException if they still do when the time is up
   */
  void awaitEnd(Duration timeout);
}
