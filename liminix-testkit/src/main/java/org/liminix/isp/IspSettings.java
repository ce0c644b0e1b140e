package org.liminix.isp;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.liminix.net.EventLoop;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.net.internal.SharedStart;

/**
 * An immutable description of an ISP.
 *
 * @param accounts by user
 * @param localAddress its own end of every session
 * @param poolFirst the first address for clients
 * @param poolLast the last one
 * @param worldAddress where hosts of the world network find it
 * @param authMethods in order of preference
 * @param freshAddresses whether a client that dials again gets another address of the pool
 * @param nat whether the world sees all clients at the ISP's own address
 * @param rechallenge how often a client proves anew who it is
 * @param services what is sold, the first one first
 * @param maxPayload the longest packet for clients that can take it (RFC 4638)
 * @param ipv6 what is sold of it
 */
record IspSettings(
    Network access,
    Network world,
    Map<String, Account> accounts,
    int localAddress,
    int poolFirst,
    int poolLast,
    boolean freshAddresses,
    boolean nat,
    Ipv4Prefix worldAddress,
    List<Integer> dns,
    List<AuthMethod> authMethods,
    Optional<Duration> rechallenge,
    String acName,
    List<String> services,
    int sessionLimit,
    int sessionLimitPerClient,
    Duration echoInterval,
    int echoLimit,
    int maxPayload,
    IspFaults faults,
    Optional<Ipv6Service> ipv6)
    implements Spec<BorderNetworkGateway> {

  /** What proves who a user is, by user. */
  Map<String, String> secrets() {
    return accounts.values().stream()
        .collect(Collectors.toUnmodifiableMap(Account::user, Account::secret));
  }

  /** The addresses of accounts that always have the same. */
  Set<Integer> fixedAddresses() {
    Set<Integer> fixed = new HashSet<>();
    for (Account account : accounts.values()) {
      Integer address = account.terms.address;
      if (address != null) {
        fixed.add(address);
      }
    }
    return fixed;
  }

  @Override
  public BorderNetworkGateway start(Segments segments) {
    return start(segments, () -> {});
  }

  @Override
  public BorderNetworkGateway start() {
    return SharedStart.of(this::start);
  }

  private BorderNetworkGateway start(Segments segments, Runnable onClose) {
    EventLoop loop = segments.loop();
    var accessSegment = segments.get(access);
    var worldSegment = segments.get(world);
    return loop.compute(() -> new BorderNetworkGateway(this, accessSegment, worldSegment, onClose));
  }
}
