package org.liminix.net;

import java.net.InetAddress;
import java.util.Optional;

/**
 * What a host knows of its neighbours' hardware addresses. A {@link DatagramHost} on an emulated
 * segment implements this too, so that servers on it can tell clients apart by MAC.
 */
@FunctionalInterface
public interface LinkAddresses {
  /**
   * The hardware address behind a neighbour's address, if it has been heard from. Called on the
   * host's event loop; does not wait.
   */
  Optional<MacAddress> linkAddress(InetAddress neighbour);
}
