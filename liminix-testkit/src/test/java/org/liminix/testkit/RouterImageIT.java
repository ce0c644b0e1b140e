package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;

import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.console.Shell;
import org.liminix.image.Manifest;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.Tools;

/** Boots images made from Debian's own packages. */
@Timeout(180)
class RouterImageIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @BeforeAll
  static void requireTools() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
  }

  @Test
  void thePppoeRouterBootsAndServesItsLan() {
    RouterImage image = RouterImage.pppoeRouter(Architecture.MIPSEL).build();
    try (Bench bench = Bench.open()) {
      Vm router = bench.start(Vm.mipsel().image(image).network(LAN, ACCESS).spec());
      String boot = router.console().expect("router: ready", PATIENCE).before();

      assertThat(boot).contains("BusyBox").doesNotContain("failed", "does not load");
      Shell shell = router.shell();
      assertThat(shell.run("nft list ruleset").output()).contains("oifname \"ppp0\" masquerade");
      assertThat(shell.run("ls -l /dev/mtdblock0").output()).startsWith("brw");
      assertThat(shell.run("ip address show dev eth0").output()).contains("192.168.19.1/24");
      assertThat(shell.run("pidof dnsmasq").output()).containsPattern("\\d");
      assertThat(shell.run("cat /run/log/dnsmasq").output())
          .contains("192.168.19.10 -- 192.168.19.253");
      assertThat(shell.run("cat /proc/sys/net/ipv4/ip_forward").output()).isEqualTo("1");
      assertThat(shell.run("lsmod").output()).contains("nf_conntrack", "pppoe", "virtio_net");
      assertThat(shell.run("dmesg").output()).doesNotContain("Unknown symbol", "Call Trace");
    }
    assertThat(image.manifest().find(Manifest.Kind.PACKAGE, "ppp")).isPresent();
    assertThat(image.manifest().find(Manifest.Kind.MODULE, "phram")).isPresent();
    assertThat(image.manifest().find(Manifest.Kind.FILE, "/etc/ppp/peers/wan")).isPresent();
    assertThat(image.manifest().entries(Manifest.Kind.KERNEL))
        .singleElement()
        .satisfies(kernel -> assertThat(kernel.size()).as("unwrapped").isGreaterThan(10 << 20));
  }

  @Test
  void aPlainImageRunsTheScriptsOfItsCaller() {
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .modules("dummy")
            .file("/etc/rc.d/20-second", "echo second >> /tmp/order\n")
            .file("/etc/rc.d/10-first", "echo first >> /tmp/order\n")
            .file("/etc/rc.d/30-broken", "false\n")
            .build();

    try (Bench bench = Bench.open()) {
      Vm guest = bench.start(Vm.mipsel().image(image).spec());
      guest.console().expect("/etc/rc.d/30-broken failed, see /run/log/boot", PATIENCE);
      guest.console().expect("router: ready", PATIENCE);

      Shell shell = guest.shell();
      assertThat(shell.run("cat /tmp/order").lines()).containsExactly("first", "second");
      assertThat(shell.run("modprobe ip6table_nat").succeeded()).isFalse();
      assertThat(shell.run("ip link add dummy7 type dummy").succeeded()).isTrue();
      assertThat(shell.run("touch /etc/x").output()).contains("Read-only file system");
    }
  }
}
