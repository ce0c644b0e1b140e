package org.liminix.isp;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Prefix;

/**
 * Describes a {@link BorderNetworkGateway}. What is not chosen is as in the tests of Liminix: the
 * ISP is 192.168.100.1, its clients are 192.168.100.10 to 192.168.100.99.
 *
 * <pre>{@code
 * Spec<BorderNetworkGateway> isp =
 *     BorderNetworkGateway.account("ann", "secret").dns("10.0.2.2").authentication(PAP).spec();
 * }</pre>
 *
 * <p>Not thread-safe.
 */
public final class BorderNetworkGatewayBuilder {
  /** Of names in PPP and PPPoE. */
  private static final int MAX_NAME_BYTES = 255;

  /** What jumbo frames carry. */
  private static final int MAX_PAYLOAD = 9000;

  private final Map<String, Account> accounts = new LinkedHashMap<>();
  private @Nullable Network access;
  private @Nullable Network world;
  private @Nullable Integer localAddress;
  private int @Nullable [] pool;
  private @Nullable Ipv4Prefix worldAddress;
  private @Nullable List<Integer> dns;
  private @Nullable List<AuthMethod> authMethods;
  private @Nullable String acName;
  private @Nullable List<String> services;
  private @Nullable Integer sessionLimit;
  private @Nullable Integer sessionLimitPerClient;
  private @Nullable Boolean freshAddresses;
  private @Nullable Boolean nat;
  private @Nullable Duration rechallenge;
  private @Nullable IspFaults faults;
  private @Nullable Ipv6Service ipv6;
  private boolean withoutIpv6;
  private @Nullable Duration echoInterval;
  private @Nullable Integer echoLimit;
  private @Nullable Integer maxPayload;

  BorderNetworkGatewayBuilder() {}

  /** Who may dial in. To be called once for every user. */
  public BorderNetworkGatewayBuilder account(String user, String secret) {
    return account(Account.of(user, secret));
  }

  /** Who may dial in, and on what terms. To be called once for every user. */
  public BorderNetworkGatewayBuilder account(Account account) {
    String user = account.user();
    refuseOrder(accounts.containsKey(user), "user " + user + " has an account; give each user one");
    accounts.put(user, account);
    return this;
  }

  /** The network of the clients; otherwise {@link Network#ACCESS}. */
  public BorderNetworkGatewayBuilder access(Network network) {
    access = once(access, network, "access");
    return this;
  }

  /** The network of everybody else; otherwise {@link Network#WORLD}. */
  public BorderNetworkGatewayBuilder world(Network network) {
    world = once(world, network, "world");
    return this;
  }

  /** The ISP's own end of every session; otherwise 192.168.100.1. */
  public BorderNetworkGatewayBuilder localAddress(String address) {
    localAddress = once(localAddress, Ipv4.parse(address), "localAddress");
    return this;
  }

  /** The first and the last address for clients; otherwise 192.168.100.10 and 192.168.100.99. */
  public BorderNetworkGatewayBuilder pool(String first, String last) {
    int[] range = {Ipv4.parse(first), Ipv4.parse(last)};
    refuse(
        Integer.compareUnsigned(range[0], range[1]) > 0,
        "the pool begins after its end: " + first + " to " + last + "; swap them");
    refuse(
        range[1] - range[0] < 0 || range[1] - range[0] > 0xfffe,
        "a pool holds at most 65535 addresses, as many as there are sessions");
    pool = once(pool, range, "pool");
    return this;
  }

  /**
   * Has a client that dials again get another address of the pool, as ISPs do that sell fixed ones
   * separately; otherwise it gets the lowest that is free.
   */
  public BorderNetworkGatewayBuilder freshAddresses() {
    freshAddresses = once(freshAddresses, true, "freshAddresses");
    return this;
  }

  /**
   * Has the world see all clients at the ISP's address there, so that hosts without a route to the
   * clients can answer (RFC 3022, RFC 4787): "carrier-grade NAT". Nobody in the world can open a
   * connection to a client then. Otherwise packets are routed unchanged.
   */
  public BorderNetworkGatewayBuilder nat() {
    nat = once(nat, true, "nat");
    return this;
  }

  /**
   * The ISP's address in the world with the length of its network, which hosts there use as their
   * gateway; otherwise 10.0.2.1/24.
   */
  public BorderNetworkGatewayBuilder worldAddress(String address) {
    worldAddress = once(worldAddress, Ipv4Prefix.parse(address), "worldAddress");
    return this;
  }

  /** One or two name servers that clients are told; otherwise none. */
  public BorderNetworkGatewayBuilder dns(String... addresses) {
    refuse(
        addresses.length < 1 || addresses.length > 2,
        "IPCP (RFC 1877) has room for one or two name servers, not " + addresses.length);
    dns = once(dns, Stream.of(addresses).map(Ipv4::parse).toList(), "dns");
    return this;
  }

  /**
   * How clients prove who they are, in order of preference; otherwise with CHAP, or MS-CHAP or PAP
   * for those that refuse it.
   */
  public BorderNetworkGatewayBuilder authentication(AuthMethod first, AuthMethod... others) {
    List<AuthMethod> methods = Stream.concat(Stream.of(first), Stream.of(others)).toList();
    refuse(methods.stream().distinct().count() < methods.size(), "name each method once");
    authMethods = once(authMethods, methods, "authentication");
    return this;
  }

  /**
   * How often a client must prove anew who it is, if with CHAP (RFC 1994 section 2); otherwise
   * once.
   */
  public BorderNetworkGatewayBuilder rechallenge(Duration interval) {
    refuse(interval.isNegative() || interval.isZero(), "the interval must be positive");
    rechallenge = once(rechallenge, interval, "rechallenge");
    return this;
  }

  /**
   * At most so many sessions, open or not; requests beyond are refused with an AC-System-Error.
   * Otherwise as many as PPPoE has numbers.
   */
  public BorderNetworkGatewayBuilder sessionLimit(int sessions) {
    refuse(sessions < 1, "a limit of sessions is at least 1, not " + sessions);
    sessionLimit = once(sessionLimit, sessions, "sessionLimit");
    return this;
  }

  /** As {@link #sessionLimit}, of one network card. */
  public BorderNetworkGatewayBuilder sessionLimitPerClient(int sessions) {
    refuse(sessions < 1, "a limit of sessions is at least 1, not " + sessions);
    sessionLimitPerClient = once(sessionLimitPerClient, sessions, "sessionLimitPerClient");
    return this;
  }

  /** What the ISP does wrong from the start; {@link BorderNetworkGateway#misbehave} changes it. */
  public BorderNetworkGatewayBuilder faults(IspFaults faults) {
    this.faults = once(this.faults, faults, "faults");
    return this;
  }

  /** The IPv6 it sells; otherwise {@link Ipv6Service#standard()}. */
  public BorderNetworkGatewayBuilder ipv6(Ipv6Service service) {
    refuseOrder(withoutIpv6, "it is withoutIpv6(); leave out one of the two");
    service.requireDistinctRanges();
    ipv6 = once(ipv6, service, "ipv6");
    return this;
  }

  /** Sells no IPv6, and has none in the world. */
  public BorderNetworkGatewayBuilder withoutIpv6() {
    refuseOrder(withoutIpv6, "withoutIpv6() was called before; call it once");
    refuseOrder(ipv6 != null, "ipv6(…) was called; leave out one of the two");
    withoutIpv6 = true;
    return this;
  }

  /** What the access concentrator calls itself; otherwise "liminix". */
  public BorderNetworkGatewayBuilder acName(String name) {
    refuse(name.isEmpty() || length(name) > MAX_NAME_BYTES, "an AC name has 1 to 255 bytes");
    acName = once(acName, name, "acName");
    return this;
  }

  /** The services it sells besides "any"; otherwise "internet". */
  public BorderNetworkGatewayBuilder serviceName(String first, String... others) {
    List<String> names = Stream.concat(Stream.of(first), Stream.of(others)).distinct().toList();
    int bytes = names.stream().mapToInt(name -> 4 + length(name)).sum();
    refuse(
        names.stream().anyMatch(name -> length(name) > MAX_NAME_BYTES),
        "a service name has at most 255 bytes");
    refuse(bytes > 1000, "the names of services must fit a PADO, in which they have 1000 bytes");
    services = once(services, names, "serviceName");
    return this;
  }

  /**
   * How often a client is asked for a sign of life and after how many times without one its session
   * ends; otherwise every 10 seconds and 3 times.
   */
  public BorderNetworkGatewayBuilder echo(Duration interval, int limit) {
    refuse(interval.isNegative() || interval.isZero(), "the echo interval must be positive");
    refuse(limit < 1, "the echo limit must be at least 1, not " + limit);
    echoInterval = once(echoInterval, interval, "echo");
    echoLimit = limit;
    return this;
  }

  /**
   * The longest packet, in bytes, that a session may carry where the client's Ethernet takes more
   * than 1500 and it says so (RFC 4638), as those do that want an MTU of 1500; otherwise 1500.
   * Sessions of all other clients carry 1492.
   */
  public BorderNetworkGatewayBuilder maxPayload(int bytes) {
    refuse(
        bytes < Ppp.MAX_MRU || bytes > MAX_PAYLOAD,
        "a payload has %d to %d bytes, not %d".formatted(Ppp.MAX_MRU, MAX_PAYLOAD, bytes));
    maxPayload = once(maxPayload, bytes, "maxPayload");
    return this;
  }

  private static int length(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  private static <T> T once(@Nullable T before, T value, String setter) {
    refuseOrder(before != null, setter + " was called before; call it once");
    return value;
  }

  private static void refuse(boolean badValue, String message) {
    if (badValue) {
      throw new IllegalArgumentException("ISP: " + message);
    }
  }

  private static void refuseOrder(boolean contradiction, String message) {
    if (contradiction) {
      throw new IllegalStateException("ISP: " + message);
    }
  }

  private static <T> T orElse(@Nullable T chosen, T otherwise) {
    return chosen == null ? otherwise : chosen;
  }

  /** The description as an immutable value, to be started any number of times. */
  public Spec<BorderNetworkGateway> spec() {
    int local = orElse(localAddress, Ipv4.parse("192.168.100.1"));
    int[] range =
        orElse(pool, new int[] {Ipv4.parse("192.168.100.10"), Ipv4.parse("192.168.100.99")});
    AddressPool clients = new AddressPool(range[0], range[1], checkedAddresses(), false);
    refuseOrder(
        clients.contains(local),
        "the ISP's own address %s is in the pool or an account's; choose another localAddress"
            .formatted(Ipv4.toString(local)));
    Network from = orElse(access, Network.ACCESS);
    Network to = orElse(world, Network.WORLD);
    refuseOrder(from.equals(to), "access and world are both " + from + "; use two networks");
    return new IspSettings(
        from,
        to,
        Map.copyOf(accounts),
        local,
        range[0],
        range[1],
        orElse(freshAddresses, false),
        orElse(nat, false),
        orElse(worldAddress, Ipv4Prefix.parse("10.0.2.1/24")),
        orElse(dns, List.of()),
        orElse(authMethods, List.of(AuthMethod.CHAP_MD5, AuthMethod.MS_CHAP_V2, AuthMethod.PAP)),
        Optional.ofNullable(rechallenge),
        orElse(acName, "liminix"),
        orElse(services, List.of("internet")),
        orElse(sessionLimit, Integer.MAX_VALUE),
        orElse(sessionLimitPerClient, Integer.MAX_VALUE),
        orElse(echoInterval, Duration.ofSeconds(10)),
        orElse(echoLimit, 3),
        orElse(maxPayload, Ppp.DEFAULT_MRU),
        orElse(faults, IspFaults.none()),
        withoutIpv6 ? Optional.empty() : Optional.of(orElse(ipv6, Ipv6Service.standard())));
  }

  /** The fixed ones. */
  private Set<Integer> checkedAddresses() {
    Set<Integer> addresses = new HashSet<>();
    for (Account account : accounts.values()) {
      Integer address = account.terms.address;
      refuseOrder(
          address != null && !addresses.add(address),
          "two accounts have %s; give each an address of its own"
              .formatted(address == null ? "" : Ipv4.toString(address)));
    }
    return addresses;
  }

  /** Starts it on the given networks. */
  public BorderNetworkGateway start(Segments segments) {
    return spec().start(segments);
  }

  /** Starts it on the shared networks of the multicast convention. */
  public BorderNetworkGateway start() {
    return spec().start();
  }
}
