package org.liminix.net.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where packets of a host go: the networks on its link and the routers beyond (RFC 4861 section
 * 5.1). Confined to the loop.
 */
final class Ipv6Routes {
  private static final int MAX_PREFIXES = 64;
  private static final int MAX_ROUTERS = 16;
  private static final long NANOS = 1_000_000_000L;

  private final Map<Ipv6Prefix, Long> onLinkUntil = new LinkedHashMap<>();
  private final Map<Ipv6Address, Long> routerUntil = new LinkedHashMap<>();
  private final List<Ipv6Prefix> fixed = new ArrayList<>();
  private @Nullable Ipv6Address gateway;

  /** A network that is on the link for good. */
  void fix(Ipv6Prefix network) {
    fixed.add(network);
  }

  /** The router for good; those that advertise themselves are for when there is none. */
  void gateway(Ipv6Address router) {
    gateway = router;
  }

  void onLink(Ipv6Prefix network, long seconds) {
    put(onLinkUntil, network, seconds, MAX_PREFIXES);
  }

  void router(Ipv6Address router, long seconds) {
    put(routerUntil, router, seconds, MAX_ROUTERS);
  }

  private static <K> void put(Map<K, Long> map, K key, long seconds, int most) {
    if (seconds == 0) {
      map.remove(key);
    } else if (map.containsKey(key) || map.size() < most) {
      map.put(key, System.nanoTime() + seconds * NANOS);
    }
  }

  /** A router does not answer: the others are tried before it (RFC 4861 section 6.3.6). */
  void silent(Ipv6Address router) {
    Long until = routerUntil.remove(router);
    if (until != null) {
      routerUntil.put(router, until);
    }
  }

  boolean isOnLink(Ipv6Address destination) {
    long now = System.nanoTime();
    onLinkUntil.values().removeIf(until -> until - now <= 0);
    return destination.isLinkLocal()
        || fixed.stream().anyMatch(network -> network.contains(destination))
        || onLinkUntil.keySet().stream().anyMatch(network -> network.contains(destination));
  }

  /** The router for what is not on the link, or null if there is none. */
  @Nullable Ipv6Address router() {
    long now = System.nanoTime();
    routerUntil.values().removeIf(until -> until - now <= 0);
    if (gateway != null) {
      return gateway;
    }
    return routerUntil.keySet().stream().findFirst().orElse(null);
  }

  /** Whom to hand a packet to, or null if nobody takes it. */
  @Nullable Ipv6Address nextHop(Ipv6Address destination) {
    return isOnLink(destination) ? destination : router();
  }
}
