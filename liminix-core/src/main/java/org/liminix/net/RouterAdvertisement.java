package org.liminix.net;

import java.net.Inet6Address;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a router tells the hosts of its network (RFC 4861 section 4.2, RFC 8106).
 *
 * <pre>{@code
 * RouterAdvertisement heard = pc.awaitRouterAdvertisement(any -> true, Duration.ofSeconds(30));
 * assertThat(heard.prefixes()).singleElement().returns(64, Prefix::length);
 * }</pre>
 *
 * <p>An immutable value. Times without an end are {@link #FOREVER}.
 *
 * @param router its address on this link
 * @param hopLimit what hosts shall begin with, 0 if it does not say
 * @param managed whether addresses are to be had from DHCPv6 (the M flag)
 * @param otherConfiguration whether other things are to be had from DHCPv6 (the O flag)
 * @param lifetime how long it will be a default router; zero if it is none
 * @param mtu the longest packet of this link, if it says
 * @param prefixes the networks of this link
 * @param nameServers recursive name servers
 */
public record RouterAdvertisement(
    Inet6Address router,
    int hopLimit,
    boolean managed,
    boolean otherConfiguration,
    Duration lifetime,
    Optional<Integer> mtu,
    List<Prefix> prefixes,
    List<NameServer> nameServers) {

  /** How the protocol writes "without end": 2³² − 1 seconds. */
  public static final Duration FOREVER = Duration.ofSeconds(0xffff_ffffL);

  public RouterAdvertisement {
    prefixes = List.copyOf(prefixes);
    nameServers = List.copyOf(nameServers);
  }

  /**
   * A network.
   *
   * @param address its first address
   * @param length of what all its addresses have in common, in bits
   * @param onLink whether its addresses are reached without a router
   * @param autonomous whether hosts make themselves addresses in it (RFC 4862)
   * @param valid how long such addresses last
   * @param preferred how long they may be used for what is new
   */
  public record Prefix(
      Inet6Address address,
      int length,
      boolean onLink,
      boolean autonomous,
      Duration valid,
      Duration preferred) {}

  /**
   * A recursive name server.
   *
   * @param address where it is
   * @param lifetime how long it may be asked; zero if no more
   */
  public record NameServer(Inet6Address address, Duration lifetime) {}
}
