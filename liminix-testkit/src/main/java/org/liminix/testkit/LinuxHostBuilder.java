package org.liminix.testkit;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;

/**
 * Describes a {@link LinuxHost}. Its cards are {@code eth0} on the first network and so on; what is
 * said of a card is said of that of the network named last. A card that is told neither {@link
 * #address} nor {@link #dhcp} starts without an IPv4 address; IPv6 addresses come by themselves
 * where a router advertises (RFC 4862).
 *
 * <pre>{@code
 * Spec<LinuxHost> pc = LinuxHost.on(LAN).name("pc").dhcp().spec();
 * Spec<LinuxHost> gateway =
 *     LinuxHost.on(LAN).address("192.168.1.1/24").and(WORLD).address("10.0.2.5/24").forwarding().spec();
 * }</pre>
 *
 * <p>Not thread-safe.
 */
public final class LinuxHostBuilder {
  /** {@code ETH_MIN_MTU} of Linux, and what fits the frames of a segment. */
  private static final int MIN_MTU = 68;

  private static final int MAX_MTU = 65_521;

  private final List<LinuxCard> cards = new ArrayList<>(); // those that are complete
  private Network network;
  private @Nullable MacAddress mac;
  private @Nullable Integer mtu;
  private final List<HostAddress> addresses = new ArrayList<>();
  private final List<InetAddress> gateways = new ArrayList<>();
  private boolean dhcp;
  private @Nullable String name;
  private @Nullable String hostname;
  private final List<InetAddress> dns = new ArrayList<>();
  private boolean forwarding;

  LinuxHostBuilder(Network network) {
    this.network = network;
  }

  /** Adds another card, on that network, of which the next calls speak. */
  public LinuxHostBuilder and(Network network) {
    List<LinuxCard> all = allCards();
    refuseOrder(
        all.stream().anyMatch(card -> card.network().equals(network)),
        "it has a card on " + network + " already; name each network once");
    cards.add(all.get(all.size() - 1));
    this.network = network;
    mac = null;
    mtu = null;
    addresses.clear();
    gateways.clear();
    dhcp = false;
    return this;
  }

  /** What captures and messages call it; otherwise a name is made up. */
  public LinuxHostBuilder name(String name) {
    refuseOrder(this.name != null, "name \"" + this.name + "\" was given before; give one");
    refuse(name.isBlank(), "a name must not be blank");
    this.name = name;
    return this;
  }

  /** What it calls itself, also to a DHCP server; otherwise its name. */
  public LinuxHostBuilder hostname(String hostname) {
    refuseOrder(
        this.hostname != null, "hostname \"" + this.hostname + "\" was given before; give one");
    refuse(
        !hostname.matches("[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?"),
        "\"" + hostname + "\" is no hostname: use at most 63 letters, digits and hyphens");
    this.hostname = hostname;
    return this;
  }

  /** The address of the card; otherwise each start makes up another. */
  public LinuxHostBuilder mac(MacAddress mac) {
    refuseOrder(this.mac != null, "mac " + this.mac + " was given before; give one");
    refuse(mac.isMulticast(), mac + " is the address of a group; use MacAddress.random()");
    this.mac = mac;
    return this;
  }

  /** The longest packet that the card takes, in bytes; otherwise 1500. */
  public LinuxHostBuilder mtu(int mtu) {
    refuseOrder(this.mtu != null, "mtu " + this.mtu + " was given before; give one");
    refuse(
        mtu < MIN_MTU || mtu > MAX_MTU,
        "mtu " + mtu + " must be between " + MIN_MTU + " and " + MAX_MTU);
    this.mtu = mtu;
    return this;
  }

  /**
   * An address of the card and the length of its network, as {@code 192.168.1.5/24} or {@code
   * 2001:db8::5/64}. A card may have several.
   */
  public LinuxHostBuilder address(String address) {
    HostAddress parsed = HostAddress.parse(address);
    refuseOrder(
        addresses.stream().anyMatch(own -> own.address().equals(parsed.address())),
        "address " + address + " was given before");
    refuseOrder(
        dhcp && !parsed.isIpv6(), "the address comes from dhcp(); leave out one of the two");
    addresses.add(parsed);
    return this;
  }

  /**
   * Where packets for other networks go, as {@code 192.168.1.1} or {@code fe80::1}: one for IPv4,
   * one for IPv6; after {@link #address}.
   */
  public LinuxHostBuilder gateway(String gateway) {
    InetAddress parsed = HostAddress.address(gateway);
    boolean ipv6 = parsed instanceof Inet6Address;
    refuseOrder(
        gatewaysOfAllCards().anyMatch(other -> ipv6 == other instanceof Inet6Address),
        "an " + (ipv6 ? "IPv6" : "IPv4") + " gateway was given before; give one");
    refuseOrder(dhcp && !ipv6, "the gateway comes from dhcp(); leave out one of the two");
    if (!parsed.isLinkLocalAddress()) {
      refuseOrder(
          addresses.stream().noneMatch(own -> own.isIpv6() == ipv6),
          "give address(\"…/…\") before the gateway");
      refuse(
          addresses.stream()
              .noneMatch(own -> own.contains(parsed) && !own.address().equals(parsed)),
          "gateway " + gateway + " must be another address of a network of " + addresses);
    }
    gateways.add(parsed);
    return this;
  }

  private Stream<InetAddress> gatewaysOfAllCards() {
    return Stream.concat(
        cards.stream().flatMap(card -> card.gateways().stream()), gateways.stream());
  }

  /**
   * Gets address, gateway and name servers from a DHCP server, with a real client, busybox's {@code
   * udhcpc}: in the background, from the start until it has them, and renews them.
   */
  public LinuxHostBuilder dhcp() {
    refuseOrder(
        dhcp || cards.stream().anyMatch(LinuxCard::dhcp),
        "dhcp() was called before; one card can be a client");
    refuseOrder(
        addresses.stream().anyMatch(own -> !own.isIpv6()),
        "address " + addresses + " was given; leave out one of the two");
    this.dhcp = true;
    return this;
  }

  /** Name servers, for its own {@code /etc/resolv.conf}; a DHCP lease replaces them. */
  public LinuxHostBuilder dns(String... servers) {
    refuseOrder(!dns.isEmpty(), "dns(...) was called before; give all name servers in one call");
    refuse(servers.length == 0, "dns() needs the address of a name server");
    for (String server : servers) {
      dns.add(HostAddress.address(server));
    }
    return this;
  }

  /** Has it forward packets between its cards, as a router does. */
  public LinuxHostBuilder forwarding() {
    refuseOrder(forwarding, "forwarding() was called before; call it once");
    forwarding = true;
    return this;
  }

  private static void refuse(boolean badValue, String message) {
    if (badValue) {
      throw new IllegalArgumentException("LinuxHost: " + message);
    }
  }

  private static void refuseOrder(boolean contradiction, String message) {
    if (contradiction) {
      throw new IllegalStateException("LinuxHost: " + message);
    }
  }

  private List<LinuxCard> allCards() {
    List<LinuxCard> all = new ArrayList<>(cards);
    all.add(new LinuxCard(network, mac, mtu, addresses, gateways, dhcp));
    return all;
  }

  /** The description as an immutable value, to be started any number of times. */
  public Spec<LinuxHost> spec() {
    return new LinuxHostSpec(name, hostname, allCards(), dns, forwarding);
  }

  /** Starts it on the given networks. */
  public LinuxHost start(Segments segments) {
    return spec().start(segments);
  }

  /** Starts it on the shared networks of the multicast convention. */
  public LinuxHost start() {
    return spec().start();
  }
}
