package org.liminix.net;

import java.net.Inet4Address;
import java.time.Instant;

/** Something a {@link DhcpServer} saw or did. An immutable value. */
public sealed interface DhcpEvent {
  /** When. */
  Instant at();

  /** The card of the client. */
  MacAddress client();

  /** How a client asks for an address (RFC 2131 section 4.3.2). */
  enum Request {
    /** It takes up an offer. */
    SELECTING,
    /** It has restarted and would have its former address. */
    INIT_REBOOT,
    /** It has the address and would keep it: renewing or rebinding, which only T2 tells apart. */
    RENEWING,
    /** It knows only what was before DHCP, and keeps the address for ever (RFC 1534). */
    BOOTP
  }

  /** A client was offered an address (DHCPOFFER). */
  record Offered(Instant at, MacAddress client, Inet4Address address) implements DhcpEvent {}

  /**
   * A client was granted an address, or more time for it (DHCPACK).
   *
   * @param request how it asked
   */
  record Granted(Instant at, MacAddress client, Request request, DhcpBinding binding)
      implements DhcpEvent {}

  /**
   * A client was told that it may not have an address (DHCPNAK).
   *
   * @param reason what it was told
   */
  record Refused(Instant at, MacAddress client, Inet4Address address, String reason)
      implements DhcpEvent {}

  /**
   * A client got no answer.
   *
   * @param type of its message: 1 discover, 3 request, 4 decline, 7 release, 8 inform
   * @param reason as "no address is free"
   */
  record Ignored(Instant at, MacAddress client, int type, String reason) implements DhcpEvent {}

  /** A client found that somebody else has the address (DHCPDECLINE). */
  record Declined(Instant at, MacAddress client, Inet4Address address) implements DhcpEvent {}

  /** A client gave its address back (DHCPRELEASE). */
  record Released(Instant at, MacAddress client, Inet4Address address) implements DhcpEvent {}

  /** A client that has an address asked for everything else (DHCPINFORM). */
  record Informed(Instant at, MacAddress client, Inet4Address address) implements DhcpEvent {}

  /**
   * An address that was to be offered to the client is in use already.
   *
   * @param holder the card that answers for it
   */
  record Conflict(Instant at, MacAddress client, Inet4Address address, MacAddress holder)
      implements DhcpEvent {}
}
