package org.liminix.net;

import java.net.InetAddress;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A ping was not answered; {@link #reason()} says what happened instead. */
public final class PingFailedException extends NetworkException {
  private static final long serialVersionUID = 1L;

  /** Why a ping failed. */
  public enum Reason {
    /** The host has no address, or the target is elsewhere and the host has no gateway. */
    NO_ROUTE,
    /** The target, or the gateway towards it, does not answer ARP. */
    NO_ARP_REPLY,
    /** The target, or the router towards it, does not answer neighbour solicitations of IPv6. */
    NO_NEIGHBOUR_ADVERTISEMENT,
    /** Requests were sent and nothing came back. */
    NO_REPLY,
    /** Somebody on the way reported that the target cannot be reached. */
    UNREACHABLE,
    /** Somebody on the way reported that the packet travelled too far, as in a routing loop. */
    TIME_EXCEEDED
  }

  private final Reason reason;
  private final @Nullable InetAddress reporter;

  PingFailedException(Reason reason, @Nullable InetAddress reporter, String message) {
    super(message);
    this.reason = reason;
    this.reporter = reporter;
  }

  /** What happened instead of an answer. */
  public Reason reason() {
    return reason;
  }

  /** Who sent the ICMP error, if one came. */
  public Optional<InetAddress> reporter() {
    return Optional.ofNullable(reporter);
  }
}
