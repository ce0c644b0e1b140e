package org.liminix.net;

import java.net.Inet4Address;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a DHCP server offers a host (RFC 2131 DHCPOFFER, RFC 2132 options).
 *
 * @param address the address the host may have
 * @param prefixLength of the network, from the subnet mask; 32 if the server gave none
 * @param router the first default gateway
 * @param serverId by which the server calls itself
 * @param dns name servers
 * @param leaseTime for how long; a very long time if the server set no limit
 */
public record DhcpOffer(
    Inet4Address address,
    int prefixLength,
    Optional<Inet4Address> router,
    Inet4Address serverId,
    List<Inet4Address> dns,
    Duration leaseTime) {

  public DhcpOffer {
    dns = List.copyOf(dns);
  }
}
