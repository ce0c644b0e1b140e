package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.liminix.net.EthernetHost;
import org.liminix.net.Plug;
import org.liminix.process.RunDirectory;
import org.liminix.qemu.Accelerator;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.Tools;
import org.liminix.tftp.TftpClient;
import org.liminix.tftp.TftpError;
import org.liminix.tftp.TftpException;
import org.liminix.tftp.TftpServer;
import org.liminix.tftp.TftpTransfer;

/**
 * QEMU's own ends of TFTP: the server in its user network, and the boot ROM of its network cards,
 * an iPXE. A hub in the one QEMU joins both to a segment of ours.
 */
@Timeout(300)
class QemuPeersIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  /** QEMU's own address, at whose port 69 it serves. */
  private static final String QEMU = "10.0.2.2";

  private static final String OURS = "10.0.2.9";

  /** Where QEMU's DHCP server begins. */
  private static final String BOARD = "10.0.2.15";

  @TempDir static Path directory;
  private static byte[] content;
  private static byte[] script;
  private static long sum;
  private static Bench bench;
  private static RunDirectory sockets;
  private static EthernetHost host;
  private static TftpServer tftp;
  private static Vm board;

  @BeforeAll
  static void start() throws IOException {
    Tools.require("qemu-system-x86_64", "qemu-system-x86");
    content = new byte[300_001];
    new Random(1).nextBytes(content);
    script = script();
    Path served = Files.createDirectory(directory.resolve("served"));
    Files.write(served.resolve("firmware.bin"), content);
    Path empty = Files.write(directory.resolve("empty"), new byte[1 << 16]);

    bench = Bench.open();
    sockets = RunDirectory.create("hub");
    host = bench.start(EthernetHost.on(LAN).address(OURS + "/24").spec());
    tftp = TftpServer.allow(BOARD).file("boot.ipxe", script).on(host).start();
    Plug.Stream plug = (Plug.Stream) bench.segments().get(LAN).plug("hub", sockets.socket("lan"));
    board =
        bench.start(
            Vm.x86_64()
                .name("pxe")
                .accelerator(Accelerator.TCG)
                .memory(64)
                .disk(empty)
                .qemuArgument("-machine", "graphics=off") // the firmware talks on the serial port
                .qemuArgument(
                    "-netdev",
                    "user,id=user,restrict=on,tftp=%s,bootfile=tftp://%s/boot.ipxe"
                        .formatted(served, OURS))
                .qemuArgument(
                    "-netdev", "stream,id=lan,server=off,addr.type=unix,addr.path=" + plug.socket())
                .qemuArgument("-netdev", "hubport,id=hub0,hubid=0,netdev=user")
                .qemuArgument("-netdev", "hubport,id=hub1,hubid=0,netdev=lan")
                .qemuArgument("-netdev", "hubport,id=card,hubid=0")
                .qemuArgument("-device", "virtio-net-pci,netdev=card,bootindex=0")
                .spec());
  }

  /** A script of many blocks: what it prints in the end hangs on all of them. */
  private static byte[] script() {
    sum = 0;
    StringBuilder script = new StringBuilder("#!ipxe\nset sum:int32 0\n");
    Random random = new Random(2);
    for (int line = 0; line < 500; line++) {
      int number = random.nextInt(100_000);
      sum += number;
      script.append("# ").append("-".repeat(100)).append("\ninc sum ").append(number).append('\n');
    }
    return script.append("echo In all: ${sum}.\n").toString().getBytes(StandardCharsets.US_ASCII);
  }

  @AfterAll
  static void stop() {
    if (tftp != null) {
      tftp.close();
    }
    if (bench != null) {
      bench.close();
      sockets.close();
    }
  }

  @Test
  void theBootRomOfANetworkCardFetchesWhatItBoots() {
    TftpTransfer transfer = tftp.awaitTransfer("boot.ipxe", PATIENCE);
    assertThat(transfer.bytes()).isEqualTo(script.length);
    board.console().expect("In all: " + sum + ".", PATIENCE);
  }

  /** Of the options it grants the block size, but no more than 1428, and leaves out the window. */
  @ParameterizedTest
  @CsvSource({"512, 1", "1024, 1", "1468, 8"})
  void theServerOfTheUserNetworkIsFetchedFrom(int blockSize, int window) {
    host.ping(QEMU, PATIENCE);
    try (TftpClient client =
        TftpClient.to(QEMU).on(host).blockSize(blockSize).window(window).start()) {
      assertThat(client.get("firmware.bin")).isEqualTo(content);
    }
  }

  @Test
  void theServerOfTheUserNetworkIsFetchedFromWithoutOptions() {
    host.ping(QEMU, PATIENCE);
    Path copy = directory.resolve("copy");
    try (TftpClient client = TftpClient.to(QEMU).on(host).withoutOptions().start()) {
      assertThat(client.get("firmware.bin", copy)).isEqualTo(content.length);
      assertThat(copy).hasBinaryContent(content);
      assertThatThrownBy(() -> client.get("none"))
          .isInstanceOfSatisfying(
              TftpException.class,
              refusal -> assertThat(refusal.error()).contains(TftpError.FILE_NOT_FOUND));
    }
  }
}
