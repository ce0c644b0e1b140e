package org.liminix.net;

import java.net.Inet4Address;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.DhcpMessage;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Prefix;

/**
 * What a {@link DhcpServer} is to be like. Begun by {@link DhcpServer#on}; nothing is answered
 * before {@link #start}.
 *
 * <p>Without settings it leases every address of its host's network for an hour, tells the subnet
 * mask and knows no router. Not thread-safe.
 */
public final class DhcpServerBuilder {
  private static final Duration DEFAULT_LEASE = Duration.ofHours(1);
  private static final Duration LONGEST_LEASE = Duration.ofSeconds(0xffff_ffffL);

  /** Long enough for a guest that is emulated on a busy machine. */
  private static final Duration DEFAULT_PROBE = Duration.ofMillis(100);

  private static final int MAX_BOOT_FILE = 127; // and a zero: RFC 2131 section 2

  /** What the protocol itself fills in. */
  private static final Set<Integer> RESERVED =
      Set.of(
          0,
          DhcpMessage.REQUESTED_ADDRESS,
          DhcpMessage.OVERLOAD,
          DhcpMessage.MESSAGE_TYPE,
          DhcpMessage.SERVER_ID,
          DhcpMessage.PARAMETERS,
          DhcpMessage.MESSAGE,
          DhcpMessage.MAX_SIZE,
          DhcpMessage.CLIENT_ID,
          DhcpMessage.RELAY_INFORMATION,
          255);

  private final EthernetHost host;
  private final Ipv4Prefix own;
  private final Map<MacAddress, Integer> fixed = new LinkedHashMap<>();
  private final Map<Integer, byte[]> options = new TreeMap<>();
  private final List<DhcpOptions.Route> routes = new ArrayList<>();
  private @Nullable Integer first;
  private @Nullable Integer last;
  private @Nullable Integer router;
  private @Nullable Integer nextServer;
  private @Nullable String bootFile;
  private @Nullable Duration lease;
  private @Nullable Duration probe;
  private boolean authoritative = true;

  DhcpServerBuilder(EthernetHost host) {
    this.host = host;
    Ipv4Prefix address =
        host.loop().compute(() -> Optional.ofNullable(host.card().address())).orElse(null);
    if (address == null) {
      throw new IllegalStateException(
          "DhcpServer: " + host + " has no address to serve from; give it address(\"…/…\")");
    }
    refuse(address.length() > 30, "a network of " + address + " has no address to lease");
    this.own = address;
  }

  /** Leases these addresses and those between; without this call, all of the network. */
  public DhcpServerBuilder pool(String first, String last) {
    refuseOrder(this.first != null, "a pool was given before; give one");
    int from = ofNetwork("pool", first);
    int to = ofNetwork("pool", last);
    refuse(
        Integer.compareUnsigned(from, to) > 0,
        "pool(\"%s\", \"%s\") ends before it begins; swap the two".formatted(first, last));
    this.first = from;
    this.last = to;
    return this;
  }

  /** Gives a card this address each time, and nobody else. */
  public DhcpServerBuilder fixed(MacAddress card, String address) {
    int parsed = ofNetwork("fixed", address);
    refuse(parsed == own.address(), "fixed(…, \"" + address + "\") is the server's own address");
    refuseOrder(
        fixed.containsKey(card) || fixed.containsValue(parsed),
        "fixed(%s, \"%s\"): card or address was given before".formatted(card, address));
    fixed.put(card, parsed);
    return this;
  }

  /** The default gateway of the clients (option 3). */
  public DhcpServerBuilder router(String address) {
    int parsed = ofNetwork("router", address);
    put(DhcpMessage.ROUTER, "router", DhcpOptions.addresses(parsed));
    router = parsed;
    return this;
  }

  /** Name servers (option 6), the first one first. */
  public DhcpServerBuilder dns(String server, String... more) {
    return addresses(DhcpMessage.DNS, "dns", server, more);
  }

  /** The domain the clients are in (option 15). */
  public DhcpServerBuilder domain(String name) {
    refuse(name.isBlank(), "a domain has a name, as \"lan\"");
    return put(DhcpMessage.DOMAIN, "domain", utf8(name));
  }

  /**
   * A way to a network besides that to the default gateway (option 121, RFC 3442). Clients that
   * take these leave out option 3, so the default route is sent with them.
   *
   * @param network as {@code 10.8.0.0/16}
   * @param router by which it is reached
   */
  public DhcpServerBuilder route(String network, String router) {
    Ipv4Prefix to = Ipv4Prefix.parse(network);
    refuse(
        (to.address() & ~Ipv4.mask(to.length())) != 0,
        "route(\"%s\", …): bits behind the prefix are set; write %s/%d"
            .formatted(network, Ipv4.toString(to.address() & Ipv4.mask(to.length())), to.length()));
    routes.add(new DhcpOptions.Route(to, ofNetwork("route", router)));
    return this;
  }

  /** Leases for so long, in whole seconds; an hour unless set. */
  public DhcpServerBuilder lease(Duration time) {
    refuseOrder(lease != null, "a lease was given before; give one");
    refuse(
        time.compareTo(Duration.ofSeconds(1)) < 0 || time.compareTo(LONGEST_LEASE) > 0,
        "lease(" + time + "): a lease lasts from a second to 136 years");
    lease = time;
    return this;
  }

  /**
   * The file a client boots from, in the message itself and as option 67; from this host unless
   * {@link #nextServer} says otherwise.
   */
  public DhcpServerBuilder bootFile(String name) {
    refuseOrder(bootFile != null, "a boot file was given before; give one");
    refuse(
        name.isEmpty() || utf8(name).length > MAX_BOOT_FILE,
        "the name of a boot file has from 1 to " + MAX_BOOT_FILE + " bytes: \"" + name + "\"");
    put(DhcpMessage.BOOT_FILE, "bootFile", utf8(name));
    bootFile = name;
    return this;
  }

  /** The TFTP server a client boots from, in the message itself and as option 66. */
  public DhcpServerBuilder nextServer(String address) {
    int parsed = Ipv4.parse(address);
    put(DhcpMessage.TFTP_SERVER, "nextServer", utf8(address));
    nextServer = parsed;
    return this;
  }

  /**
   * Any option of RFC 2132 and those that came after it. One that the server would have filled in,
   * as the subnet mask, is this one instead, however wrong.
   *
   * @param code 1 to 254, but none of those the protocol itself is made of
   * @param value its bytes, of any number (RFC 3396)
   */
  public DhcpServerBuilder option(int code, byte[] value) {
    refuse(
        code < 1 || code > 254 || RESERVED.contains(code),
        "option(" + code + ", …) is none that can be chosen: the server fills it in");
    return put(code, "option", value.clone());
  }

  /** {@link #option(int, byte[])} with a text in UTF-8. */
  public DhcpServerBuilder option(int code, String text) {
    return option(code, utf8(text));
  }

  /** {@link #option(int, byte[])} with addresses, as of time servers (42). */
  public DhcpServerBuilder option(int code, Inet4Address first, Inet4Address... more) {
    int[] addresses = new int[1 + more.length];
    addresses[0] = Ipv4.toInt(first);
    for (int i = 0; i < more.length; i++) {
      addresses[i + 1] = Ipv4.toInt(more[i]);
    }
    return option(code, DhcpOptions.addresses(addresses));
  }

  /**
   * How long an address that was not this client's before is asked for with ARP before it is
   * offered; 100 ms unless set, and zero offers at once.
   */
  public DhcpServerBuilder probe(Duration patience) {
    refuseOrder(probe != null, "probe was called before; call it once");
    refuse(patience.isNegative(), "probe(" + patience + "): a time is not negative");
    probe = patience;
    return this;
  }

  /**
   * Is silent to clients of which nothing is known, for they may be those of another server.
   * Otherwise this is the only one: it confirms an address that is free and refuses one that is not
   * (DHCPNAK).
   */
  public DhcpServerBuilder notAuthoritative() {
    refuseOrder(!authoritative, "notAuthoritative() was called before; call it once");
    authoritative = false;
    return this;
  }

  private DhcpServerBuilder addresses(int code, String setter, String first, String... more) {
    int[] addresses = new int[1 + more.length];
    addresses[0] = Ipv4.parse(first);
    for (int i = 0; i < more.length; i++) {
      addresses[i + 1] = Ipv4.parse(more[i]);
    }
    return put(code, setter, DhcpOptions.addresses(addresses));
  }

  private DhcpServerBuilder put(int code, String setter, byte[] value) {
    refuseOrder(
        options.putIfAbsent(code, value) != null,
        setter + "(…): option " + code + " was given before; give it once");
    return this;
  }

  private int ofNetwork(String setter, String address) {
    int parsed = Ipv4.parse(address);
    refuse(
        !own.contains(parsed) || own.isBroadcast(parsed),
        "%s: %s is no address of the network of %s, %s".formatted(setter, address, host, own));
    return parsed;
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static void refuse(boolean badValue, String message) {
    if (badValue) {
      throw new IllegalArgumentException("DhcpServer: " + message);
    }
  }

  private static void refuseOrder(boolean contradiction, String message) {
    if (contradiction) {
      throw new IllegalStateException("DhcpServer: " + message);
    }
  }

  private DhcpSettings settings() {
    Map<Integer, byte[]> all = new TreeMap<>(options);
    int mask = Ipv4.mask(own.length());
    all.putIfAbsent(DhcpMessage.SUBNET_MASK, DhcpOptions.addresses(mask));
    all.putIfAbsent(DhcpMessage.BROADCAST_ADDRESS, DhcpOptions.addresses(own.address() | ~mask));
    if (!routes.isEmpty()) {
      List<DhcpOptions.Route> ways = new ArrayList<>(routes);
      Integer gateway = router;
      if (gateway != null) {
        ways.add(new DhcpOptions.Route(new Ipv4Prefix(0, 0), gateway));
      }
      refuseOrder(
          all.put(DhcpMessage.ROUTES, DhcpOptions.routes(ways)) != null,
          "option(121, …) conflicts with route(…); leave out one of the two");
    }
    boolean boots = bootFile != null || nextServer != null;
    if (boots) {
      all.putIfAbsent(DhcpMessage.TFTP_SERVER, utf8(Ipv4.toString(own.address())));
    }
    return new DhcpSettings(
        own,
        first == null ? (own.address() & mask) + 1 : first,
        last == null ? (own.address() | ~mask) - 1 : last,
        Map.copyOf(fixed),
        all,
        lease == null ? DEFAULT_LEASE : lease,
        Optional.ofNullable(bootFile),
        nextServer != null ? nextServer : boots ? own.address() : 0,
        probe == null ? DEFAULT_PROBE : probe,
        authoritative);
  }

  /**
   * Answers clients from now on.
   *
   * @throws NetworkException if the host has a DHCP server already
   */
  public DhcpServer start() {
    return new DhcpServer(host, settings());
  }
}
