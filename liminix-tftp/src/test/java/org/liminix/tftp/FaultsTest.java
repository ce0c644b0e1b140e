package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.tftp.TftpFaults.Packet;

class FaultsTest {
  @TempDir Path root;

  private Bench bench(TftpFaults faults) {
    Bench bench = new Bench(root, b -> b.faults(faults).timeout(Duration.ofMillis(20)));
    bench.put("file", 5 * 512 + 7);
    return bench;
  }

  @Test
  void losesTheBlockItIsTold() {
    try (Bench bench = bench(TftpFaults.none().drop(Packet.DATA, 2))) {
      bench.client.read("file").receive().isData(1);
      bench.client.ack(1).receive().isData(2);
      assertThat(bench.server.transfers().get(0).retransmits()).isPositive();
    }
  }

  @Test
  void losesTheAcknowledgementItIsTold() {
    try (Bench bench = bench(TftpFaults.none().drop(Packet.ACK, 1))) {
      bench.client.read("file").receive().isData(1);
      bench.client.ack(1).receiveStray().isData(1);
    }
  }

  @Test
  void sendsABlockTwice() {
    try (Bench bench = bench(TftpFaults.none().duplicate(Packet.DATA, 2))) {
      bench.client.read("file").receive().isData(1);
      bench.client.ack(1).receive().isData(2);
      bench.client.receive().isData(2);
    }
  }

  @Test
  void swapsTwoBlocksOfAWindow() {
    try (Bench bench = bench(TftpFaults.none().reorder(Packet.DATA, 2))) {
      bench.client.read("file", "windowsize", "3").receive();
      bench.client.ack(0).receive().isData(1);
      bench.client.receive().isData(3);
      bench.client.receive().isData(2);
    }
  }

  @Test
  void invertsAByte() throws IOException {
    try (Bench bench = bench(TftpFaults.none().corrupt(Packet.DATA, 1))) {
      byte[] payload = bench.client.read("file").receive().isData(1).payload();
      assertThat(payload[511]).isEqualTo((byte) ~Files.readAllBytes(root.resolve("file"))[511]);
    }
  }

  @Test
  void delaysABlock() {
    try (Bench bench = bench(TftpFaults.none().delay(Packet.DATA, 1, Duration.ofMillis(60)))) {
      RawPeer.Reply reply = bench.client.read("file").receive().isData(1);
      assertThat(reply.payload()).hasSize(512);
    }
  }

  @Test
  void answersABlockWithAnyError() {
    try (Bench bench =
        bench(TftpFaults.none().fail(Packet.DATA, 2, TftpError.NO_SUCH_USER, "who?"))) {
      bench.client.read("file").receive().isData(1);
      assertThat(bench.client.ack(1).receive().isError(7).message()).isEqualTo("who?");
    }
  }

  @Test
  void answersARequestWithAnyError() {
    try (Bench bench = bench(TftpFaults.none().refuse(TftpError.DISK_FULL, "no"))) {
      bench.client.read("file").receive().isError(3);
    }
  }

  @Test
  void stallsForGood() throws Exception {
    var ended = new java.util.concurrent.CompletableFuture<TftpTransfer>();
    try (Bench bench =
        new Bench(
            root,
            b ->
                b.faults(TftpFaults.none().stall(Packet.DATA, 2))
                    .timeout(Duration.ofMillis(1))
                    .retries(1)
                    .listener(SilenceBehaviourTest.completing(ended)))) {
      bench.put("file", 2000);
      bench.client.read("file").receive().isData(1);
      bench.client.ack(1);
      assertThat(ended.get(20, java.util.concurrent.TimeUnit.SECONDS).state())
          .isEqualTo(TftpTransfer.State.FAILED);
      bench.client.read("none").receive().isError(1);
    }
  }

  @Test
  void changesTheFileUnderWay() {
    TftpFaults faults =
        TftpFaults.none()
            .before(
                Packet.DATA,
                2,
                () -> {
                  try {
                    Files.write(root.resolve("file"), new byte[3]);
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                });
    try (Bench bench = bench(faults)) {
      bench.client.read("file").receive().isData(1);
      bench.client.ack(1);
      RawPeer.Reply reply = bench.client.receive();
      while (reply.opcode() == RawPeer.DATA) {
        reply = bench.client.ack(reply.number()).receive();
      }
      reply.isError(0);
    }
  }

  @Test
  void losesAShareByChanceAndTheFileArrivesAllTheSame() {
    TftpFaults faults = TftpFaults.none().lose(Packet.DATA, 0.1, 1).lose(Packet.ACK, 0.1, 2);
    try (Bench bench = new Bench(root, b -> b.faults(faults));
        TftpClient client = TftpClient.to(bench.server.address()).window(4).start()) {
      byte[] content = bench.put("file", 100_000);
      assertThat(client.get("file")).isEqualTo(content);
    }
  }

  @Test
  void sparesOtherFiles() {
    TftpFaults faults =
        TftpFaults.none()
            .refuse(TftpError.UNDEFINED, "broken")
            .when(request -> request.file().equals("bad"));
    try (Bench bench = bench(faults)) {
      bench.client.read("bad").receive().isError(0);
      bench.client.read("file").receive().isData(1);
    }
  }

  @Test
  void rejectsAPacketBeforeTheFirst() {
    assertThatThrownBy(() -> TftpFaults.none().drop(Packet.DATA, 0))
        .hasMessageContaining("counted from 1");
    assertThatThrownBy(() -> TftpFaults.none().lose(Packet.DATA, 1.5, 0))
        .hasMessageContaining("between 0 and 1");
  }
}
