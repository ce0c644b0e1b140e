package org.liminix.tftp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.liminix.net.NetworkException;

/** The real U-Boot as a client, in QEMU behind its user-mode network. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class UBootIT {
  private static final Path QEMU = Path.of("/usr/bin/qemu-system-aarch64");
  private static final Path UBOOT = Path.of("/usr/lib/u-boot/qemu_arm64/u-boot.bin");

  /** Not the gateway, where QEMU itself answers TFTP and hides the machine's port 69. */
  private static final String SERVER = "127.0.0.8";

  private static final int SIZE = 16 * 1024 * 1024 + 77;

  @TempDir Path root;

  @ParameterizedTest
  @CsvSource({"virtio-net-pci, 1", "virtio-net-pci, 16", "e1000, 1", "e1000, 8"})
  void loadsAnImage(String card, int window) throws Exception {
    TftpTransfer transfer = load(card, window, TftpFaults.none());
    assertThat(transfer.blockSize()).isEqualTo(1468);
    assertThat(transfer.window()).isEqualTo(window);
    System.out.println("U-Boot, " + card + ", window " + window + ": " + transfer);
  }

  @Test
  void loadsAnImageOverALineThatLosesPackets() throws Exception {
    TftpTransfer transfer =
        load(
            "virtio-net-pci",
            4,
            TftpFaults.none()
                .drop(TftpFaults.Packet.DATA, 100)
                .drop(TftpFaults.Packet.ACK, 200)
                .drop(TftpFaults.Packet.ACK, 10_000)
                .drop(TftpFaults.Packet.DATA, 5_001));
    assertThat(transfer.retransmits()).isPositive();
    System.out.println("U-Boot with losses: " + transfer);
  }

  private TftpTransfer load(String card, int window, TftpFaults faults) throws Exception {
    assumeTrue(Files.isExecutable(QEMU), "apt install qemu-system-arm");
    assumeTrue(Files.isReadable(UBOOT), "apt install u-boot-qemu");
    byte[] content = Bench.random(SIZE);
    Files.write(root.resolve("uImage"), content);
    CRC32 sum = new CRC32();
    sum.update(content);
    try (TftpServer server = serverAtPort69(faults);
        Board board = new Board(card)) {
      board.await("Hit any key");
      board.send("");
      board.await("=> ");
      board.send("setenv ipaddr 10.0.2.15");
      board.await("=> ");
      board.send("setenv gatewayip 10.0.2.2; setenv netmask 255.255.255.0");
      board.await("=> ");
      board.send("setenv serverip " + SERVER + "; setenv tftpwindowsize " + window);
      board.await("=> ");
      board.send("tftpboot 0x42000000 uImage");
      board.await("Bytes transferred = " + SIZE);
      board.await("=> ");
      board.send("crc32 0x42000000 ${filesize}");
      board.await(String.format("==> %08x", sum.getValue()));
      return server.awaitTransfer("uImage", Duration.ofSeconds(20));
    }
  }

  private TftpServer serverAtPort69(TftpFaults faults) {
    try {
      return TftpServer.allow("127.0.0.0/8")
          .address(SERVER)
          .port(69)
          .root(root)
          .faults(faults)
          .start();
    } catch (NetworkException e) {
      return Assumptions.abort("U-Boot asks at port 69, which needs root: " + e.getMessage());
    }
  }

  /** A machine whose console is its standard input and output. */
  private static final class Board implements AutoCloseable {
    private final Process process;
    private final InputStream console;
    private final StringBuilder seen = new StringBuilder();

    Board(String card) throws IOException {
      this.process =
          new ProcessBuilder(
                  List.of(
                      QEMU.toString(),
                      "-M",
                      "virt",
                      "-cpu",
                      "cortex-a57",
                      "-accel",
                      "tcg",
                      "-m",
                      "256",
                      "-nographic",
                      "-monitor",
                      "none",
                      "-serial",
                      "stdio",
                      "-bios",
                      UBOOT.toString(),
                      "-netdev",
                      "user,id=net0",
                      "-device",
                      card + ",netdev=net0,romfile="))
              .redirectErrorStream(true)
              .start();
      this.console = process.getInputStream();
    }

    void send(String line) throws IOException {
      process.getOutputStream().write((line + "\n").getBytes(US_ASCII));
      process.getOutputStream().flush();
    }

    /** Reads on until the text has come; what was read up to it is forgotten. */
    void await(String text) throws IOException {
      while (seen.indexOf(text) < 0) {
        int next = console.read();
        assertThat(next).as("end of the console while awaiting %s; %s", text, seen).isNotNegative();
        seen.append((char) next);
      }
      seen.delete(0, seen.indexOf(text) + text.length());
    }

    @Override
    public void close() {
      process.destroyForcibly();
    }
  }
}
