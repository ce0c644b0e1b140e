package org.liminix.isp;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;

/**
 * Describes a {@link RouterOs}. What is not chosen is as with {@link BorderNetworkGateway}: the ISP
 * is 192.168.100.1, its clients are 192.168.100.10 to 192.168.100.99.
 *
 * <p>Not thread-safe.
 */
public final class RouterOsBuilder {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofMinutes(3);

  private final BorderNetworkGatewayBuilder terms = new BorderNetworkGatewayBuilder();

  private final Path image;
  private @Nullable Duration timeout;

  RouterOsBuilder(Path image) {
    this.image = image;
  }

  /** Lets the account dial in that the tests of Liminix dial. */
  public RouterOsBuilder likeLiminix() {
    return account("db123@a.1", "NotReallyTheSecret");
  }

  /** Who may dial in. To be called once for every user. */
  public RouterOsBuilder account(String user, String secret) {
    terms.account(user, secret);
    return this;
  }

  /** The network of the clients; otherwise {@link Network#ACCESS}. */
  public RouterOsBuilder access(Network network) {
    terms.access(network);
    return this;
  }

  /** The network of everybody else; otherwise {@link Network#WORLD}. */
  public RouterOsBuilder world(Network network) {
    terms.world(network);
    return this;
  }

  /** The ISP's own end of every session; otherwise 192.168.100.1. */
  public RouterOsBuilder localAddress(String address) {
    terms.localAddress(address);
    return this;
  }

  /** The first and the last address for clients; otherwise 192.168.100.10 and 192.168.100.99. */
  public RouterOsBuilder pool(String first, String last) {
    terms.pool(first, last);
    return this;
  }

  /** The ISP's address in the world with the length of its network; otherwise 10.0.2.1/24. */
  public RouterOsBuilder worldAddress(String address) {
    terms.worldAddress(address);
    return this;
  }

  /** One or two name servers that clients are told; otherwise none. */
  public RouterOsBuilder dns(String... addresses) {
    terms.dns(addresses);
    return this;
  }

  /**
   * How clients may prove who they are; otherwise with any. Of several, RouterOS asks for which it
   * likes first, in whatever order they are named.
   */
  public RouterOsBuilder authentication(AuthMethod first, AuthMethod... others) {
    terms.authentication(first, others);
    return this;
  }

  /** What the access concentrator calls itself; otherwise "liminix". */
  public RouterOsBuilder acName(String name) {
    terms.acName(name);
    return this;
  }

  /** The one service it sells besides "any"; otherwise "internet". */
  public RouterOsBuilder serviceName(String name) {
    terms.serviceName(name);
    return this;
  }

  /** How long RouterOS may take to start, and then to serve; otherwise 3 minutes. */
  public RouterOsBuilder timeout(Duration timeout) {
    if (this.timeout != null) {
      throw new IllegalStateException("ISP: timeout was called before; call it once");
    }
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("ISP: a timeout is longer than nothing: " + timeout);
    }
    this.timeout = timeout;
    return this;
  }

  /** The description as an immutable value, to be started any number of times. */
  public Spec<RouterOs> spec() {
    return new RouterOsSettings(
        image, (IspSettings) terms.spec(), timeout == null ? DEFAULT_TIMEOUT : timeout);
  }

  /** Starts it on the given networks. */
  public RouterOs start(Segments segments) {
    return spec().start(segments);
  }

  /** Starts it on the shared networks of the multicast convention. */
  public RouterOs start() {
    return spec().start();
  }
}
