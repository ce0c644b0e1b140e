package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
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

  private static Path vmlinux;
  private static Path squashfs;

  @BeforeAll
  static void buildKernelAndRoot() throws IOException {
    vmlinux = BigEndianImages.vmlinux();
    squashfs = BigEndianImages.squashfs();
  }

  private static VmBuilder board() {
    return Vm.mips().kernel(vmlinux).rootfs(squashfs).network(LAN, ACCESS);
  }

  @Test
  void bootsDebiansKernelFromTheRootInMemory() {
    try (Bench bench = Bench.open()) {
      Vm router = bench.start(board().spec());
      router.console().expect("ROUTER-UP", PATIENCE);
      assertThat(router.shell().run("cat /proc/mtd").orThrow().output())
          .contains("mtd0:", "\"rootfs\"");
      assertThat(router.shell().run("uname -sm").orThrow().output()).isEqualTo("Linux mips");
      assertThat(router.shell().run("printf AB | od -x").orThrow().output())
          .as("'A' is the high byte of a word")
          .contains(" 4142");
      assertThat(router.shell().run("cat /proc/version").output()).contains("mips-linux-gnu-gcc");
      assertThat(router.shell().run("grep ' / ' /proc/mounts").output()).contains("squashfs");
    }
  }

  @Test
  void goesOnFromWhereItWasBootedOnce(@TempDir Path cache) {
    BootedOnce.check(
        Vm.mips().kernel(vmlinux).rootfs(squashfs).timeout(PATIENCE), "ROUTER-UP", cache);
  }

  @Test
  void reachesAHostOnItsLan() {
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
