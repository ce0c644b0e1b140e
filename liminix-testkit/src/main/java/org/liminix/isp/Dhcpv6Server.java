package org.liminix.isp;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Dhcpv6Message;
import org.liminix.net.internal.Dhcpv6Message.Association;
import org.liminix.net.internal.Dhcpv6Message.Option;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Prefix;

/**
 * What the ISP answers to DHCPv6 (RFC 8415): it delegates prefixes, leases addresses if it sells
 * them, and tells the name servers. Confined to the loop.
 */
final class Dhcpv6Server {
  private static final int DUID_LL = 3;
  private static final int ETHERNET = 1;

  private final ByteBuffer identifier;
  private final List<Ipv6Address> dns;
  private final long preferred;
  private final long valid;

  /**
   * A server that is known by a card (RFC 8415 section 11.4).
   *
   * @param preferred how long to use what it gives for what is new
   * @param valid how long to use it at all
   */
  Dhcpv6Server(long mac, List<Ipv6Address> dns, Duration preferred, Duration valid) {
    ByteBuffer duid = ByteBuffer.allocate(10).putShort((short) DUID_LL).putShort((short) ETHERNET);
    Ethernet.putMac(duid, mac);
    this.identifier = duid.flip().asReadOnlyBuffer();
    this.dns = dns;
    this.preferred = preferred.toSeconds();
    this.valid = valid.toSeconds();
  }

  /** The answer to a client's message; empty if it must be discarded (RFC 8415 section 16). */
  Optional<Dhcpv6Message> answer(Dhcpv6Message asked, Dhcpv6Bindings bindings) {
    ByteBuffer client = asked.find(Dhcpv6Message.CLIENT_ID).orElse(null);
    Optional<ByteBuffer> server = asked.find(Dhcpv6Message.SERVER_ID);
    boolean forUs = server.isPresent() && server.get().equals(identifier);
    boolean expected =
        switch (asked.type()) {
          case Dhcpv6Message.SOLICIT, Dhcpv6Message.REBIND, Dhcpv6Message.CONFIRM ->
              client != null && server.isEmpty();
          case Dhcpv6Message.REQUEST,
              Dhcpv6Message.RENEW,
              Dhcpv6Message.RELEASE,
              Dhcpv6Message.DECLINE ->
              client != null && forUs;
          case Dhcpv6Message.INFORMATION_REQUEST ->
              (server.isEmpty() || forUs) && asked.associations().isEmpty();
          default -> false; // what servers and relays say
        };
    if (!expected) {
      return Optional.empty();
    }
    List<Option> options = new ArrayList<>();
    if (client == null) {
      options.add(new Option(Dhcpv6Message.SERVER_ID, identifier));
      putDns(asked, options);
      return Optional.of(new Dhcpv6Message(Dhcpv6Message.REPLY, asked.transaction(), options));
    }
    options.add(new Option(Dhcpv6Message.CLIENT_ID, client));
    options.add(new Option(Dhcpv6Message.SERVER_ID, identifier));
    int type = Dhcpv6Message.REPLY;
    switch (asked.type()) {
      case Dhcpv6Message.SOLICIT -> {
        // RFC 8415 section 18.3.1: two messages do where the client takes a short cut.
        boolean rapid = asked.find(Dhcpv6Message.RAPID_COMMIT).isPresent();
        if (rapid) {
          options.add(Option.of(Dhcpv6Message.RAPID_COMMIT));
        } else {
          type = Dhcpv6Message.ADVERTISE;
        }
        asked.associations().forEach(ia -> options.add(give(client, ia, rapid, bindings)));
      }
      case Dhcpv6Message.REQUEST ->
          asked.associations().forEach(ia -> options.add(give(client, ia, true, bindings)));
      case Dhcpv6Message.RENEW, Dhcpv6Message.REBIND ->
          asked.associations().forEach(ia -> options.add(prolong(client, ia, bindings)));
      case Dhcpv6Message.RELEASE, Dhcpv6Message.DECLINE -> {
        options.add(Dhcpv6Message.status(Dhcpv6Message.SUCCESS));
        for (Association ia : asked.associations()) {
          if (bindings.granted(client, ia) == null) {
            options.add(refusal(ia, Dhcpv6Message.NO_BINDING));
          }
          bindings.release(client, ia);
        }
      }
      case Dhcpv6Message.CONFIRM -> {
        Optional<Boolean> onLink = onLink(asked, bindings);
        if (onLink.isEmpty()) {
          return Optional.empty(); // RFC 8415 section 18.3.3
        }
        options.add(
            Dhcpv6Message.status(onLink.get() ? Dhcpv6Message.SUCCESS : Dhcpv6Message.NOT_ON_LINK));
      }
      default -> {} // of an Information-request, the name servers are all
    }
    putDns(asked, options);
    return Optional.of(new Dhcpv6Message(type, asked.transaction(), options));
  }

  private Option give(
      ByteBuffer client, Association ia, boolean granting, Dhcpv6Bindings bindings) {
    Ipv6Prefix prefix = bindings.reserve(client, ia);
    if (prefix == null) {
      return refusal(
          ia,
          ia.code() == Dhcpv6Message.IA_PD
              ? Dhcpv6Message.NO_PREFIX_AVAILABLE
              : Dhcpv6Message.NO_ADDRESS_AVAILABLE);
    }
    if (granting) {
      bindings.grant(client, ia);
    }
    return holding(ia, prefix);
  }

  private Option holding(Association ia, Ipv6Prefix prefix) {
    // RFC 8415 section 21.4: T1 and T2 are recommended to be 0.5 and 0.8 of the preferred time.
    return new Association(
            ia.code(),
            ia.id(),
            preferred / 2,
            preferred * 4 / 5,
            List.of(Dhcpv6Message.holding(ia.code(), prefix, preferred, valid)))
        .toOption();
  }

  private static Option refusal(Association ia, int status) {
    return new Association(ia.code(), ia.id(), 0, 0, List.of(Dhcpv6Message.status(status)))
        .toOption();
  }

  /** RFC 8415 sections 18.3.4 and 18.3.5: what is not the client's is to be forgotten by it. */
  private Option prolong(ByteBuffer client, Association ia, Dhcpv6Bindings bindings) {
    @Nullable Ipv6Prefix held = bindings.granted(client, ia);
    List<Option> options = new ArrayList<>();
    for (Ipv6Prefix claimed : ia.prefixes()) {
      if (!claimed.equals(held)) {
        options.add(Dhcpv6Message.holding(ia.code(), claimed, 0, 0));
      }
    }
    if (held == null) {
      options.add(Dhcpv6Message.status(Dhcpv6Message.NO_BINDING));
      return new Association(ia.code(), ia.id(), 0, 0, options).toOption();
    }
    bindings.grant(client, ia);
    options.add(0, Dhcpv6Message.holding(ia.code(), held, preferred, valid));
    return new Association(ia.code(), ia.id(), preferred / 2, preferred * 4 / 5, options)
        .toOption();
  }

  /** Whether the addresses a client asks about fit the line; empty if it asks about none. */
  private static Optional<Boolean> onLink(Dhcpv6Message asked, Dhcpv6Bindings bindings) {
    List<Ipv6Prefix> addresses =
        asked.associations().stream()
            .filter(ia -> ia.code() == Dhcpv6Message.IA_NA)
            .flatMap(ia -> ia.prefixes().stream())
            .toList();
    return addresses.isEmpty()
        ? Optional.empty()
        : Optional.of(addresses.stream().allMatch(bindings::isOnLink));
  }

  private void putDns(Dhcpv6Message asked, List<Option> options) {
    if (!dns.isEmpty() && asked.requests(Dhcpv6Message.DNS_SERVERS)) {
      ByteBuffer addresses = ByteBuffer.allocate(dns.size() * Ipv6Address.LENGTH);
      dns.forEach(address -> address.put(addresses));
      options.add(new Option(Dhcpv6Message.DNS_SERVERS, addresses.flip()));
    }
  }
}
