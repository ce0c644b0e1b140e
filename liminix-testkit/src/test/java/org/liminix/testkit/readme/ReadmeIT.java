package org.liminix.testkit.readme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import com.google.gson.JsonElement;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.console.CommandResult;
import org.liminix.console.Console;
import org.liminix.console.Match;
import org.liminix.console.Shell;
import org.liminix.console.TelnetLine;
import org.liminix.isp.Account;
import org.liminix.isp.BorderNetworkGateway;
import org.liminix.isp.Isp;
import org.liminix.isp.IspEvent;
import org.liminix.isp.IspFaults;
import org.liminix.isp.IspSession;
import org.liminix.isp.PppSession;
import org.liminix.isp.RpPppoe;
import org.liminix.net.Capture;
import org.liminix.net.DhcpBinding;
import org.liminix.net.DhcpServer;
import org.liminix.net.DnsQuery;
import org.liminix.net.DnsServer;
import org.liminix.net.EthernetHost;
import org.liminix.net.Frame;
import org.liminix.net.FrameLog;
import org.liminix.net.Impairment;
import org.liminix.net.Ipv6Network;
import org.liminix.net.Ping;
import org.liminix.net.Segment;
import org.liminix.net.Segments;
import org.liminix.process.UnixSocket;
import org.liminix.qemu.GuestResult;
import org.liminix.qemu.HostDoor;
import org.liminix.qemu.Vm;
import org.liminix.test.SerialBench;
import org.liminix.testkit.Architecture;
import org.liminix.testkit.Bench;
import org.liminix.testkit.BigEndianImages;
import org.liminix.testkit.LinuxHost;
import org.liminix.testkit.LinuxProgram;
import org.liminix.testkit.RouterImage;
import org.liminix.tftp.TftpClient;
import org.liminix.tftp.TftpServer;
import org.liminix.uboot.AddressRange;
import org.liminix.uboot.FlashDevice;
import org.liminix.uboot.FlashScript;
import org.liminix.uboot.FlashTarget;
import org.liminix.uboot.ImageData;
import org.liminix.uboot.MemoryMap;

/** Runs every sample of the README, here or in {@link MyRouterIT}, as it stands there. */
@Timeout(180)
@SuppressWarnings("UnusedVariable") // the samples show what they get
class ReadmeIT {
  @TempDir Path directory;

  @Test
  void everySampleIsInATest() throws IOException {
    List<String> samples =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("../README.md")))
            .results()
            .map(MatchResult::group)
            .map(sample -> sample.replace("```java\n", "").replace("```", ""))
            .toList();
    String tests =
        Stream.of("MyRouterIT", "ReadmeIT")
            .map(name -> Path.of("src/test/java/org/liminix/testkit/readme", name + ".java"))
            .map(ReadmeIT::read)
            .collect(Collectors.joining());
    assertThat(samples).hasSizeGreaterThan(5);
    assertThat(samples)
        .allSatisfy(sample -> assertThat(onOneLine(tests)).contains(onOneLine(sample)));
  }

  @Test
  void anIspOfAnotherKind() {
    RouterImage image = RouterImage.pppoeRouter(Architecture.MIPSEL).build();
    try (Bench bench = Bench.open()) {
      Isp isp = bench.start(RpPppoe.likeLiminix().dns("10.0.2.53").spec());
      Vm router = bench.start(Vm.mipsel().image(image).network(LAN, ACCESS).spec());
      IspSession session = isp.awaitSession(Duration.ofMinutes(2));
      session.terminate();
      session.awaitEnd(Duration.ofMinutes(1));
    }
  }

  @Test
  void anIspThatMisbehaves() {
    Account ann = Account.of("ann", "secret").rate(50_000_000, 10_000_000).limit(1);
    try (Segments segments = Segments.isolated();
        BorderNetworkGateway isp = BorderNetworkGateway.account(ann).nat().start(segments)) {
      isp.misbehave(
          IspFaults.none().delay(IspFaults.Stage.PADI, Duration.ofSeconds(3)).blackHole(1400));
      isp.misbehave(IspFaults.none());
    }
  }

  @Test
  void aConsoleAndItsShell() throws Exception {
    RouterImage image = RouterImage.debian(Architecture.MIPSEL).build();
    try (Vm board = Vm.mipsel().image(image).commandLine("loglevel=7").start()) {
      board.shell();
      Path path = board.runDirectory().resolve("console");
      try (Console console = Console.over(UnixSocket.connect(path)).name("board").open()) {
        Shell shell = Shell.on(console).open();
        CommandResult uptime = shell.run("cat /proc/uptime").orThrow();
        console.sendLine("reboot");
        Match version =
            console.expect(Pattern.compile("Linux version (\\S+)"), Duration.ofSeconds(30));
      }
    }
  }

  @Test
  void aConsoleBehindATerminalServer() throws Exception {
    String server = "127.0.0.1";
    try (SerialBench bench = SerialBench.with("exec:/bin/sh,pty,setsid,ctty,stderr")) {
      int port = bench.serve("telnet(rfc2217)");
      TelnetLine line = TelnetLine.to(server, port).baudRate(115200).connect();
      try (Console board = Console.over(line).name("board").open()) {
        CommandResult kernel = Shell.on(board).open().run("uname -r");
        line.sendBreak(Duration.ofMillis(250));
      }
    }
  }

  @Test
  @Timeout(1200) // with an empty cache it builds the two
  void aVirtualMachine() throws Exception {
    Path vmlinux = BigEndianImages.vmlinux();
    Path squashfs = BigEndianImages.squashfs();
    try (Vm router = Vm.mips().kernel(vmlinux).rootfs(squashfs).network(LAN, ACCESS).start()) {
      router.console().expect("Mounted root");
      CommandResult r = router.shell().run("ip address show dev ppp0");
      JsonElement status = router.qmp().execute("query-status");
      System.out.println(router.commandLine());
    }
  }

  @Test
  void ipv6ThroughARouter() {
    try (Bench bench = Bench.open()) {
      BorderNetworkGateway isp = bench.start(BorderNetworkGateway.likeLiminix().spec());
      bench.start(EthernetHost.on(WORLD).address("2001:db8::2/64").gateway("2001:db8::1").spec());
      RouterImage dualStack = RouterImage.dualStackRouter(Architecture.MIPSEL).build();
      bench.start(Vm.mipsel().image(dualStack).network(LAN, ACCESS).spec());
      EthernetHost pc = bench.start(EthernetHost.on(LAN).spec());
      PppSession session = isp.awaitSession(Duration.ofSeconds(60));
      Ipv6Network prefix = session.awaitDelegation(Duration.ofSeconds(60));
      Inet6Address address = pc.awaitIpv6Address(prefix::contains, Duration.ofSeconds(60));
      pc.ping("2001:db8::2", Duration.ofSeconds(10));
    }
  }

  @Test
  void twoHostsOnASegment() throws Exception {
    try (Segments segments = Segments.isolated();
        Capture capture = segments.get(LAN).capture(directory.resolve("lan.pcapng"));
        EthernetHost a = EthernetHost.on(LAN).address("10.0.0.1/24").start(segments);
        EthernetHost b = EthernetHost.on(LAN).address("10.0.0.2/24").start(segments)) {
      Ping ping = a.ping("10.0.0.2", Duration.ofSeconds(5));
    }
  }

  @Test
  void serversOnAHost() {
    try (Segments segments = Segments.isolated();
        EthernetHost host = EthernetHost.on(LAN).address("10.0.0.1/24").start(segments);
        EthernetHost pc = EthernetHost.on(LAN).dhcp().start(segments)) {
      byte[] question = {
        0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w', 'w', 'w', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e',
        3, 'o', 'r', 'g', 0, 0, 1, 0, 1
      };
      Thread asks =
          new Thread(
              () -> {
                pc.awaitLease(Duration.ofSeconds(30));
                pc.bind(0, (payload, source, port) -> {})
                    .send(ByteBuffer.wrap(question), new InetSocketAddress("10.0.0.1", 53));
              });
      asks.start();
      try (DhcpServer dhcp = DhcpServer.on(host).router("10.0.0.1").bootFile("boot.scr").start();
          DnsServer dns =
              DnsServer.on(host).address("www.example.org", "10.0.2.2", "fd00::2").start()) {
        DhcpBinding lease = dhcp.awaitLease(Duration.ofSeconds(30));
        DnsQuery query = dns.awaitQuery("www.example.org", Duration.ofSeconds(30));
      }
    }
  }

  @Test
  void aBadCable() {
    try (Segments segments = Segments.isolated();
        EthernetHost pc = EthernetHost.on(LAN).name("pc").address("10.0.0.1/24").start(segments);
        EthernetHost b = EthernetHost.on(LAN).address("10.0.0.2/24").start(segments)) {
      Segment lan = segments.get(LAN);
      lan.cable("pc").impair(Impairment.none().rate(2_000_000).delay(Duration.ofMillis(20)));
      try (FrameLog log = lan.log()) {
        pc.ping("10.0.0.2", Duration.ofSeconds(5));
        Frame reply =
            log.await(
                frame -> frame.icmp().filter(i -> i.type() == 0).isPresent(),
                Duration.ofSeconds(5));
      }
    }
  }

  @Test
  void aTftpServer() throws Exception {
    Path result = Files.createDirectory(directory.resolve("result"));
    Files.writeString(result.resolve("boot.scr"), "echo");
    try (TftpServer tftp = TftpServer.allow("127.0.0.1").root(result).start();
        TftpClient client = TftpClient.to("127.0.0.1").port(tftp.port()).start()) {
      byte[] script = client.get("boot.scr");
      tftp.awaitTransfer("boot.scr", Duration.ofSeconds(5));
    }
  }

  @Test
  void aFlashScript() throws Exception {
    Path result = Files.createDirectory(directory.resolve("result"));
    Files.write(result.resolve("firmware.bin"), new byte[0x180000]);
    MemoryMap board =
        MemoryMap.builder()
            .ram(new AddressRange(0x80000000L, 128 << 20))
            .flash(
                FlashDevice.nor(new AddressRange(0xbe000000L, 4 << 20), 0x10000)
                    .withProtected("u-boot", new AddressRange(0, 0x100000))
                    .withPartition("firmware", new AddressRange(0x100000, 0x200000)))
            .build();
    FlashScript flash =
        FlashScript.builder()
            .serverIp("10.0.0.1")
            .ipAddress("10.0.0.8")
            .loadAddress(0x80100000L)
            .firmware(ImageData.file(result.resolve("firmware.bin")))
            .target(FlashTarget.nor(new AddressRange(0xbe100000L, 0x200000), 0x10000))
            .build();
    System.out.println(flash.check(board).verify().explain());
    flash.write(result);
  }

  @Test
  void aGuestImageAndABench() throws Exception {
    RouterImage image =
        RouterImage.pppoeRouter(Architecture.MIPSEL)
            .packages("iproute2")
            .file("/etc/ppp/ip-up", 0755, "#!/bin/sh\necho \"wan up: $4\" >/dev/console\n")
            .build();
    System.out.println(image.manifest());

    try (Bench bench = Bench.open()) {
      BorderNetworkGateway isp = bench.start(BorderNetworkGateway.account("me", "secret").spec());
      Vm router = bench.start(Vm.mipsel().image(image).network(LAN, ACCESS).spec());
      IspEvent.AuthenticationFailed refused =
          isp.awaitEvent(IspEvent.AuthenticationFailed.class, Duration.ofSeconds(60));
      bench.saveTo(directory.resolve("evidence"));
    }
  }

  private static String read(Path path) {
    try {
      return Files.readString(path);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void aLinuxHostAndADoorToIt() throws Exception {
    assumeThat(LinuxHost.problem()).isEmpty();
    try (ServerSocket server = new ServerSocket(0, 10, InetAddress.getLoopbackAddress())) {
      Thread answering = new Thread(() -> answerOnce(server));
      answering.start();
      try (Bench bench = Bench.open()) {
        LinuxHost pc = bench.start(LinuxHost.on(LAN).address("192.168.1.2/24").spec());
        HostDoor door =
            bench.start(
                HostDoor.on(LAN)
                    .address("192.168.1.250/24")
                    .forward("192.168.1.2", 80)
                    .expose(8080, server.getLocalPort())
                    .spec());
        LinuxProgram web = pc.start("busybox", "httpd", "-f", "-v", "-h", "/usr/share/doc");
        URI fromThisJvm = door.uri("192.168.1.2", 80);
        GuestResult fromTheLan = pc.run("curl", "--silent", "http://192.168.1.250:8080/");
        assertThat(fromThisJvm.getPort()).isPositive();
        assertThat(fromTheLan.output()).isEqualTo("hello");
      }
      answering.join();
    }
  }

  private static void answerOnce(ServerSocket server) {
    try (Socket client = server.accept()) {
      int unused = client.getInputStream().read(new byte[1000]);
      client
          .getOutputStream()
          .write("HTTP/1.0 200 OK\r\n\r\nhello".getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String onOneLine(String code) {
    return code.strip().replaceAll("\\s+", " ");
  }
}
