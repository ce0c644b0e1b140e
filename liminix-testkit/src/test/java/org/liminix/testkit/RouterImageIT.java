package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.image.Manifest;
import org.liminix.testkit.internal.Tools;

/** Boots images made from Debian's own packages. */
class RouterImageIT {
  @TempDir Path directory;

  @BeforeAll
  static void requireTools() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
  }

  @Test
  void thePppoeRouterBootsServesItsLanAndDials() throws Exception {
    RouterImage image = RouterImage.pppoeRouter(Architecture.MIPSEL).build();
    Path capture = directory.resolve("access.pcap");

    try (SerialGuest router = SerialGuest.malta(image, capture)) {
      router.await("BusyBox");
      router.await("# ");
      String boot = router.await("router: ready");

      assertThat(boot).doesNotContain("failed", "does not load");
      assertThat(router.run("nft list ruleset")).contains("oifname \"ppp0\" masquerade");
      assertThat(router.run("ls -l /dev/mtdblock0")).contains("brw");
      assertThat(router.run("ip address show dev eth0")).contains("192.168.19.1/24");
      assertThat(router.run("pidof dnsmasq")).containsPattern("\\d");
      assertThat(router.run("cat /run/log/dnsmasq")).contains("192.168.19.10 -- 192.168.19.253");
      assertThat(router.run("cat /proc/sys/net/ipv4/ip_forward")).contains("1");
      assertThat(router.run("lsmod")).contains("nf_conntrack", "pppoe", "virtio_net");
      assertThat(router.run("dmesg")).doesNotContain("Unknown symbol", "Call Trace");
      assertThat(router.run("cat /run/log/pppd")).contains("PADI");
    }

    // An active discovery initiation: EtherType 8863, version and type 1, code 09 (RFC 2516, 5.1).
    assertThat(Tools.hex(Files.readAllBytes(capture))).contains("886311090000");
    assertThat(image.manifest().find(Manifest.Kind.PACKAGE, "ppp")).isPresent();
    assertThat(image.manifest().find(Manifest.Kind.MODULE, "phram")).isPresent();
    assertThat(image.manifest().find(Manifest.Kind.FILE, "/etc/ppp/peers/wan")).isPresent();
    assertThat(image.manifest().entries(Manifest.Kind.KERNEL))
        .singleElement()
        .satisfies(kernel -> assertThat(kernel.size()).as("unwrapped").isGreaterThan(10 << 20));
  }

  @Test
  void aPlainImageRunsTheScriptsOfItsCaller() throws Exception {
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .modules("dummy")
            .file("/etc/rc.d/20-second", "echo second >> /tmp/order\n")
            .file("/etc/rc.d/10-first", "echo first >> /tmp/order\n")
            .file("/etc/rc.d/30-broken", "false\n")
            .build();

    try (SerialGuest guest = SerialGuest.malta(image, directory.resolve("capture"))) {
      guest.await("/etc/rc.d/30-broken failed, see /run/log/boot");
      guest.await("router: ready");

      assertThat(guest.run("cat /tmp/order")).contains("first\r\nsecond\r\n");
      assertThat(guest.run("modprobe ip6table_nat || echo absent")).contains("absent");
      assertThat(guest.run("ip link add dummy7 type dummy && echo added")).contains("added");
      assertThat(guest.run("touch /etc/x 2>&1")).contains("Read-only file system");
    }
  }
}
