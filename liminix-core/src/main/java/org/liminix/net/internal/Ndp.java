package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.liminix.net.RouterAdvertisement;
import org.liminix.net.RouterAdvertisement.NameServer;
import org.liminix.net.RouterAdvertisement.Prefix;

/**
 * The messages of Neighbor Discovery for IPv6 (RFC 4861). Those that are written are whole packets;
 * those that are read begin at an index of one.
 */
public final class Ndp {
  /** RFC 4861 section 11.2: what comes from beyond the link has less. */
  public static final int HOP_LIMIT = 255;

  /** Flags of a neighbour advertisement. */
  public static final int ROUTER = 0x8000_0000;

  public static final int SOLICITED = 0x4000_0000;
  public static final int OVERRIDE = 0x2000_0000;

  static final int SOURCE_LINK_LAYER = 1;
  static final int TARGET_LINK_LAYER = 2;
  private static final int PREFIX = 3;
  private static final int MTU = 5;
  private static final int RDNSS = 25;

  /** Behind the ICMPv6 header of 4 bytes, by type. */
  static final int SOLICITATION_OPTIONS = 24;

  static final int ROUTER_SOLICITATION_OPTIONS = 8;
  private static final int ROUTER_OPTIONS = 16;

  private static final int MANAGED = 0x80;
  private static final int OTHER = 0x40;
  private static final int ON_LINK = 0x80;
  private static final int AUTONOMOUS = 0x40;

  private Ndp() {}

  /** Whether a message with a checksum that is right may be looked at (RFC 4861 section 7.1). */
  public static boolean isValid(ByteBuffer packet, int at) {
    if (Ipv6.hopLimit(packet) != HOP_LIMIT || Icmpv6.code(packet, at) != 0) {
      return false;
    }
    int options =
        switch (Icmpv6.type(packet, at)) {
          case Icmpv6.ROUTER_SOLICITATION -> ROUTER_SOLICITATION_OPTIONS;
          case Icmpv6.ROUTER_ADVERTISEMENT -> ROUTER_OPTIONS;
          case Icmpv6.NEIGHBOUR_SOLICITATION, Icmpv6.NEIGHBOUR_ADVERTISEMENT ->
              SOLICITATION_OPTIONS;
          default -> packet.limit();
        };
    return hasWholeOptions(packet, at + options);
  }

  private static boolean hasWholeOptions(ByteBuffer packet, int from) {
    int at = from;
    while (at < packet.limit()) {
      if (packet.limit() - at < 8) {
        return false;
      }
      int length = optionLength(packet, at);
      if (length == 0 || length > packet.limit() - at) {
        return false;
      }
      at += length;
    }
    return at == packet.limit();
  }

  private static int optionLength(ByteBuffer packet, int at) {
    return 8 * Byte.toUnsignedInt(packet.get(at + 1));
  }

  /** The Ethernet address in an option of a valid message, or null if it has none. */
  static @Nullable Long linkLayer(ByteBuffer packet, int optionsFrom, int type) {
    for (int at = optionsFrom; at < packet.limit(); at += optionLength(packet, at)) {
      if (packet.get(at) == type) {
        return Ethernet.mac(packet, at + 2);
      }
    }
    return null;
  }

  /** The Ethernet address of who sent a valid router advertisement, or null if it does not say. */
  static @Nullable Long routerLinkLayer(ByteBuffer packet, int at) {
    return linkLayer(packet, at + ROUTER_OPTIONS, SOURCE_LINK_LAYER);
  }

  /** Whom a solicitation or advertisement is about. */
  public static Ipv6Address target(ByteBuffer packet, int at) {
    return Ipv6Address.read(packet, at + 8);
  }

  static int flags(ByteBuffer packet, int at) {
    return packet.getInt(at + 4);
  }

  /**
   * Writes the question where a neighbour is.
   *
   * @param destination the neighbour itself, to see whether it is still there, or its group
   * @param mac who asks, or null not to say, as in duplicate address detection
   */
  static ByteBuffer writeSolicitation(
      ByteBuffer out,
      Ipv6Address source,
      Ipv6Address destination,
      Ipv6Address target,
      @Nullable Long mac) {
    Icmpv6.begin(out, source, destination, HOP_LIMIT, Icmpv6.NEIGHBOUR_SOLICITATION);
    target.put(out.putInt(0));
    putLinkLayer(out, SOURCE_LINK_LAYER, mac);
    return Icmpv6.finish(out);
  }

  /**
   * Writes the answer where a neighbour is.
   *
   * @param mac its card, or null where links have no such addresses
   */
  public static ByteBuffer writeAdvertisement(
      ByteBuffer out,
      Ipv6Address source,
      Ipv6Address destination,
      Ipv6Address target,
      int flags,
      @Nullable Long mac) {
    Icmpv6.begin(out, source, destination, HOP_LIMIT, Icmpv6.NEIGHBOUR_ADVERTISEMENT);
    target.put(out.putInt(flags));
    putLinkLayer(out, TARGET_LINK_LAYER, mac);
    return Icmpv6.finish(out);
  }

  /** Writes the question which routers there are. */
  static ByteBuffer writeRouterSolicitation(
      ByteBuffer out, Ipv6Address source, @Nullable Long mac) {
    Icmpv6.begin(out, source, Ipv6Address.ALL_ROUTERS, HOP_LIMIT, Icmpv6.ROUTER_SOLICITATION);
    putLinkLayer(out.putInt(0), SOURCE_LINK_LAYER, mac);
    return Icmpv6.finish(out);
  }

  private static void putLinkLayer(ByteBuffer out, int type, @Nullable Long mac) {
    if (mac != null) {
      Ethernet.putMac(out.put((byte) type).put((byte) 1), mac);
    }
  }

  /**
   * Writes a router advertisement.
   *
   * @param mac the router's card, or null where links have no such addresses
   */
  public static ByteBuffer writeRouterAdvertisement(
      ByteBuffer out, Ipv6Address destination, RouterAdvertisement says, @Nullable Long mac) {
    Ipv6Address router = Ipv6Address.of(says.router());
    Icmpv6.begin(out, router, destination, HOP_LIMIT, Icmpv6.ROUTER_ADVERTISEMENT);
    int flags = (says.managed() ? MANAGED : 0) | (says.otherConfiguration() ? OTHER : 0);
    out.put((byte) says.hopLimit()).put((byte) flags);
    out.putShort((short) Math.min(says.lifetime().toSeconds(), 0xffff));
    out.putLong(0); // reachable time and retransmission timer: it does not say
    putLinkLayer(out, SOURCE_LINK_LAYER, mac);
    if (says.mtu().isPresent()) {
      out.put((byte) MTU).put((byte) 1).putShort((short) 0).putInt(says.mtu().get());
    }
    for (Prefix prefix : says.prefixes()) {
      putPrefix(out, prefix);
    }
    for (NameServer server : says.nameServers()) {
      putNameServer(out, server);
    }
    return Icmpv6.finish(out);
  }

  private static void putPrefix(ByteBuffer out, Prefix prefix) {
    int flags = (prefix.onLink() ? ON_LINK : 0) | (prefix.autonomous() ? AUTONOMOUS : 0);
    out.put((byte) PREFIX).put((byte) 4).put((byte) prefix.length()).put((byte) flags);
    out.putInt(seconds(prefix.valid())).putInt(seconds(prefix.preferred())).putInt(0);
    Ipv6Address.of(prefix.address()).put(out);
  }

  private static void putNameServer(ByteBuffer out, NameServer server) {
    out.put((byte) RDNSS).put((byte) 3).putShort((short) 0).putInt(seconds(server.lifetime()));
    Ipv6Address.of(server.address()).put(out);
  }

  private static int seconds(Duration lifetime) {
    return (int) Math.min(lifetime.toSeconds(), 0xffff_ffffL);
  }

  /** Reads a valid message; empty if it cannot be a router's (RFC 4861 section 6.1.2). */
  public static Optional<RouterAdvertisement> routerAdvertisement(ByteBuffer packet, int at) {
    Ipv6Address router = Ipv6.source(packet);
    if (!router.isLinkLocal()) {
      return Optional.empty();
    }
    Optional<Integer> mtu = Optional.empty();
    List<Prefix> prefixes = new ArrayList<>();
    List<NameServer> nameServers = new ArrayList<>();
    int next = at + ROUTER_OPTIONS;
    for (int option = next; option < packet.limit(); option = next) {
      int length = optionLength(packet, option);
      next = option + length;
      switch (packet.get(option)) {
        case MTU -> mtu = Optional.of(packet.getInt(option + 4)).filter(bytes -> bytes > 0);
        case PREFIX -> {
          if (length == 32 && Byte.toUnsignedInt(packet.get(option + 2)) <= 128) {
            prefixes.add(prefix(packet, option));
          }
        }
        case RDNSS -> {
          for (int server = option + 8;
              server + Ipv6Address.LENGTH <= next;
              server += Ipv6Address.LENGTH) {
            nameServers.add(
                new NameServer(
                    Ipv6Address.read(packet, server).toInet(), lifetime(packet, option + 4)));
          }
        }
        default -> {} // RFC 4861 section 4.6: others are ignored
      }
    }
    int flags = packet.get(at + 5);
    return Optional.of(
        new RouterAdvertisement(
            router.toInet(),
            Byte.toUnsignedInt(packet.get(at + 4)),
            (flags & MANAGED) != 0,
            (flags & OTHER) != 0,
            Duration.ofSeconds(Short.toUnsignedInt(packet.getShort(at + 6))),
            mtu,
            prefixes,
            nameServers));
  }

  private static Prefix prefix(ByteBuffer packet, int option) {
    int length = Byte.toUnsignedInt(packet.get(option + 2));
    int flags = packet.get(option + 3);
    return new Prefix(
        Ipv6Address.read(packet, option + 16).network(length).toInet(),
        length,
        (flags & ON_LINK) != 0,
        (flags & AUTONOMOUS) != 0,
        lifetime(packet, option + 4),
        lifetime(packet, option + 8));
  }

  private static Duration lifetime(ByteBuffer packet, int at) {
    return Duration.ofSeconds(Integer.toUnsignedLong(packet.getInt(at)));
  }
}
