package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.liminix.net.Network.LAN;

import java.net.Inet6Address;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.EthernetHost;
import org.liminix.net.PingFailedException;
import org.liminix.net.PingFailedException.Reason;
import org.liminix.net.RouterAdvertisement;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.process.WaitTimeoutException;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmSpec;
import org.liminix.testkit.junit.Part;
import org.liminix.testkit.junit.Testbench;
import org.liminix.tftp.TftpServer;

/**
 * In-process hosts beside a Linux that is their router, with Debian's dnsmasq for advertisements.
 */
@Testbench
class GuestIpv6IT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Part static final Spec<EthernetHost> pc = EthernetHost.on(LAN).name("pc").spec();

  @Part static final VmSpec router = router();

  private static VmSpec router() {
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .packages("dnsmasq-base")
            .modules("virtio_pci", "virtio_net")
            .file(
                "/etc/rc.d/10-net",
                """
                echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
                ip address add 2001:db8:1::1/64 dev eth0
                ip link set dev eth0 up
                ip route add unreachable 2001:db8:dead::/48
                ip route add prohibit 2001:db8:beef::/48
                dnsmasq
                """)
            .file(
                "/etc/dnsmasq.conf",
                """
                port=0
                interface=eth0
                bind-dynamic
                user=dnsmasq
                enable-ra
                dhcp-range=2001:db8:1::,ra-only,64,1h
                dhcp-option=option6:dns-server,[2001:db8:1::53]
                """)
            .build();
    return Vm.mipsel().name("router").image(image).network(LAN).spec();
  }

  private static String run(Vm router, String command) {
    return router.shell().run(command, PATIENCE).output();
  }

  @Test
  void makesItselfAnAddressAsTheRouterSays(Vm router, EthernetHost pc) {
    Inet6Address address = pc.awaitIpv6Address(PATIENCE);
    assertThat(address.getHostAddress()).startsWith("2001:db8:1:0:");
    RouterAdvertisement news = pc.routerAdvertisements().get(0);
    assertThat(news.prefixes())
        .singleElement()
        .satisfies(
            prefix -> {
              assertThat(prefix.length()).isEqualTo(64);
              assertThat(prefix.autonomous()).isTrue();
              assertThat(prefix.valid()).isEqualTo(Duration.ofHours(1));
            });
    assertThat(news.nameServers())
        .singleElement()
        .satisfies(dns -> assertThat(dns.address()).hasToString("/2001:db8:1:0:0:0:0:53"));
    assertThat(pc.ping("2001:db8:1::1", PATIENCE).ttl()).isEqualTo(64);
    assertThat(pc.ping(news.router(), PATIENCE).ttl()).isEqualTo(64);
    assertThat(run(router, "ip -6 neigh show")).contains("lladdr " + pc.macAddress());
  }

  @Test
  void answersWhatLinuxAsks(Vm router, EthernetHost pc) {
    String address = pc.awaitIpv6Address(PATIENCE).getHostAddress();
    assertThat(run(router, "ping -c 2 -i 0.2 -w 20 " + address)).contains(" 0% packet loss");
    assertThat(run(router, "ping -c 2 -i 0.2 -s 9000 -w 20 " + address))
        .contains(" 0% packet loss");
    assertThat(run(router, "ping -c 1 -w 20 ff02::1%eth0")).contains(" 0% packet loss");
    assertThat(pc.awaitPing(ping -> ping.source() instanceof Inet6Address, PATIENCE).ttl())
        .isEqualTo(64);
  }

  @Test
  void saysWhyAPingFailed(EthernetHost pc) {
    pc.awaitIpv6Address(PATIENCE);
    PingFailedException unreachable = failure(pc, "2001:db8:dead::1");
    assertThat(unreachable.reason()).isEqualTo(Reason.UNREACHABLE);
    assertThat(unreachable.reporter()).isPresent();
    assertThat(unreachable).hasMessageContaining("no route to the destination (ICMPv6 type 1");
    assertThat(failure(pc, "2001:db8:beef::1"))
        .hasMessageContaining("administratively prohibited (ICMPv6 type 1 code 1)");
  }

  private static PingFailedException failure(EthernetHost pc, String target) {
    return catchThrowableOfType(PingFailedException.class, () -> pc.ping(target, PATIENCE));
  }

  @Test
  void doesNotTakeAnAddressThatLinuxHas(Segments segments, EthernetHost pc) {
    pc.awaitIpv6Address(PATIENCE); // the router is up
    try (EthernetHost twin = EthernetHost.on(LAN).address("2001:db8:1::1/64").start(segments)) {
      // Until the router has answered the address is in use: what is awaited is that it is not.
      assertThatThrownBy(() -> twin.awaitIpv6Address(a -> false, Duration.ofSeconds(2)))
          .isInstanceOf(WaitTimeoutException.class);
      assertThat(twin.ipv6Addresses()).hasSize(1);
    }
  }

  @Test
  void servesFilesOverIpv6(Vm router, EthernetHost pc, @TempDir Path root) throws Exception {
    String address = pc.awaitIpv6Address(PATIENCE).getHostAddress();
    byte[] firmware = new byte[100_000];
    new Random(6).nextBytes(firmware);
    Files.write(root.resolve("firmware.bin"), firmware);
    String mac = run(router, "cat /sys/class/net/eth0/address");
    try (TftpServer tftp = TftpServer.allow(mac).root(root).on(pc).port(69).start()) {
      router.shell().run("cd /tmp && tftp -g -r firmware.bin " + address, PATIENCE).orThrow();
      assertThat(tftp.awaitTransfer("firmware.bin", PATIENCE).bytes()).isEqualTo(firmware.length);
    }
    assertThat(run(router, "wc -c < /tmp/firmware.bin")).isEqualTo("100000");
  }
}
