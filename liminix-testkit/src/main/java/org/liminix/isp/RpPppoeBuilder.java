package org.liminix.isp;

import java.time.Duration;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;

/**
 * Describes an {@link RpPppoe}. What is not chosen is as with {@link BorderNetworkGateway}: the ISP
 * is 192.168.100.1, its clients are 192.168.100.10 to 192.168.100.99.
 *
 * <p>Not thread-safe.
 */
public final class RpPppoeBuilder {
  private final BorderNetworkGatewayBuilder terms = new BorderNetworkGatewayBuilder();

  RpPppoeBuilder() {}

  /** Who may dial in. To be called once for every user. */
  public RpPppoeBuilder account(String user, String secret) {
    terms.account(user, secret);
    return this;
  }

  /** The network of the clients; otherwise {@link Network#ACCESS}. */
  public RpPppoeBuilder access(Network network) {
    terms.access(network);
    return this;
  }

  /** The network of everybody else; otherwise {@link Network#WORLD}. */
  public RpPppoeBuilder world(Network network) {
    terms.world(network);
    return this;
  }

  /** The ISP's own end of every session; otherwise 192.168.100.1. */
  public RpPppoeBuilder localAddress(String address) {
    terms.localAddress(address);
    return this;
  }

  /** The first and the last address for clients; otherwise 192.168.100.10 and 192.168.100.99. */
  public RpPppoeBuilder pool(String first, String last) {
    terms.pool(first, last);
    return this;
  }

  /** The ISP's address in the world with the length of its network; otherwise 10.0.2.1/24. */
  public RpPppoeBuilder worldAddress(String address) {
    terms.worldAddress(address);
    return this;
  }

  /** One or two name servers that clients are told; otherwise none. */
  public RpPppoeBuilder dns(String... addresses) {
    terms.dns(addresses);
    return this;
  }

  /**
   * How clients may prove who they are; otherwise with any. Of several, pppd asks for CHAP first,
   * then for MS-CHAP, then for PAP, in whatever order they are named.
   */
  public RpPppoeBuilder authentication(AuthMethod first, AuthMethod... others) {
    terms.authentication(first, others);
    return this;
  }

  /** What the access concentrator calls itself; otherwise "liminix". */
  public RpPppoeBuilder acName(String name) {
    terms.acName(name);
    return this;
  }

  /** The one service it sells besides "any"; otherwise "internet". */
  public RpPppoeBuilder serviceName(String name) {
    terms.serviceName(name);
    return this;
  }

  /**
   * How often a client is asked for a sign of life, in whole seconds, and after how many times
   * without one its session ends; otherwise every 10 seconds and 3 times.
   */
  public RpPppoeBuilder echo(Duration interval, int limit) {
    terms.echo(interval, limit);
    return this;
  }

  /** The description as an immutable value, to be started any number of times. */
  public Spec<RpPppoe> spec() {
    return new RpPppoeSettings((IspSettings) terms.spec());
  }

  /** Starts it on the given networks. */
  public RpPppoe start(Segments segments) {
    return spec().start(segments);
  }

  /** Starts it on the shared networks of the multicast convention. */
  public RpPppoe start() {
    return spec().start();
  }
}
