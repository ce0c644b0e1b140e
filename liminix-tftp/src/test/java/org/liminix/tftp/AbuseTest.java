package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Clients that mean no good, and the good one among them. */
class AbuseTest {
  @TempDir Path root;

  private static long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  @Test
  void servesAGoodClientThroughThousandsOfHalfOpenRequests() {
    try (Bench bench = new Bench(root, b -> b.maxTransfers(100));
        TftpClient good = TftpClient.to(bench.server.address()).start()) {
      byte[] content = bench.put("file", 50_000);
      // Each asks from an address of its own and never reacts. They share a port that stays in use,
      // for a good client that got the port of one just gone would get the answer meant for it.
      for (int i = 0; i < 5_000; i++) {
        String address = "127.1.%d.%d".formatted(i / 250, 1 + i % 250);
        InetSocketAddress own = new InetSocketAddress(address, bench.client.port());
        try (RawPeer silent = new RawPeer(bench.server.address(), own)) {
          silent.read("file", "blksize", "1468", "tsize", "0");
        }
        if (i % 500 == 0) {
          assertThat(good.get("file")).isEqualTo(content);
        }
      }
      assertThat(good.get("file")).isEqualTo(content);
      assertThat(bench.server.transfers())
          .filteredOn(transfer -> transfer.state() == TftpTransfer.State.RUNNING)
          .hasSizeLessThanOrEqualTo(100);
    }
  }

  @Test
  void hasAPortOfItsOwnForEveryTransfer() {
    try (Bench bench = new Bench(root)) {
      bench.put("file", 2000);
      List<RawPeer> peers = new ArrayList<>();
      Set<Integer> ports = new HashSet<>();
      for (int i = 0; i < 600; i++) {
        RawPeer peer = bench.another();
        peers.add(peer);
        ports.add(peer.read("file").receive().isData(1).source().getPort());
      }
      peers.forEach(RawPeer::close);
      assertThat(ports).hasSize(600);
    }
  }

  @Test
  void displacesTheOldestThatNeverReactedAndNoneThatDid() {
    try (Bench bench = new Bench(root, b -> b.maxTransfers(2))) {
      byte[] content = bench.put("file", 2000);
      bench.client.read("file").receive().isData(1);
      bench.client.ack(1).receive().isData(2);
      List<RawPeer> silent = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        RawPeer peer = bench.another();
        silent.add(peer);
        peer.read("file", "tsize", "0").receive();
      }
      bench.client.ack(2).receive().isData(3);
      bench.client.ack(3).receive().isData(4);
      silent.forEach(RawPeer::close);
      try (RawPeer good = bench.another()) {
        assertThat(good.fetch("file")).isEqualTo(content);
      }
    }
  }

  @Test
  void leaksNoDescriptor() throws IOException {
    assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "needs Linux");
    try (Bench bench = new Bench(root, b -> b.writable(root))) {
      bench.put("file", 2000);
      bench.client.fetch("file");
      bench.server.awaitTransfer("file", Duration.ofSeconds(20));
    }
    long before = descriptors();
    try (Bench bench = new Bench(root, b -> b.writable(root))) {
      for (int i = 0; i < 50; i++) {
        try (RawPeer peer = bench.another()) {
          switch (i % 5) {
            case 0 -> assertThat(peer.fetch("file")).hasSize(2000);
            case 1 -> peer.read("none").receive().isError(1);
            case 2 -> peer.read("file").receive().isData(1);
            case 3 -> peer.write("new" + i).receive().isAck(0);
            default -> peer.write("file").receive().isError(6);
          }
        }
      }
    }
    assertThat(descriptors()).isLessThanOrEqualTo(before + 3); // of the test's own making
    try (Stream<Path> files = Files.list(root)) {
      assertThat(files).containsExactly(root.resolve("file"));
    }
  }
}
