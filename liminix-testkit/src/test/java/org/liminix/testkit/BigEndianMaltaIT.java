package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.EthernetHost;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmBuilder;

/** A kernel and a squashfs, no initrd, on a big-endian board: what Liminix's own devices are. */
@Timeout(180)
class BigEndianMaltaIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path directory;

  private VmBuilder board() throws IOException {
    return Vm.mips()
        .kernel(BigEndianImages.vmlinux(directory))
        .rootfs(BigEndianImages.squashfs())
        .network(LAN, ACCESS);
  }

  @Test
  void bootsFromTheRootInMemory() throws IOException {
    try (Bench bench = Bench.open()) {
      Vm router = bench.start(board().spec());
      router.console().expect("ROUTER-UP", PATIENCE);
      assertThat(router.shell().run("cat /proc/mtd").orThrow().output())
          .contains("mtd0:", "\"rootfs\"");
      assertThat(router.shell().run("uname -m").output()).isEqualTo("mips");
      assertThat(router.shell().run("grep ' / ' /proc/mounts").output()).contains("squashfs");
    }
  }

  @Test
  void goesOnFromWhereItWasBootedOnce() throws IOException {
    BootedOnce.check(
        Vm.mips().kernel(BigEndianImages.vmlinux(directory)).rootfs(BigEndianImages.squashfs()),
        "ROUTER-UP",
        directory.resolve("cache"),
        BootedOnce.Guest.SMALL);
  }

  @Test
  void reachesAHostOnItsLan() throws IOException {
    try (Bench bench = Bench.open()) {
      EthernetHost pc = bench.start(EthernetHost.on(LAN).address("192.168.19.2/24").spec());
      Vm router = bench.start(board().spec());
      router
          .shell()
          .run("ip link set eth0 up && ip address add 192.168.19.1/24 dev eth0")
          .orThrow();
      assertThat(pc.ping("192.168.19.1", PATIENCE).target().getHostAddress())
          .isEqualTo("192.168.19.1");
      assertThat(router.shell().run("ping -c 1 192.168.19.2").orThrow().output())
          .contains("1 packets received");
    }
  }
}
