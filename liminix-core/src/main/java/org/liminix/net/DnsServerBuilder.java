package org.liminix.net;

import com.google.common.base.Ascii;
import com.google.common.net.InetAddresses;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.DnsName;

/**
 * What a {@link DnsServer} is to be like. Begun by {@link DnsServer#on}; nothing is opened before
 * {@link #start}.
 *
 * <p>A question goes to the {@link #answer functions} first, then to what was said name by name.
 * Not thread-safe.
 */
public final class DnsServerBuilder {
  private static final int PORT = 53;
  private static final Duration DEFAULT_TTL = Duration.ofMinutes(1);

  private final DatagramHost host;
  private final Map<String, List<DnsRecord>> records = new LinkedHashMap<>();
  private final List<String> zones = new ArrayList<>();
  private final List<Function<DnsQuestion, Optional<DnsAnswer>>> functions = new ArrayList<>();
  private @Nullable Integer port;
  private @Nullable Duration ttl;

  DnsServerBuilder(DatagramHost host) {
    this.host = host;
  }

  /** Listens at another port than 53; 0 means any that is free. */
  public DnsServerBuilder port(int port) {
    refuseOrder(this.port != null, "a port was given before; give one");
    refuse(port < 0 || port > 65_535, port + " is no UDP port; use 1 to 65535, or 0 for any");
    this.port = port;
    return this;
  }

  /**
   * A name and its addresses of either version, and, unless it is a wildcard, the name of each
   * address that has none yet.
   *
   * @param name as {@code www.example.org}; {@code *.example.org} stands for every name below that
   *     is not there (RFC 4592)
   */
  public DnsServerBuilder address(String name, String address, String... more) {
    String checked = DnsName.check(name);
    List<String> addresses = new ArrayList<>(List.of(address));
    addresses.addAll(List.of(more));
    for (String text : addresses) {
      refuse(
          !InetAddresses.isInetAddress(text),
          "\"" + text + "\" is no address; write one like 10.0.2.2 or fd00::2");
      InetAddress parsed = InetAddresses.forString(text);
      add(checked, DnsRecord.address(parsed));
      if (!checked.startsWith("*")) {
        records.putIfAbsent(reverse(parsed), new ArrayList<>(List.of(DnsRecord.pointer(checked))));
      }
    }
    return this;
  }

  /** RFC 1035 section 3.5 and RFC 3596 section 2.5. */
  private static String reverse(InetAddress address) {
    StringBuilder name = new StringBuilder();
    byte[] bytes = address.getAddress();
    for (int i = bytes.length - 1; i >= 0; i--) {
      int octet = Byte.toUnsignedInt(bytes[i]);
      if (address instanceof Inet4Address) {
        name.append(octet).append('.');
      } else {
        name.append(Integer.toHexString(octet & 0xf)).append('.');
        name.append(Integer.toHexString(octet >>> 4)).append('.');
      }
    }
    return name.append(address instanceof Inet4Address ? "in-addr.arpa" : "ip6.arpa").toString();
  }

  /** A name under which another one's records are found. */
  public DnsServerBuilder alias(String name, String target) {
    return record(name, DnsRecord.alias(target));
  }

  /** A name and what is known about it. May be called several times for one name. */
  public DnsServerBuilder record(String name, DnsRecord record, DnsRecord... more) {
    String checked = DnsName.check(name);
    add(checked, record);
    for (DnsRecord further : more) {
      add(checked, further);
    }
    return this;
  }

  private void add(String name, DnsRecord record) {
    List<DnsRecord> known =
        records.computeIfAbsent(Ascii.toLowerCase(name), unknown -> new ArrayList<>());
    boolean alias = record.type() == DnsRecord.CNAME;
    refuseOrder(
        known.stream().anyMatch(other -> alias || other.type() == DnsRecord.CNAME),
        name + " would be an alias and have records of its own (RFC 1034 section 3.6.2)");
    known.add(record);
  }

  /**
   * Answers for names in this zone and in others given so, and refuses what is outside; without
   * this call it answers for all names there are.
   */
  public DnsServerBuilder zone(String name) {
    String zone = Ascii.toLowerCase(DnsName.check(name));
    refuseOrder(zones.contains(zone), "zone " + name + " was given before; give it once");
    zones.add(zone);
    return this;
  }

  /**
   * Answers what a function makes of a question; if it makes nothing of it, further functions are
   * asked and then the names. Of its records those of the type that was asked for are sent, or an
   * alias. Runs on the host's event loop and must not block.
   */
  public DnsServerBuilder answer(Function<DnsQuestion, Optional<DnsAnswer>> function) {
    functions.add(function);
    return this;
  }

  /** How long others may remember what they are told, in whole seconds; a minute unless set. */
  public DnsServerBuilder ttl(Duration time) {
    refuseOrder(ttl != null, "a ttl was given before; give one");
    refuse(
        time.isNegative() || time.toSeconds() > Integer.MAX_VALUE,
        "ttl(" + time + "): from zero to 68 years (RFC 2181 section 8)");
    ttl = time;
    return this;
  }

  private static void refuse(boolean badValue, String message) {
    if (badValue) {
      throw new IllegalArgumentException("DnsServer: " + message);
    }
  }

  private static void refuseOrder(boolean contradiction, String message) {
    if (contradiction) {
      throw new IllegalStateException("DnsServer: " + message);
    }
  }

  /**
   * Opens the port and answers.
   *
   * @throws NetworkException if the port is taken or may not be opened
   */
  public DnsServer start() {
    return new DnsServer(
        host,
        new DnsSettings(
            port == null ? PORT : port,
            new DnsZone(records, zones),
            List.copyOf(functions),
            ttl == null ? DEFAULT_TTL : ttl));
  }
}
