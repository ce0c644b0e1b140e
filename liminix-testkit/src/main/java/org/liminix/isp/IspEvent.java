package org.liminix.isp;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.liminix.net.Ipv6Network;
import org.liminix.net.MacAddress;

/** Something a {@link BorderNetworkGateway} saw or did. An immutable value. */
public sealed interface IspEvent {
  /** When. */
  Instant at();

  /** The card of the client. */
  MacAddress peer();

  /**
   * A client looked for access concentrators (RFC 2516 PADI).
   *
   * @param serviceName the service it wants; empty for any
   * @param offered whether it got an offer; not if it wants a service that is not sold here
   */
  record Discovery(Instant at, MacAddress peer, String serviceName, boolean offered)
      implements IspEvent {}

  /**
   * A client was given the number of a session (RFC 2516 PADS).
   *
   * @param sessionId the number
   */
  record SessionStarted(Instant at, MacAddress peer, int sessionId) implements IspEvent {}

  /**
   * A client was refused a session that would have been one too many.
   *
   * @param limit the limit that it met
   * @param detail the same in words
   */
  record SessionRefused(Instant at, MacAddress peer, Limit limit, String detail)
      implements IspEvent {}

  /** What limits the number of sessions. */
  enum Limit {
    /** Of one {@linkplain Account#limit account}: refused at authentication. */
    ACCOUNT,
    /**
     * Of one {@linkplain BorderNetworkGatewayBuilder#sessionLimitPerClient card}: refused with an
     * AC-System-Error (RFC 2516 appendix A).
     */
    CLIENT,
    /** Of the ISP: refused with an AC-System-Error. */
    TOTAL
  }

  /**
   * A client could not prove who it is.
   *
   * @param sessionId the number of the session
   * @param user the name it gave; empty if none
   * @param reason as "wrong secret" or "unknown user"; the client is told less
   */
  record AuthenticationFailed(
      Instant at, MacAddress peer, int sessionId, String user, String reason) implements IspEvent {}

  /**
   * A client has an address; packets flow.
   *
   * @param session what it has
   */
  record SessionOpened(Instant at, MacAddress peer, PppSession session) implements IspEvent {}

  /**
   * A session got another address with {@link PppSession#renumber}.
   *
   * @param session which has its new address
   * @param before its old one
   */
  record SessionRenumbered(Instant at, MacAddress peer, PppSession session, Inet4Address before)
      implements IspEvent {}

  /**
   * IPv6 flows in a session, whether IPv4 does or not (RFC 5072).
   *
   * @param sessionId its number
   * @param linkLocal the client's address on the line
   * @param network what the client is told in router advertisements, if it is
   */
  record Ipv6Opened(
      Instant at,
      MacAddress peer,
      int sessionId,
      Inet6Address linkLocal,
      Optional<Ipv6Network> network)
      implements IspEvent {}

  /**
   * A client was delegated a prefix by DHCPv6, or has it for longer (RFC 8415).
   *
   * @param sessionId the number of its session
   * @param prefix which is routed to the client
   * @param renewed whether it had the prefix before
   */
  record PrefixDelegated(
      Instant at, MacAddress peer, int sessionId, Ipv6Network prefix, boolean renewed)
      implements IspEvent {}

  /**
   * A delegated prefix is free again: the client gave it back or its session ended.
   *
   * @param sessionId the number of the session
   * @param prefix which is not routed there any more
   */
  record PrefixReleased(Instant at, MacAddress peer, int sessionId, Ipv6Network prefix)
      implements IspEvent {}

  /**
   * A client was leased an address by DHCPv6, or has it for longer.
   *
   * @param sessionId the number of its session
   * @param address in the network of the line
   * @param renewed whether it had the address before
   */
  record Ipv6AddressLeased(
      Instant at, MacAddress peer, int sessionId, Inet6Address address, boolean renewed)
      implements IspEvent {}

  /**
   * A client sent a packet with a source that is not its address, as one that forgets to masquerade
   * does. It went nowhere (RFC 2827). Recorded once for each source that follows another.
   *
   * @param session whose client it is
   * @param source the address that is not its own
   */
  record ForeignSource(Instant at, MacAddress peer, PppSession session, Inet4Address source)
      implements IspEvent {}

  /**
   * A session ended, whether packets ever flowed or not.
   *
   * @param sessionId its number
   * @param user who the client proved to be; empty if it did not
   * @param reason who or what ended it
   * @param detail the same in words
   * @param duration for how long it was open in all
   * @param traffic what it carried
   */
  record SessionTerminated(
      Instant at,
      MacAddress peer,
      int sessionId,
      String user,
      Reason reason,
      String detail,
      Duration duration,
      PppTraffic traffic)
      implements IspEvent {}

  /** Who or what ended a session. */
  enum Reason {
    /** The client ended it, with an LCP Terminate-Request or a PADT. */
    CLIENT,
    /** {@link PppSession#terminate()}, {@link PppSession#drop()} or the end of the ISP. */
    ISP,
    /** The client did not answer LCP echo requests. */
    SILENCE,
    /** The client could not prove who it is. */
    AUTHENTICATION,
    /** LCP or IPCP found nothing both sides agree to. */
    NEGOTIATION,
    /** Every address of the pool is taken. */
    NO_ADDRESS,
    /** Its account has as many sessions as it may. */
    LIMIT,
    /** No packet came or went for the {@linkplain Account#idleTimeout time of its account}. */
    IDLE,
    /** It reached the {@linkplain Account#sessionTimeout age of its account}. */
    SESSION_TIMEOUT
  }
}
