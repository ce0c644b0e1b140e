package org.liminix.testkit;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.liminix.console.Transcript;
import org.liminix.net.DhcpLease;
import org.liminix.net.DhcpOffer;
import org.liminix.net.internal.EventLog;
import org.liminix.process.WaitTimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Busybox's DHCP client on a {@link LinuxHost}, which tells of leases by {@code lease.sh}. */
final class UdhcpcClient {
  private static final Logger log = LoggerFactory.getLogger(UdhcpcClient.class);

  private static final String NEWS = "@lease ";
  private static final String MAX_LEASE_SECONDS = "4294967295"; // RFC 2132 section 9.2

  private final LinuxHost host;
  private final String hostname;
  private final EventLog<DhcpLease> leases = new EventLog<>();
  private volatile Optional<DhcpLease> lease = Optional.empty();
  private Optional<LinuxProgram> program = Optional.empty(); // guarded by this

  UdhcpcClient(LinuxHost host, String hostname) {
    this.host = host;
    this.hostname = hostname;
  }

  /** Starts the client, if it does not run. */
  synchronized void keepLeased(String device) {
    if (program.filter(LinuxProgram::isRunning).isPresent()) {
      return;
    }
    // Once a second until there is a server: a router that boots is not to be waited for longer.
    LinuxCommand udhcpc =
        host.command(
            NamespaceSupport.tool("busybox"),
            "udhcpc",
            "-f",
            "-i",
            device,
            "-s",
            "/run/liminix/lease",
            "-t",
            "5",
            "-T",
            "1",
            "-A",
            "1",
            "-x",
            "hostname:" + hostname,
            "-O",
            "staticroutes",
            "-O",
            "mtu");
    program = Optional.of(host.start(udhcpc, this::read));
  }

  private void read(Transcript.Line line) {
    if (!line.text().startsWith(NEWS)) {
      return;
    }
    String news = line.text().substring(NEWS.length());
    try {
      lease = news.equals("none") ? Optional.empty() : Optional.of(parse(news));
      lease.ifPresent(leases::add);
    } catch (RuntimeException e) {
      log.warn("{} has a lease that makes no sense: {}", host, news, e);
    }
  }

  static DhcpLease parse(String news) {
    Map<String, String> terms = new HashMap<>();
    for (String word : news.split(" ", -1)) {
      int equals = word.indexOf('=');
      if (equals > 0 && equals < word.length() - 1) {
        terms.put(word.substring(0, equals), word.substring(equals + 1));
      }
    }
    List<Inet4Address> dns =
        Optional.ofNullable(terms.get("dns")).stream()
            .flatMap(list -> Arrays.stream(list.split(",", -1)))
            .map(UdhcpcClient::address)
            .toList();
    return new DhcpLease(
        new DhcpOffer(
            address(required(terms, "ip")),
            Integer.parseInt(required(terms, "mask")),
            Optional.ofNullable(terms.get("router")).map(UdhcpcClient::address),
            address(required(terms, "server")),
            dns,
            Duration.ofSeconds(Long.parseLong(terms.getOrDefault("seconds", MAX_LEASE_SECONDS)))));
  }

  private static String required(Map<String, String> terms, String name) {
    return Optional.ofNullable(terms.get(name))
        .orElseThrow(() -> new IllegalArgumentException("There is no " + name));
  }

  private static Inet4Address address(String text) {
    InetAddress address = HostAddress.address(text);
    if (address instanceof Inet4Address ipv4) {
      return ipv4;
    }
    throw new IllegalArgumentException(text + " is no IPv4 address");
  }

  Optional<DhcpLease> lease() {
    return lease;
  }

  DhcpLease awaitLease(Duration timeout) {
    Optional<DhcpLease> held = lease;
    if (held.isPresent()) {
      return held.get();
    }
    try {
      return leases.await(granted -> lease.isPresent(), timeout, "DHCP lease for " + host.name());
    } catch (WaitTimeoutException e) {
      throw new WaitTimeoutException(e.getMessage() + said());
    }
  }

  private synchronized String said() {
    return program
        .map(client -> "; the client said:\n" + client.output().indent(4).stripTrailing())
        .orElse("; no client was started: call dhcp()");
  }
}
