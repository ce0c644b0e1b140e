package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.LAN;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.console.Shell;
import org.liminix.net.EthernetHost;
import org.liminix.qemu.Vm;
import org.liminix.tftp.TftpServer;
import org.liminix.tftp.TftpTransfer;

/** A TFTP server on an emulated network, at port 69 without root, and a guest's client. */
@Timeout(180)
class TftpOnASegmentIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @Test
  void servesTheCardItAllowsAndNobodyElse(@TempDir Path root) throws Exception {
    byte[] firmware = new byte[300_000];
    new Random(1).nextBytes(firmware);
    Files.write(root.resolve("firmware.bin"), firmware);
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL).modules("virtio_pci", "virtio_net").build();
    try (Bench bench = Bench.open()) {
      EthernetHost host = bench.start(EthernetHost.on(LAN).address("192.168.8.1/24").spec());
      Vm board = bench.start(Vm.mipsel().image(image).network(LAN).spec());
      board.console().expect("router: ready", PATIENCE);
      Shell shell = board.shell();
      shell.run("ip link set eth0 up && ip address add 192.168.8.251/24 dev eth0").orThrow();
      String mac = shell.run("cat /sys/class/net/eth0/address").orThrow().output();

      try (TftpServer tftp = TftpServer.allow(mac).root(root).on(host).port(69).start()) {
        shell.run("cd /tmp && tftp -g -r firmware.bin 192.168.8.1").orThrow();
        TftpTransfer transfer = tftp.awaitTransfer("firmware.bin", PATIENCE);
        assertThat(transfer.bytes()).isEqualTo(firmware.length);
        assertThat(shell.run("wc -c < firmware.bin").output()).isEqualTo("300000");
      }
      try (TftpServer tftp =
          TftpServer.allow("52:54:00:00:00:01").root(root).on(host).port(69).start()) {
        assertThat(shell.run("tftp -g -r firmware.bin 192.168.8.1").succeeded()).isFalse();
        assertThat(tftp.transfers()).noneMatch(t -> t.state() == TftpTransfer.State.COMPLETED);
      }
    }
  }
}
