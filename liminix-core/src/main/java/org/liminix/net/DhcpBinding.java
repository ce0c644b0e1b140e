package org.liminix.net;

import java.net.Inet4Address;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * An address that a {@link DhcpServer} has leased to a client (RFC 2131 section 1.4).
 *
 * @param address the client's
 * @param client its card
 * @param hostName what it calls itself, if it says
 * @param granted when it was leased or last extended
 * @param leaseTime for how long from then
 */
public record DhcpBinding(
    Inet4Address address,
    MacAddress client,
    Optional<String> hostName,
    Instant granted,
    Duration leaseTime) {
  /** When it ends, unless it is extended before. */
  public Instant expires() {
    return granted.plus(leaseTime);
  }

  @Override
  public String toString() {
    return "DhcpBinding[%s for %s%s, %d s]"
        .formatted(
            address.getHostAddress(),
            client,
            hostName.map(name -> " (" + name + ")").orElse(""),
            leaseTime.toSeconds());
  }
}
