package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.EthernetHost;
import org.liminix.process.Executable;
import org.liminix.qemu.Vm;
import org.tukaani.xz.XZInputStream;

/** A kernel and a squashfs, no initrd, on a big-endian board: what Liminix's own devices are. */
@Timeout(180)
class BigEndianMaltaIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Path IMAGES = Path.of("../../shared/images/mips-be");

  @TempDir static Path directory;

  private static Vm.Builder board() {
    return Vm.mips()
        .kernel(directory.resolve("vmlinux"))
        .rootfs(IMAGES.resolve("rootfs.squashfs"))
        .network(LAN, ACCESS);
  }

  @BeforeAll
  static void unpack() throws IOException {
    Assumptions.assumeTrue(
        Files.isDirectory(IMAGES),
        "The big-endian kernel and root are missing: " + IMAGES.toAbsolutePath().normalize());
    Assumptions.assumeTrue(
        Executable.named("qemu-system-mips").lookUp().isPresent(),
        "QEMU is missing: apt-get install qemu-system-mips");
    try (InputStream packed = Files.newInputStream(IMAGES.resolve("vmlinux.xz"))) {
      Files.copy(new XZInputStream(packed), directory.resolve("vmlinux"));
    }
  }

  @Test
  void bootsFromTheRootInMemory() {
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
