package org.liminix.net;

import java.net.Inet4Address;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a DHCP server has granted a host (RFC 2131 DHCPACK), which the host uses from then on.
 *
 * @param terms what was granted, in the form of an offer
 */
public record DhcpLease(DhcpOffer terms) {
  /** The address of the host. */
  public Inet4Address address() {
    return terms.address();
  }

  /** The length of its network's prefix in bits. */
  public int prefixLength() {
    return terms.prefixLength();
  }

  /** Its default gateway. */
  public Optional<Inet4Address> router() {
    return terms.router();
  }

  /** By which the server calls itself. */
  public Inet4Address serverId() {
    return terms.serverId();
  }

  /** Name servers. */
  public List<Inet4Address> dns() {
    return terms.dns();
  }

  /** For how long the address was granted. */
  public Duration leaseTime() {
    return terms.leaseTime();
  }
}
