package org.liminix.qemu;

import java.net.InetAddress;
import java.util.List;
import java.util.Optional;
import org.liminix.net.MacAddress;

/**
 * A network interface as the guest itself sees it, see {@link GuestAgent#interfaces()}. Immutable.
 *
 * @param name the guest's name of it, such as eth0
 * @param hardwareAddress its MAC address, if it has one; ppp0 has none
 * @param addresses its IP addresses, of both families
 */
public record GuestInterface(
    String name, Optional<MacAddress> hardwareAddress, List<Address> addresses) {
  public GuestInterface {
    addresses = List.copyOf(addresses);
  }

  /**
   * An address with the length of its network's prefix. Immutable.
   *
   * @param address the address
   * @param prefixLength 0 to 32, or 128 for IPv6
   */
  public record Address(InetAddress address, int prefixLength) {
    /** As {@code ip address} writes it: 10.0.0.9/24. */
    @Override
    public String toString() {
      return address.getHostAddress() + "/" + prefixLength;
    }
  }
}
