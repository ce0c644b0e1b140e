package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.LAN;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.console.Shell;
import org.liminix.net.DhcpBinding;
import org.liminix.net.DhcpEvent;
import org.liminix.net.DhcpServer;
import org.liminix.net.DhcpServerBuilder;
import org.liminix.net.DnsRecord;
import org.liminix.net.DnsServer;
import org.liminix.net.EthernetHost;
import org.liminix.net.MacAddress;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.Tools;
import org.liminix.tftp.TftpServer;
import org.liminix.tftp.TftpTransfer;
import org.liminix.uboot.ImageData;
import org.liminix.uboot.UBoot;

/** Real clients of a LAN without a router: U-Boot, udhcpc, dhclient and dhcpcd, and nslookup. */
@Timeout(600)
class DhcpPeersIT {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private static Bench bench;
  private static EthernetHost host;
  private static Vm vm;

  @BeforeAll
  static void start() {
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
    Tools.requireImageBuilding();
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .packages("isc-dhcp-client", "dhcpcd-base", "iproute2")
            .modules("virtio_pci", "virtio_net", "af_packet")
            .file("/etc/rc.d/10-net", "ip link set eth0 up\n")
            // Tells what the client was told, and does what it is told.
            .file(
                "/etc/udhcpc",
                0755,
                """
                #!/bin/sh
                case $1 in
                  bound|renew) ip address replace $ip/$mask dev eth0; set >/tmp/$1 ;;
                  deconfig) ip address flush dev eth0 ;;
                esac
                """)
            .build();
    bench = Bench.open();
    host = bench.start(EthernetHost.on(LAN).name("server").address("10.0.0.1/24").spec());
    vm = bench.start(Vm.mipsel().name("client").image(image).network(LAN).spec());
    vm.console().expect("router: ready", PATIENCE);
  }

  @AfterAll
  static void stop() {
    if (bench != null) {
      bench.close();
    }
  }

  private static DhcpServerBuilder server() {
    return DhcpServer.on(host).pool("10.0.0.10", "10.0.0.99");
  }

  private static MacAddress card(Shell shell) {
    return MacAddress.parse(shell.run("cat /sys/class/net/eth0/address").orThrow().output());
  }

  @Test
  void udhcpcIsToldEverythingAndRenewsAndReleases() {
    Shell shell = vm.shell();
    try (DhcpServer dhcp =
        server()
            .router("10.0.0.1")
            .dns("10.0.0.1", "10.0.0.2")
            .domain("lan.example")
            .route("10.8.0.0/13", "10.0.0.7")
            .bootFile("vmlinux")
            .option(42, "0123") // four bytes are an address: of a time server
            .lease(Duration.ofMinutes(10))
            .start()) {
      shell.run(
          "udhcpc -i eth0 -f -S -p /tmp/udhcpc.pid -s /etc/udhcpc -x hostname:box"
              + " -O staticroutes -O bootfile -O tftp -O ntpsrv >/tmp/udhcpc 2>&1 & echo started");
      DhcpBinding lease = dhcp.awaitLease(card(shell), PATIENCE);
      assertThat(lease.hostName()).contains("box");
      assertThat(lease.leaseTime()).isEqualTo(Duration.ofMinutes(10));
      host.ping(lease.address(), PATIENCE);

      shell.run("kill -USR1 $(cat /tmp/udhcpc.pid)").orThrow();
      DhcpEvent renewed =
          dhcp.awaitEvent(
              event ->
                  event instanceof DhcpEvent.Granted granted
                      && granted.request() == DhcpEvent.Request.RENEWING,
              PATIENCE);
      assertThat(((DhcpEvent.Granted) renewed).binding().address()).isEqualTo(lease.address());
      assertThat(shell.run("cat /tmp/bound").orThrow().output())
          .contains(
              "ip='" + lease.address().getHostAddress() + "'",
              "subnet='255.255.255.0'",
              "broadcast='10.0.0.255'",
              "router='10.0.0.1'",
              "dns='10.0.0.1 10.0.0.2'",
              "domain='lan.example'",
              "staticroutes='10.8.0.0/13 10.0.0.7 0.0.0.0/0 10.0.0.1'",
              "ntpsrv='48.49.50.51'",
              "siaddr='10.0.0.1'",
              "boot_file='vmlinux'",
              "bootfile='vmlinux'",
              "tftp='10.0.0.1'",
              "lease='600'",
              "serverid='10.0.0.1'");

      shell.run("kill -USR2 $(cat /tmp/udhcpc.pid)").orThrow();
      assertThat(dhcp.awaitEvent(DhcpEvent.Released.class, PATIENCE).address())
          .isEqualTo(lease.address());
      assertThat(dhcp.leases()).isEmpty();
      shell.run("kill $(cat /tmp/udhcpc.pid)").orThrow();
    }
  }

  @Test
  void udhcpcDeclinesAnAddressThatSomebodyHasAndGetsAnother() {
    Shell shell = vm.shell();
    try (EthernetHost squatter =
            bench.start(EthernetHost.on(LAN).name("squatter").address("10.0.0.10/24").spec());
        DhcpServer dhcp = server().probe(Duration.ZERO).start()) {
      shell
          .run("udhcpc -i eth0 -f -q -a -s /etc/udhcpc >/tmp/udhcpc 2>&1 & echo started")
          .orThrow();
      assertThat(dhcp.awaitEvent(DhcpEvent.Declined.class, PATIENCE).address())
          .hasToString("/10.0.0.10");
      DhcpBinding lease = dhcp.awaitLease(PATIENCE);
      assertThat(lease.address()).hasToString("/10.0.0.11");
      assertThat(squatter.macAddress()).isNotEqualTo(lease.client());
    }
  }

  @Test
  void dhclientGetsALeaseAndGivesItBack() {
    Shell shell = vm.shell();
    String dhclient = "dhclient -v -sf /bin/true -lf /tmp/leases -pf /tmp/pid ";
    try (DhcpServer dhcp = server().router("10.0.0.1").domain("lan.example").start()) {
      String output = shell.run(dhclient + "-1 eth0 2>&1").orThrow().output();
      DhcpBinding lease = dhcp.awaitLease(card(shell), PATIENCE);
      String address = lease.address().getHostAddress();
      assertThat(output).contains("bound to " + address);
      assertThat(shell.run("cat /tmp/leases").orThrow().output())
          .contains(
              "fixed-address " + address,
              "option routers 10.0.0.1",
              "option domain-name \"lan.example\"",
              "option dhcp-lease-time 3600",
              "option dhcp-renewal-time 1800",
              "option dhcp-rebinding-time 3150");
      // From its file, in INIT-REBOOT.
      shell.run("kill $(cat /tmp/pid); ip address flush dev eth0").orThrow();
      shell.run(dhclient + "-1 eth0 2>&1").orThrow();
      dhcp.awaitEvent(
          event ->
              event instanceof DhcpEvent.Granted granted
                  && granted.request() == DhcpEvent.Request.INIT_REBOOT,
          PATIENCE);
      shell.run("ip address add " + address + "/24 dev eth0").orThrow();
      shell.run(dhclient + "-r eth0 2>&1").orThrow();
      dhcp.awaitEvent(DhcpEvent.Released.class, PATIENCE);
      shell.run("ip address flush dev eth0").orThrow();
    }
  }

  @Test
  void dhcpcdGetsALeaseByItsIdentifierAndNslookupTheNames() {
    Shell shell = vm.shell();
    try (DhcpServer dhcp = server().dns("10.0.0.1").start();
        DnsServer dns =
            DnsServer.on(host)
                .address("www.lan.example", "10.0.0.80", "fd00::80")
                .alias("ftp.lan.example", "www.lan.example")
                .record("lan.example", DnsRecord.mail(10, "mx.lan.example"))
                .start()) {
      shell.run("dhcpcd -1 -4 --noarp -c /bin/true -h box -t 50 eth0 2>&1").orThrow();
      DhcpBinding lease = dhcp.awaitLease(card(shell), PATIENCE);
      assertThat(shell.run("ip -4 address show dev eth0").output())
          .contains(lease.address().getHostAddress() + "/24");
      assertThat(shell.run("nslookup ftp.lan.example 10.0.0.1").output())
          .contains("www.lan.example", "10.0.0.80");
      assertThat(dns.awaitQuery("ftp.lan.example", PATIENCE).client().getAddress())
          .isEqualTo(lease.address());
      assertThat(shell.run("nslookup 10.0.0.80 10.0.0.1").output()).contains("www.lan.example");
      assertThat(shell.run("nslookup nobody.example 10.0.0.1").output()).contains("NXDOMAIN");
      shell.run("ip address flush dev eth0").orThrow();
    }
  }

  @Test
  void uBootBootsFromTheNetwork(@TempDir Path directory) throws Exception {
    byte[] kernel = new byte[70_001];
    new Random(1).nextBytes(kernel);
    Files.write(directory.resolve("kernel.bin"), kernel);
    Path flash = Files.write(directory.resolve("flash"), UBootBoard.maltaFlash());
    try (UBootBoard board = UBootBoard.malta(flash, false, directory)) {
      EthernetHost server = board.host();
      try (DhcpServer dhcp =
          DhcpServer.on(server).pool("10.0.0.8", "10.0.0.8").bootFile("kernel.bin").start()) {
        UBoot uboot = UBoot.on(board.console()).timeout(PATIENCE).open();
        assertThat(uboot.run("dhcp 0x81000000").orThrow().output())
            .contains("DHCP client bound to address 10.0.0.8", "Filename 'kernel.bin'");
        assertThat(uboot.crc32(0x81000000L, kernel.length)).isEqualTo(ImageData.of(kernel).crc32());
        assertThat(uboot.run("echo $serverip $netmask").orThrow().output())
            .isEqualTo("10.0.0.1 255.255.255.0");
        TftpServer tftp = board.tftp();
        TftpTransfer transfer = tftp.awaitTransfer("kernel.bin", PATIENCE);
        assertThat(transfer.bytes()).isEqualTo(kernel.length);
        assertThat(dhcp.leases()).hasSize(1);
      }
    }
  }
}
