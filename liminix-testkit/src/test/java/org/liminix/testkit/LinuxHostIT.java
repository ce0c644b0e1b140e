package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.DhcpLease;
import org.liminix.net.EthernetHost;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;
import org.liminix.qemu.GuestResult;
import org.liminix.test.ChildJvm;

/** Real programs in namespaces on emulated networks. */
@Timeout(120)
class LinuxHostIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path directory;

  @BeforeAll
  static void needsNamespaces() {
    assumeThat(LinuxHost.problem()).isEmpty();
  }

  @Test
  void isWhatItWasDescribedAs() {
    MacAddress mac = MacAddress.random();
    try (Segments segments = Segments.isolated();
        LinuxHost host =
            LinuxHost.on(LAN)
                .name("pc of anna")
                .mac(mac)
                .mtu(1400)
                .address("192.168.1.5/24")
                .address("2001:db8::5/64")
                .gateway("192.168.1.1")
                .gateway("fe80::1")
                .dns("192.168.1.1", "2001:db8::1")
                .start(segments)) {
      assertThat(host.run("ip", "address", "show", "dev", "eth0").orThrow().output())
          .contains(mac.toString(), "mtu 1400", "192.168.1.5/24", "2001:db8::5/64", "fe80::")
          .doesNotContain("tentative");
      assertThat(host.run("ip", "route").output()).contains("default via 192.168.1.1 dev eth0");
      assertThat(host.run("ip", "-6", "route").output()).contains("default via fe80::1 dev eth0");
      assertThat(host.run("cat", "/etc/resolv.conf").output())
          .isEqualTo("nameserver 192.168.1.1\nnameserver 2001:db8::1");
      assertThat(host.run("hostname").output()).isEqualTo("pc-of-anna");
      assertThat(host.run("id", "-u").output()).isEqualTo("0");
      assertThat(host.run("sh", "-c", "echo /proc/[0-9]*").output().split(" ", -1))
          .hasSizeLessThan(5);
    }
  }

  @Test
  void tellsWhatAProgramPrintedAndHowItEnded() {
    try (Segments segments = Segments.isolated();
        LinuxHost host = LinuxHost.on(LAN).start(segments)) {
      GuestResult result =
          host.command("sh", "-c", "pwd; cat; echo \"$GREETING\" >&2; exit 3")
              .input("typed\n")
              .environment("GREETING", "hello")
              .directory(directory)
              .run();
      assertThat(result.status()).isEqualTo(3);
      assertThat(result.output()).isEqualTo(directory + "\ntyped");
      assertThat(result.errorOutput()).isEqualTo("hello");
      assertThat(host.run("no-such-program").status()).isEqualTo(127);
      assertThat(host.run("sh", "-c", "kill -TERM $$").status()).isEqualTo(128 + 15);
      assertThat(host.run("sh", "-c", "sleep 1000 & echo left behind").output())
          .isEqualTo("left behind");
    }
  }

  @Test
  void killsAProgramThatTakesTooLongWithAllItStarted() {
    try (Segments segments = Segments.isolated();
        LinuxHost host = LinuxHost.on(LAN).name("pc").start(segments)) {
      assertThatThrownBy(
              () ->
                  host.command("sh", "-c", "echo begun; sleep 1000 & sleep 1001")
                      .timeout(Duration.ofSeconds(2))
                      .run())
          .isInstanceOf(WaitTimeoutException.class)
          .hasMessageContaining("on pc has not ended within 2 s")
          .hasMessageContaining("begun");
      assertThat(host.run("sh", "-c", "cat /proc/[0-9]*/cmdline").output()).doesNotContain("sleep");
    }
  }

  @Test
  void endsAWaitWhenTheThreadIsInterrupted() throws Exception {
    try (Segments segments = Segments.isolated();
        LinuxHost host = LinuxHost.on(LAN).start(segments)) {
      CompletableFuture<Throwable> thrown = new CompletableFuture<>();
      Thread waiter =
          new Thread(
              () -> {
                try {
                  thrown.completeExceptionally(
                      new AssertionError(host.run("sleep", "1000").toString()));
                } catch (RuntimeException e) {
                  thrown.complete(e);
                }
              });
      waiter.start();
      waiter.interrupt();
      assertThat(thrown.get(10, TimeUnit.SECONDS)).isInstanceOf(WaitInterruptedException.class);
    }
  }

  @Test
  void leavesNothingBehindWhenItIsClosed() throws Exception {
    List<ProcessHandle> processes;
    try (Segments segments = Segments.isolated()) {
      CompletableFuture<GuestResult> running;
      LinuxProgram program;
      try (LinuxHost host = LinuxHost.on(LAN).start(segments)) {
        program = host.start("sh", "-c", "setsid sleep 1000 & echo started; sleep 1001");
        program.expect("started", PATIENCE);
        running =
            CompletableFuture.supplyAsync(
                () -> host.run("sh", "-c", "touch /run/begun; exec sleep 1002"));
        LinuxProgram watcher =
            host.start("sh", "-c", "until [ -e /run/begun ]; do :; done; echo seen");
        watcher.expect("seen", PATIENCE);
        processes = ProcessHandle.current().descendants().toList();
        assertThat(processes).isNotEmpty();
      }
      assertThat(program.isRunning()).isFalse();
      assertThatThrownBy(() -> running.get(10, TimeUnit.SECONDS))
          .cause()
          .isInstanceOf(LinuxHostException.class)
          .hasMessageContaining("was closed while it ran");
      awaitEnd(processes);
      assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).doesNotContain("liminix");
    }
  }

  @Test
  void dyingJvmTakesItAlong() throws Exception {
    List<ProcessHandle> processes;
    Path runDirectory;
    try (ChildJvm child = ChildJvm.run(KilledHost.class)) {
      runDirectory = Path.of(child.line());
      ProcessHandle jvm = ProcessHandle.of(Long.parseLong(child.line())).orElseThrow();
      processes = jvm.descendants().toList();
      assertThat(processes).hasSizeGreaterThan(5);
      child.kill();
    }
    awaitEnd(processes); // the last of which removes the directory
    assertThat(runDirectory).doesNotExist();
  }

  /** Processes that went on would not end for a quarter of an hour. */
  private static void awaitEnd(List<ProcessHandle> processes) throws Exception {
    for (ProcessHandle process : processes) {
      process.onExit().get(30, TimeUnit.SECONDS);
    }
  }

  /** A JVM that holds a host with a server on it until it is killed. */
  static final class KilledHost {
    private KilledHost() {}

    public static void main(String[] arguments) throws Exception {
      Segments segments = Segments.isolated();
      LinuxHost host = LinuxHost.on(LAN).name("killed").start(segments);
      host.start("sh", "-c", "setsid sleep 1000 & echo started; sleep 1001")
          .expect("started", PATIENCE);
      System.out.println(host.runDirectory());
      System.out.println(ProcessHandle.current().pid());
      int unused = System.in.read();
    }
  }

  @Test
  void getsAddressAndNamesFromARealDhcpServerAndLooksThemUp() {
    assumeThat(Path.of("/usr/sbin/dnsmasq")).exists();
    try (Segments segments = Segments.isolated();
        LinuxHost router =
            LinuxHost.on(LAN).name("router").address("192.168.1.1/24").start(segments);
        LinuxHost pc = LinuxHost.on(LAN).name("pc").dhcp().start(segments)) {
      LinuxProgram dnsmasq =
          router.start(
              "dnsmasq",
              "--no-daemon",
              "--user=root",
              "--no-resolv",
              "--no-hosts",
              "--conf-file",
              "--interface=eth0",
              "--dhcp-range=192.168.1.100,192.168.1.110,1h",
              "--dhcp-leasefile=/run/leases",
              "--address=/router.lan/192.168.1.1",
              "--dhcp-option=option:mtu,1420");
      dnsmasq.expect("DHCP, IP range", PATIENCE);
      DhcpLease lease = pc.awaitLease(PATIENCE);
      assertThat(lease.address().getHostAddress()).startsWith("192.168.1.1");
      assertThat(lease.prefixLength()).isEqualTo(24);
      assertThat(lease.router()).hasToString("Optional[/192.168.1.1]");
      assertThat(lease.dns()).hasToString("[/192.168.1.1]");
      assertThat(lease.leaseTime()).isEqualTo(Duration.ofHours(1));
      assertThat(pc.lease()).contains(lease);
      assertThat(router.run("cat", "/run/leases").output()).contains(" pc ");
      assertThat(pc.run("ip", "address", "show", "dev", "eth0").output()).contains("mtu 1420");
      assertThat(pc.run("getent", "ahostsv4", "router.lan").orThrow().output())
          .contains("192.168.1.1");
      router.start("busybox", "httpd", "-f", "-p", "80", "-h", page("hello"));
      assertThat(
              pc.run("curl", "-sS", "--retry", "20", "--retry-connrefused", "http://router.lan/")
                  .orThrow()
                  .output())
          .isEqualTo("hello");
    }
  }

  private String page(String text) {
    try {
      Files.writeString(directory.resolve("index.html"), text);
      return directory.toString();
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  @Test
  void saysWhatTheDhcpClientSaidWhenThereIsNoLease() {
    try (Segments segments = Segments.isolated();
        LinuxHost pc = LinuxHost.on(LAN).name("pc").start(segments)) {
      assertThatThrownBy(() -> pc.awaitLease(Duration.ofMillis(1)))
          .isInstanceOf(WaitTimeoutException.class)
          .hasMessageContaining("no client was started: call dhcp()");
      assertThatThrownBy(() -> pc.dhcp(Duration.ofSeconds(2)))
          .isInstanceOf(WaitTimeoutException.class)
          .hasMessageContaining("No DHCP lease for pc within 2 s")
          .hasMessageContaining("udhcpc: started");
    }
  }

  @Test
  void takesAnIpv6AddressFromAnAdvertisingRouter() {
    assumeThat(Path.of("/usr/sbin/dnsmasq")).exists();
    try (Segments segments = Segments.isolated();
        LinuxHost pc = LinuxHost.on(LAN).name("pc").start(segments)) {
      LinuxProgram monitor = pc.start("ip", "monitor", "address");
      try (LinuxHost router =
          LinuxHost.on(LAN)
              .name("router")
              .address("2001:db8:1::1/64")
              .forwarding()
              .start(segments)) {
        router.start(
            "dnsmasq",
            "--no-daemon",
            "--user=root",
            "--no-resolv",
            "--no-hosts",
            "--conf-file",
            "--interface=eth0",
            "--enable-ra",
            "--dhcp-range=2001:db8:1::,ra-only",
            "--dhcp-leasefile=/run/leases");
        monitor.expect("2001:db8:1:", PATIENCE);
        assertThat(pc.run("ip", "-6", "route").output()).contains("default via fe80::");
        assertThat(pc.run("busybox", "ping", "-6", "-c", "1", "2001:db8:1::1").orThrow().output())
            .contains("1 packets received");
      }
    }
  }

  @Test
  void forwardsBetweenItsCardsAsARouterDoes() {
    try (Segments segments = Segments.isolated();
        LinuxHost router =
            LinuxHost.on(LAN)
                .address("192.168.1.1/24")
                .and(WORLD)
                .address("10.0.2.5/24")
                .forwarding()
                .start(segments);
        LinuxHost pc =
            LinuxHost.on(LAN).address("192.168.1.2/24").gateway("192.168.1.1").start(segments);
        EthernetHost server =
            EthernetHost.on(WORLD).address("10.0.2.2/24").gateway("10.0.2.5").start(segments)) {
      assertThat(router.macAddress(WORLD)).isNotEqualTo(router.macAddress(LAN));
      assertThat(pc.run("busybox", "ping", "-c", "1", "-w", "10", "10.0.2.2").orThrow().output())
          .contains("ttl=63");
      assertThat(server.receivedPings().get(0).source()).hasToString("/192.168.1.2");
    }
  }

  @Test
  void takesPartInTheSharedNetworks() {
    Network net =
        Network.multicast(
            "net",
            new InetSocketAddress(
                "239.8.%d.%d".formatted(random(0, 255), random(1, 255)), random(20_000, 30_000)));
    try (EthernetHost server = EthernetHost.on(net).address("10.0.0.1/24").start();
        LinuxHost pc = LinuxHost.on(net).address("10.0.0.2/24").start()) {
      assertThat(pc.run("busybox", "ping", "-c", "1", "-w", "10", "10.0.0.1").orThrow().output())
          .contains("1 packets received");
      assertThat(server.ping("10.0.0.2", PATIENCE).ttl()).isEqualTo(64);
    }
  }

  private static int random(int from, int to) {
    return ThreadLocalRandom.current().nextInt(from, to);
  }

  @Test
  void carriesALotOfTcpUnharmed() {
    try (Segments segments = Segments.isolated();
        LinuxHost one = LinuxHost.on(LAN).address("10.0.0.1/24").start(segments);
        LinuxHost two = LinuxHost.on(LAN).address("10.0.0.2/24").start(segments)) {
      String many = "head -c 30000000 /dev/zero | tr '\\0' 'x'";
      LinuxProgram server = one.start("busybox", "nc", "-l", "-p", "5000", "-e", "sh", "-c", many);
      String client =
          "until busybox nc 10.0.0.1 5000 </dev/null >/run/got && [ -s /run/got ]; do :; done; cksum </run/got";
      String expected = one.run("sh", "-c", many + " | cksum").output();
      assertThat(two.run("sh", "-c", client).output()).isEqualTo(expected);
      assertThat(server.awaitExit(PATIENCE)).isBetween(0, 255);
    }
  }

  @Test
  void keepsWhatItHasRunForTheReport() throws Exception {
    try (Bench bench = Bench.open()) {
      LinuxHost host = bench.start(LinuxHost.on(LAN).name("pc").spec());
      host.run("sh", "-c", "echo found nothing; exit 4");
      host.start("sh", "-c", "echo listening; sleep 1000").expect("listening", PATIENCE);
      assertThat(bench.summary()).contains("LinuxHost pc on lan: has run 2 programs");
      bench.saveTo(directory);
      assertThat(Files.readString(directory.resolve("pc-commands.txt")))
          .contains("pc# sh -c echo found nothing; exit 4\nfound nothing\n(status 4 after ")
          .contains("pc# sh -c echo listening; sleep 1000 &\nlistening\n(runs)");
    }
  }

  @Test
  void runsForAnOrdinaryUser() throws Exception {
    assumeThat(System.getProperty("user.name"))
        .as("only root can become an ordinary user, and whoever is one has shown it above")
        .isEqualTo("root");
    // In mounts of its own, a /dev/net/tun with the mode that udev gives it, and the classes where
    // others can read them.
    String becomeNobody =
        """
        set -e
        mount -t tmpfs -o mode=755,dev tmpfs "$1"
        mknod -m 666 "$1/tun" c 10 200
        mount --bind "$1/tun" /dev/net/tun
        chmod 666 /dev/net/tun
        shift
        exec setpriv --reuid 65534 --regid 65534 --clear-groups \
          --bounding-set=-all --no-new-privs "$@"
        """;
    Path readable = Files.createTempDirectory("liminix-nobody-test");
    Path mount = Files.createDirectory(readable.resolve("dev"));
    try {
      ReadableClasses.copyTo(readable);
      Process child =
          new ProcessBuilder(
                  "unshare",
                  "--mount",
                  "sh",
                  "-c",
                  becomeNobody,
                  "sh",
                  mount.toString(),
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  ReadableClasses.classPath(readable),
                  OrdinaryUser.class.getName())
              .redirectErrorStream(true)
              .directory(readable.toFile())
              .start();
      String said =
          new String(
              child.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
      assertThat(said).contains("by 65534: namespace root 0, 1 packets received");
      assertThat(child.waitFor()).isZero();
    } finally {
      ReadableClasses.remove(readable);
    }
  }

  /** What a user does who is not root. */
  static final class OrdinaryUser {
    private OrdinaryUser() {}

    public static void main(String[] arguments) throws Exception {
      try (Segments segments = Segments.isolated();
          EthernetHost server = EthernetHost.on(LAN).address("10.0.0.1/24").start(segments);
          LinuxHost pc = LinuxHost.on(LAN).address("10.0.0.2/24").start(segments)) {
        String ping = pc.run("busybox", "ping", "-c", "1", "10.0.0.1").orThrow().output();
        System.out.printf(
            "by %s: namespace root %s, %s%n",
            Files.getAttribute(Path.of("/proc/self"), "unix:uid"),
            pc.run("id", "-u").output(),
            ping.replaceAll("(?s).*, (\\d+ packets received).*", "$1"));
      }
    }
  }

  @Test
  void saysWhichSettingForbidsNamespaces() throws Exception {
    // A user namespace has limits of its own, which bind all within.
    List<String> forbidding =
        List.of(
            "unshare",
            "--user",
            "--map-root-user",
            "sh",
            "-c",
            "echo 0 >/proc/sys/user/max_user_namespaces && exec \"$@\"",
            "sh");
    try (ChildJvm child =
        ChildJvm.runUnder(forbidding, java.util.Map.of(), ForbiddenNamespaces.class)) {
      assertThat(child.line())
          .contains("Cannot start pc: Namespaces of a user's own are refused")
          .contains("sysctl -w user.max_user_namespaces=15000");
      assertThat(child.awaitExit()).isZero();
    }
  }

  /** A start where no namespaces can be made. */
  static final class ForbiddenNamespaces {
    private ForbiddenNamespaces() {}

    public static void main(String[] arguments) {
      try (Segments segments = Segments.isolated();
          LinuxHost host = LinuxHost.on(LAN).name("pc").start(segments)) {
        System.out.println("It has started: " + host);
      } catch (LinuxHostException e) {
        System.out.println(e.getMessage());
      }
    }
  }
}
