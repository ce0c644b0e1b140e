package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.LAN;

import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.net.Bridge;
import org.liminix.net.DhcpBinding;
import org.liminix.net.DhcpServer;
import org.liminix.net.EthernetHost;
import org.liminix.net.MacAddress;
import org.liminix.net.Segment;
import org.liminix.net.Segments;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.testkit.internal.Tools;
import org.liminix.tftp.TftpServer;

/** A private network that is joined to a group of the multicast convention. */
@Timeout(400)
class BridgeIT {
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  @Test
  void aMachineStartedByHandBootsFromAPrivateNetwork() {
    Tools.require("qemu-system-x86_64", "qemu-system-x86");
    ThreadLocalRandom random = ThreadLocalRandom.current();
    // A group of our own, so that tests may run beside each other and beside a real bench.
    InetSocketAddress group =
        new InetSocketAddress(
            "239.9.%d.%d".formatted(random.nextInt(256), random.nextInt(1, 255)),
            random.nextInt(20_000, 30_000));
    byte[] script = "#!ipxe\necho Booted\npoweroff\n".getBytes(StandardCharsets.US_ASCII);
    try (Segments segments = Segments.isolated();
        EthernetHost host = EthernetHost.on(LAN).address("10.0.0.1/24").start(segments);
        DhcpServer dhcp = DhcpServer.on(host).bootFile("boot.ipxe").start();
        TftpServer tftp = TftpServer.allowAnyone().file("boot.ipxe", script).on(host).start();
        RunDirectory run = RunDirectory.create("by-hand")) {
      Segment lan = segments.get(LAN);
      try (Bridge bridge = lan.bridge(group);
          SupervisedProcess qemu =
              SupervisedProcess.of(
                      List.of(
                          "qemu-system-x86_64",
                          "-accel",
                          "tcg",
                          "-m",
                          "64",
                          "-display",
                          "none",
                          "-nodefaults",
                          "-netdev",
                          "socket,id=lan,mcast=%s:%d,localaddr=127.0.0.1"
                              .formatted(group.getAddress().getHostAddress(), group.getPort()),
                          "-device",
                          "virtio-net-pci,netdev=lan,mac=52:54:00:77:88:99"))
                  .directory(run)
                  .start()) {
        DhcpBinding lease = dhcp.awaitLease(MacAddress.parse("52:54:00:77:88:99"), PATIENCE);
        assertThat(tftp.awaitTransfer("boot.ipxe", PATIENCE).bytes()).isEqualTo(script.length);
        assertThat(lease.address()).hasToString("/10.0.0.2");
        assertThat(qemu.isAlive()).isTrue();
        assertThat(bridge.dropped()).isZero();
      }
    }
  }
}
