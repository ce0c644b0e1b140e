package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.EthernetHost;
import org.liminix.net.Segments;
import org.liminix.qemu.Accelerator;
import org.liminix.qemu.Hotplugged;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.Tools;

/**
 * A guest that looks while PCI devices come and go. For USB see {@link LiveControlIT}: the kernels
 * that Debian has for machines with PCI hotplug lack either that or USB.
 */
@Timeout(240)
class HotplugIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** Says on the console what the kernel tells of a device. */
  private static final String WATCHER =
      """
      #!/bin/sh
      echo "seen: $ACTION $SUBSYSTEM $MDEV" > /dev/console
      """;

  @TempDir Path directory;

  @BeforeAll
  static void requireTools() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-x86_64", "qemu-system-x86");
  }

  @Test
  void seesACardAndADiskComeAndGo() throws IOException {
    RouterImage image =
        RouterImage.debian(Architecture.AMD64)
            .modules("virtio_net")
            .file(
                "/etc/mdev.conf",
                "SUBSYSTEM=net;.* 0:0 600 */etc/seen\nSUBSYSTEM=block;.* 0:0 600 */etc/seen\n")
            .file("/etc/seen", 0755, WATCHER)
            .file("/etc/rc.d/10-mdev", "mdev -df < /dev/null > /dev/null 2>&1 &\n")
            .build();
    Path content = Files.writeString(directory.resolve("content"), "a disk" + " ".repeat(65_530));
    try (Segments segments = Segments.isolated();
        EthernetHost pc = EthernetHost.on(LAN).address("10.0.0.1/24").start(segments);
        Vm vm =
            Vm.x86_64()
                .image(image)
                .commandLine("net.ifnames=0")
                .hotplug(2)
                .accelerator(Accelerator.TCG)
                .timeout(PATIENCE)
                .spec()
                .start(segments)) {
      vm.console().expect("router: ready", PATIENCE);
      assertThat(vm.shell().run("ls /sys/class/net").lines()).containsExactly("lo");

      Hotplugged card = vm.plugNetwork(LAN);
      vm.console().expect("seen: add net eth0", PATIENCE);
      vm.shell().run("ip address add 10.0.0.9/24 dev eth0; ip link set dev eth0 up").orThrow();
      assertThat(pc.ping("10.0.0.9", PATIENCE).ttl()).isEqualTo(64);

      Hotplugged disk = vm.plugDisk(content);
      vm.console().expect("seen: add block vdb", PATIENCE);
      assertThat(vm.shell().run("head -c 6 /dev/vdb").output()).isEqualTo("a disk");

      assertThat(vm.shell().run("cat /proc/partitions").output()).contains("vdb");

      card.unplug(PATIENCE);
      disk.unplug(PATIENCE);
      assertThat(vm.shell().run("ls /sys/class/net").lines()).containsExactly("lo");
      assertThat(vm.shell().run("cat /proc/partitions").output()).doesNotContain("vdb");

      // The slots are free again.
      vm.plugDisk(content);
      vm.plugDisk(content);
    }
  }
}
