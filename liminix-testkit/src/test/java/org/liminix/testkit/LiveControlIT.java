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
import org.liminix.console.Shell;
import org.liminix.net.EthernetHost;
import org.liminix.net.Segments;
import org.liminix.qemu.Hotplugged;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.Tools;

/** What Liminix's own tests {@code inout} and {@code updown} do, to a Debian guest. */
@Timeout(240)
class LiveControlIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir Path directory;

  @BeforeAll
  static void requireTools() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
  }

  /** Prints a line when a USB stick is there and can be read, and one when it is gone. */
  private static final String WATCHER =
      """
      #!/bin/sh
      case $ACTION in
        add) read -r line < /dev/$MDEV; echo "stick in: $line" > /dev/console ;;
        remove) echo "stick out" > /dev/console ;;
      esac
      """;

  @Test
  void seesAUsbStickThatIsThereEarlyAndOneThatComesLate() throws IOException {
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .modules("uhci_hcd", "usb_storage", "sd_mod")
            .file("/etc/mdev.conf", "sd[a-z] 0:0 600 */etc/stick\n")
            .file("/etc/stick", 0755, WATCHER)
            .file(
                "/etc/rc.d/10-mdev",
                "mount -t tmpfs run /mnt\nmdev -df < /dev/null > /dev/null 2>&1 &\nmdev -s\n")
            .build();
    Path early = Files.writeString(directory.resolve("early"), "early\n" + " ".repeat(65_530));
    Path late = Files.writeString(directory.resolve("late"), "late.\n" + " ".repeat(65_530));

    try (Vm vm = Vm.mipsel().image(image).usb().paused().spec().start()) {
      Hotplugged first = vm.plugUsbStorage(early);
      vm.resume();
      vm.console().expect("stick in: early", PATIENCE);
      first.unplug(PATIENCE);
      vm.console().expect("stick out", PATIENCE);
      Hotplugged second = vm.plugUsbStorage(late);
      vm.console().expect("stick in: late", PATIENCE);
      second.unplug(PATIENCE);
      vm.console().expect("stick out", PATIENCE);
    }
    assertThat(early).hasContent("early\n" + " ".repeat(65_530));
  }

  @Test
  void seesLinksThatAreDownAtBootAndComeUpLater() {
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .modules("virtio_pci", "virtio_net")
            .file(
                "/etc/rc.d/10-net",
                "ip address add 10.0.0.9/24 dev eth0\nip link set dev eth0 up\n")
            .build();
    try (Segments segments = Segments.isolated();
        EthernetHost pc = EthernetHost.on(LAN).address("10.0.0.1/24").start(segments);
        Vm vm = Vm.mipsel().image(image).network(LAN).linksDown(LAN).spec().start(segments)) {
      vm.console().expect("router: ready", PATIENCE);
      Shell shell = vm.shell();
      assertThat(shell.run("cat /sys/class/net/eth0/carrier").output()).isEqualTo("0");

      vm.link(LAN).up();
      assertThat(pc.ping("10.0.0.9", PATIENCE).ttl()).isEqualTo(64);
      assertThat(shell.run("cat /sys/class/net/eth0/carrier").output()).isEqualTo("1");

      vm.link(LAN).down();
      assertThat(shell.run("ping -c 1 -W 1 10.0.0.1").output()).contains("0 packets received");
    }
  }
}
