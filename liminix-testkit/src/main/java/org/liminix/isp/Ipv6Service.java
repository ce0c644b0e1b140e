package org.liminix.isp;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Prefix;

/**
 * The IPv6 that a {@link BorderNetworkGateway} sells: to every session a network of its own in
 * router advertisements (RFC 4861), and prefixes for the networks behind the client by DHCPv6 (RFC
 * 8415).
 *
 * <pre>{@code
 * BorderNetworkGateway isp =
 *     BorderNetworkGateway.likeLiminix()
 *         .ipv6(
 *             Ipv6Service.standard()
 *                 .delegate("2001:db8:4000::/36", 48)
 *                 .dns("2001:db8::53")
 *                 .lifetimes(Duration.ofMinutes(30), Duration.ofHours(1)))
 *         .start(segments);
 * }</pre>
 *
 * <p>An immutable value, of which each method returns a changed copy. Addresses are those that RFC
 * 3849 reserves for documentation unless others are chosen.
 */
public final class Ipv6Service {
  /** As many as there are sessions. */
  private static final int MAX_NETWORKS_BITS = 16;

  final Terms terms;

  private Ipv6Service(Terms terms) {
    this.terms = terms;
  }

  /** What is sold; a copy is changed before anybody else sees it. */
  static final class Terms implements Cloneable {
    Ipv6Prefix sessions = Ipv6Prefix.parse("2001:db8:1::/48");
    boolean advertised = true;
    Ipv6Prefix delegations = Ipv6Prefix.parse("2001:db8:100::/40");
    int delegatedLength = 56;
    boolean delegating = true;
    boolean leasing;
    boolean managed;
    boolean otherConfiguration = true;
    List<Ipv6Address> dns = List.of();
    Duration preferred = Duration.ofHours(1);
    Duration valid = Duration.ofHours(2);
    Ipv6Prefix world = Ipv6Prefix.parse("2001:db8::1/64");
    boolean advertisedToWorld = true;

    private Terms copy() {
      try {
        return (Terms) clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }
  }

  private interface Change {
    void to(Terms terms);
  }

  private Ipv6Service with(Change change) {
    Terms changed = terms.copy();
    change.to(changed);
    return new Ipv6Service(changed);
  }

  /**
   * What clients of large ISPs get: a network of 64 bits of 2001:db8:1::/48 on the line, in which
   * they may make themselves addresses, and on request a prefix of 56 bits of 2001:db8:100::/40.
   * Hosts of the world find the ISP at 2001:db8::1/64, as it advertises there.
   */
  public static Ipv6Service standard() {
    return new Ipv6Service(new Terms());
  }

  /**
   * The range of which every session gets a network of 64 bits.
   *
   * @param range as {@code 2001:db8:1::/48}, of 1 to 65536 networks
   */
  public Ipv6Service sessions(String range) {
    Ipv6Prefix parsed = range(range, 64);
    return with(terms -> terms.sessions = parsed);
  }

  /**
   * Leaves networks of the line out of router advertisements: the client has its link-local address
   * there and otherwise what is delegated to it.
   */
  public Ipv6Service unnumbered() {
    return with(terms -> terms.advertised = false);
  }

  /**
   * The range of which prefixes are delegated.
   *
   * @param range as {@code 2001:db8:100::/40}, of 1 to 65536 prefixes
   * @param length of each prefix, up to 64 bits
   */
  public Ipv6Service delegate(String range, int length) {
    refuse(length > 64, "a prefix for networks has up to 64 bits, not " + length);
    Ipv6Prefix parsed = range(range, length);
    return with(
        terms -> {
          terms.delegations = parsed;
          terms.delegatedLength = length;
          terms.delegating = true;
        });
  }

  /** Delegates nothing: clients are told NoPrefixAvail. */
  public Ipv6Service withoutDelegation() {
    return with(terms -> terms.delegating = false);
  }

  /**
   * Leases an address of the line's network to clients that ask for one (IA_NA), and tells them in
   * router advertisements to do so (the M flag) instead of making themselves one.
   */
  public Ipv6Service leaseAddresses() {
    return with(
        terms -> {
          terms.leasing = true;
          terms.managed = true;
        });
  }

  /**
   * The flags of router advertisements, whatever is leased; otherwise O is set and M is if {@link
   * #leaseAddresses()} was called before.
   *
   * @param managed M: addresses are to be had from DHCPv6
   * @param otherConfiguration O: other things are to be had from DHCPv6
   */
  public Ipv6Service flags(boolean managed, boolean otherConfiguration) {
    return with(
        terms -> {
          terms.managed = managed;
          terms.otherConfiguration = otherConfiguration;
        });
  }

  /** Recursive name servers, for router advertisements (RFC 8106) and DHCPv6 (RFC 3646). */
  public Ipv6Service dns(String... addresses) {
    List<Ipv6Address> parsed = Stream.of(addresses).map(Ipv6Address::parse).toList();
    refuse(parsed.size() > 8, "eight name servers are enough, " + parsed.size() + " are not");
    return with(terms -> terms.dns = parsed);
  }

  /**
   * How long addresses and prefixes last: otherwise they are preferred for an hour and valid for
   * two. Clients renew what is delegated after half of the preferred time (RFC 8415 section 21.4);
   * for their addresses on the line the ISP advertises itself anew whenever a third of it is over.
   */
  public Ipv6Service lifetimes(Duration preferred, Duration valid) {
    refuse(
        preferred.toSeconds() < 1 || preferred.compareTo(valid) > 0,
        "the preferred lifetime is at least a second and at most the valid one: %s, %s"
            .formatted(preferred, valid));
    refuse(valid.toSeconds() > 0xffff_fffeL, "the valid lifetime is over 136 years long: " + valid);
    return with(
        terms -> {
          terms.preferred = preferred;
          terms.valid = valid;
        });
  }

  /** The ISP's address in the world with the length of its network, as {@code 2001:db8::1/64}. */
  public Ipv6Service worldAddress(String address) {
    Ipv6Prefix parsed = Ipv6Prefix.parse(address);
    refuse(!parsed.address().isGlobal(), parsed + " is no address that the world could use");
    return with(terms -> terms.world = parsed);
  }

  /** Sends no router advertisements to the world, whose hosts know their gateway. */
  public Ipv6Service silentInTheWorld() {
    return with(terms -> terms.advertisedToWorld = false);
  }

  private static Ipv6Prefix range(String text, int networkLength) {
    Ipv6Prefix range = Ipv6Prefix.parse(text);
    refuse(!range.isNetwork(), text + " has bits behind its length; write " + range.network());
    refuse(
        range.length() > networkLength || networkLength - range.length() > MAX_NETWORKS_BITS,
        "%s holds no prefixes of %d bits, or more than 65536; use a length of %d to %d"
            .formatted(text, networkLength, networkLength - MAX_NETWORKS_BITS, networkLength));
    return range;
  }

  /** Makes sure that every address belongs to one range. */
  void requireDistinctRanges() {
    refuseOverlap("sessions", terms.sessions, "worldAddress", terms.world);
    if (terms.delegating) {
      refuseOverlap("delegate", terms.delegations, "sessions", terms.sessions);
      refuseOverlap("delegate", terms.delegations, "worldAddress", terms.world);
    }
  }

  private static void refuseOverlap(String one, Ipv6Prefix range, String other, Ipv6Prefix with) {
    refuse(
        range.overlaps(with),
        "%s %s and %s %s overlap; choose two that do not".formatted(one, range, other, with));
  }

  private static void refuse(boolean badValue, String message) {
    if (badValue) {
      throw new IllegalArgumentException("Ipv6Service: " + message);
    }
  }
}
