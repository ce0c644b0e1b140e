package org.liminix.isp;

import java.time.Instant;
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
   * A session ended, whether packets ever flowed or not.
   *
   * @param sessionId its number
   * @param reason who or what ended it
   * @param detail the same in words
   */
  record SessionTerminated(Instant at, MacAddress peer, int sessionId, Reason reason, String detail)
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
    NO_ADDRESS
  }
}
