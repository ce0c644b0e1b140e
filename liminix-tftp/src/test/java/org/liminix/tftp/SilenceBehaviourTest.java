package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the server does when packets get lost or nobody answers. */
class SilenceBehaviourTest {
  @TempDir Path root;

  @Test
  void sendsABlockAgainWhenItsAcknowledgementIsMissing() {
    try (Bench bench = new Bench(root)) {
      bench.put("file", 2000);
      bench.client.read("file", "tsize", "0").receive();
      bench.client.ack(0).receive().isData(1);
      assertThat(bench.client.receive().isData(1).payload()).hasSize(512);
      bench.client.ack(1).receive().isData(2);
    }
  }

  @Test
  void sendsTheOackAgainWhenItsAcknowledgementIsMissing() {
    try (Bench bench = new Bench(root, b -> b.timeout(Duration.ofMillis(50)))) {
      bench.put("file", 2000);
      assertThat(bench.client.read("file", "tsize", "0").receive().options()).isNotEmpty();
      assertThat(bench.client.receive().options()).containsEntry("tsize", "2000");
      bench.client.ack(0).receive().isData(1);
    }
  }

  @Test
  void doesNotSendTwiceForADuplicateAcknowledgement() {
    try (Bench bench = new Bench(root)) {
      bench.put("file", 512 * 30);
      bench.client.read("file").receive().isData(1);
      int packets = 0;
      for (int block = 1; block < 30; block++) {
        bench.client.ack(block).ack(block);
        RawPeer.Reply reply = bench.client.receive();
        packets++;
        while (reply.number() != block + 1) {
          reply = bench.client.receive(); // a repeat by the timer, should this side be slow
          packets++;
        }
      }
      bench.client.ack(30).receive().isData(31);
      bench.client.ack(31);
      TftpTransfer transfer = bench.server.awaitTransfer("file", Duration.ofSeconds(20));
      assertThat(packets + bench.client.repeats() - transfer.retransmits()).isLessThanOrEqualTo(30);
    }
  }

  @Test
  void leavesASilentClientAloneAfterAHandfulOfRepeats() throws Exception {
    CompletableFuture<TftpTransfer> ended = new CompletableFuture<>();
    try (Bench bench =
        new Bench(
            root, b -> b.timeout(Duration.ofMillis(5)).retries(3).listener(completing(ended)))) {
      bench.put("file", 2000);
      bench.client.read("file");
      for (int i = 0; i < 4; i++) {
        bench.client.receive().isData(1);
      }
      TftpTransfer transfer = ended.get(20, TimeUnit.SECONDS);
      assertThat(transfer.state()).isEqualTo(TftpTransfer.State.FAILED);
      assertThat(transfer.retransmits()).isEqualTo(3);
      assertThat(transfer.reason()).contains("silent through 3 retries");
      bench.client.read("none").receive().isError(1); // and nothing came in between
    }
  }

  @Test
  void countsRepeatsOfAWindowToo() throws Exception {
    CompletableFuture<TftpTransfer> ended = new CompletableFuture<>();
    try (Bench bench =
        new Bench(
            root, b -> b.timeout(Duration.ofMillis(200)).retries(2).listener(completing(ended)))) {
      bench.put("file", 512 * 40);
      bench.client.read("file", "windowsize", "4").receive();
      bench.client.ack(0);
      TftpTransfer transfer = ended.get(20, TimeUnit.SECONDS);
      assertThat(transfer.retransmits()).isEqualTo(2 * 4);
    }
  }

  @Test
  void startsTheCountAnewWhenTheClientReacts() {
    try (Bench bench = new Bench(root, b -> b.timeout(Duration.ofMillis(200)).retries(2))) {
      bench.put("file", 512 * 10);
      bench.client.read("file").receive().isData(1);
      for (int block = 1; block <= 4; block++) {
        bench.client.receive().isData(block); // each is sent again once
        bench.client.ack(block).receive();
      }
    }
  }

  @Test
  void waitsAsLongAsTheClientAskedForBeforeThereIsASample() throws Exception {
    CompletableFuture<TftpTransfer> ended = new CompletableFuture<>();
    try (Bench bench =
            new Bench(
                root, b -> b.timeout(Duration.ofMillis(5)).retries(1).listener(completing(ended)));
        RawPeer silent = bench.another()) {
      bench.put("file", 2000);
      bench.client.read("file", "timeout", "255").receive();
      silent.read("file").receive().isData(1);
      assertThat(ended.get(20, TimeUnit.SECONDS).request().options()).isEmpty();
      // Had the server's own timeout counted, that transfer would be over as well.
      assertThat(bench.server.transfers())
          .filteredOn(transfer -> transfer.state() == TftpTransfer.State.RUNNING)
          .hasSize(1)
          .allSatisfy(transfer -> assertThat(transfer.retransmits()).isZero());
    }
  }

  @Test
  void repairsALostAcknowledgementOfAWholeWindow() {
    try (Bench bench = new Bench(root)) {
      bench.put("file", 512 * 8 + 1);
      bench.client.read("file", "windowsize", "4").receive();
      bench.client.ack(0);
      for (int block = 1; block <= 4; block++) {
        bench.client.receive().isData(block);
      }
      // the acknowledgement gets lost, the window comes again
      bench.client.receive().isData(1);
      bench.client.ack(4);
      RawPeer.Reply reply = bench.client.receive();
      while (reply.number() <= 4) {
        reply = bench.client.receive();
      }
      reply.isData(5);
    }
  }

  /** As U-Boot does when a window reaches it a second time. */
  @Test
  void takesASecondAnswerToARepeatedWindowForNoGap() {
    Duration least = Duration.ofSeconds(1); // so that a slow test is not taken for silence
    try (Bench bench = new Bench(root, b -> b.waits(least, least.multipliedBy(5)))) {
      bench.put("file", 512 * 8 + 1);
      bench.client.read("file", "windowsize", "4").receive();
      bench.client.ack(0);
      for (int times = 0; times < 2; times++) {
        for (int block = 1; block <= 4; block++) {
          bench.client.receive().isData(block);
        }
      }
      bench.client.ack(4).ack(4);
      for (int block = 5; block <= 8; block++) {
        bench.client.receive().isData(block);
      }
      bench.client.ack(8).receive().isData(9);
      bench.client.ack(9);
      assertThat(bench.server.awaitTransfer("file", Duration.ofSeconds(20)).retransmits())
          .isEqualTo(4);
    }
  }

  @Test
  void repeatsTheAcknowledgementOfAWriteWhenDataIsMissing() {
    try (TftpServer server =
            TftpServer.allowAnyone()
                .address("127.0.0.1")
                .writable(root)
                .timeout(Duration.ofMillis(20))
                .start();
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      peer.receive().isAck(0);
      peer.data(1, new byte[512]);
      RawPeer.Reply reply = peer.receive();
      while (reply.number() == 0) {
        reply = peer.receive();
      }
      reply.isAck(1);
      peer.receive().isAck(1);
      peer.data(2, new byte[0]);
      server.awaitTransfer("file", Duration.ofSeconds(20));
    }
  }

  @Test
  void endsATransferWhoseClientHasClosedItsPort() throws Exception {
    CompletableFuture<TftpTransfer> ended = new CompletableFuture<>();
    try (Bench bench = new Bench(root, b -> b.listener(completing(ended)))) {
      bench.put("file", 2000);
      RawPeer other = bench.another();
      other.read("file").receive().isData(1);
      other.close();
      assertThat(ended.get(30, TimeUnit.SECONDS).reason()).contains("closed its port");
    }
  }

  static TftpListener completing(CompletableFuture<TftpTransfer> future) {
    return new TftpListener() {
      @Override
      public void ended(TftpTransfer transfer) {
        future.complete(transfer);
      }
    };
  }
}
