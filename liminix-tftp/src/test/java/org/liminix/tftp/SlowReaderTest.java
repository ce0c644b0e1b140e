package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that are slow but never silent, and the good one beside them. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class SlowReaderTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** So long that a server which waits for it never repeats anything in a test. */
  private static final Duration LONG = Duration.ofHours(1);

  @TempDir Path root;
  private final List<SlowReader> readers = new ArrayList<>();

  @AfterEach
  void close() {
    readers.forEach(reader -> reader.peer.close());
  }

  /** Has a window full of blocks, and acknowledges them one by one, when it is told to. */
  private static final class SlowReader {
    private final RawPeer peer;
    private final int blockSize;
    private final Map<Integer, byte[]> blocks = new HashMap<>();
    private int acknowledged;

    /** Asks for the file; the server knows from its first reaction that it exists. */
    SlowReader(RawPeer peer, int window, int blockSize) {
      this.peer = peer;
      this.blockSize = blockSize;
      peer.read("file", "blksize", "" + blockSize, "windowsize", "" + window).receive().options();
      peer.ack(0);
    }

    /** Waits for packets as far as needed, and acknowledges one more block. */
    void acknowledgeOne() {
      while (!blocks.containsKey(acknowledged + 1)) {
        take(peer.receiveStray());
      }
      acknowledged++;
      peer.ack(acknowledged);
    }

    void take(RawPeer.Reply reply) {
      assertThat(reply.opcode()).as("DATA, not %s", reply).isEqualTo(RawPeer.DATA);
      blocks.putIfAbsent(reply.number(), reply.payload());
    }

    boolean done() {
      byte[] last = blocks.get(acknowledged);
      return last != null && last.length < blockSize;
    }

    byte[] content() {
      ByteArrayOutputStream content = new ByteArrayOutputStream();
      for (int block = 1; block <= acknowledged; block++) {
        content.writeBytes(blocks.get(block));
      }
      return content.toByteArray();
    }

    byte[] finish() {
      while (!done()) {
        acknowledgeOne();
      }
      return content();
    }
  }

  private SlowReader slow(RawPeer peer, int window, int blockSize) {
    SlowReader reader = new SlowReader(peer, window, blockSize);
    readers.add(reader);
    return reader;
  }

  private static TftpServerBuilder patient(TftpServerBuilder builder) {
    return builder.timeout(LONG).waits(LONG, LONG);
  }

  private static List<TftpTransfer> in(TftpTransfer.State state, Bench bench) {
    return bench.server.transfers().stream().filter(t -> t.state() == state).toList();
  }

  @Test
  void completesForAClientThatReactsToTheLastButFewRepeats() {
    Duration brief = Duration.ofMillis(10);
    try (Bench bench = new Bench(root, b -> b.timeout(brief).waits(brief, brief).retries(100))) {
      byte[] content = bench.put("file", 512 * 10 + 1);
      ByteArrayOutputStream received = new ByteArrayOutputStream();
      bench.client.read("file");
      for (int block = 1; block <= 11; block++) {
        byte[] payload = bench.client.receive().isData(block).payload();
        for (int repeat = 0; repeat < 20; repeat++) {
          bench.client.receive().isData(block);
        }
        received.writeBytes(payload);
        try (RawPeer good = bench.another()) {
          assertThat(good.fetch("file")).isEqualTo(content);
        }
        bench.client.ack(block);
      }
      assertThat(received.toByteArray()).isEqualTo(content);
      TftpTransfer slow = bench.server.awaitTransfer("file", PATIENCE);
      while (slow.request().client().getPort() != bench.client.port()) {
        slow = bench.server.awaitTransfer("file", PATIENCE);
      }
      assertThat(slow.retransmits()).isBetween(11 * 20, 11 * 100);
    }
  }

  @Test
  void completesForAClientThatAcknowledgesOneBlockOfAWindowAtATime() {
    try (Bench bench = new Bench(root, SlowReaderTest::patient)) {
      byte[] content = bench.put("file", 512 * 200 + 1);
      assertThat(slow(bench.client, 16, 512).finish()).isEqualTo(content);
      TftpTransfer transfer = bench.server.awaitTransfer("file", PATIENCE);
      // Until it is known for one that acknowledges every block, each seems to tell of a gap.
      assertThat(transfer.retransmits()).isLessThanOrEqualTo(4 * 16);
    }
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
      return open.count();
    }
  }

  private static long threads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("liminix-tftp"))
        .count();
  }

  @Test
  void servesAGoodClientAmongHundredsThatTrickle() throws IOException {
    assumeTrue(Files.isDirectory(Path.of("/proc/self/fd")), "needs Linux");
    int count = 300;
    long memory = 4 << 20;
    try (Bench bench = new Bench(root, b -> patient(b).maxMemory(memory))) {
      byte[] content = bench.put("file", 1468 * 20 + 1);
      assertThat(bench.client.fetch("file")).isEqualTo(content);
      bench.server.awaitTransfer("file", PATIENCE);
      long threads = threads();
      long descriptors = descriptors();
      for (int i = 0; i < count; i++) {
        slow(bench.at("127.0.0." + (2 + i % 3)), 16, 1468);
      }
      for (int round = 0; round < 10; round++) {
        readers.forEach(SlowReader::acknowledgeOne);
        assertThat(bench.client.fetch("file", "blksize", "1468", "windowsize", "16"))
            .isEqualTo(content);
        bench.server.awaitTransfer("file", PATIENCE);
      }
      assertThat(bench.server.transfers())
          .filteredOn(transfer -> transfer.request().client().getPort() == bench.client.port())
          .filteredOn(transfer -> transfer.blockSize() == 1468)
          .hasSize(10)
          .allMatch(transfer -> transfer.window() == 16 && transfer.retransmits() == 0);
      List<TftpTransfer> running = in(TftpTransfer.State.RUNNING, bench);
      assertThat(running).hasSize(count);
      assertThat(running.stream().mapToLong(t -> (long) t.blockSize() * t.window()).sum())
          .isLessThan(memory);
      assertThat(threads()).isLessThanOrEqualTo(threads + 2); // those that open files
      // Its client's socket, two for its port, the file.
      assertThat(descriptors()).isLessThan(descriptors + 4L * count + 20);
      for (SlowReader reader : readers) {
        assertThat(reader.finish()).isEqualTo(content);
        bench.server.awaitTransfer("file", PATIENCE);
        reader.peer.close();
      }
      bench.client.fetch("file"); // by now the server has closed the last port
      assertThat(descriptors()).isLessThan(descriptors + 20);
    }
  }

  @Test
  void givesAPlaceOfTheAddressThatHasTheMostToAnother() {
    try (Bench bench = new Bench(root, b -> patient(b).maxTransfers(32))) {
      byte[] content = bench.put("file", 2000);
      for (int i = 0; i < 32; i++) {
        slow(bench.at(i % 4 == 0 ? "127.0.0.3" : "127.0.0.2"), 1, 512).acknowledgeOne();
      }
      assertThat(bench.client.fetch("file")).isEqualTo(content);
      List<TftpTransfer> failed = in(TftpTransfer.State.FAILED, bench);
      assertThat(failed).hasSize(1);
      assertThat(failed.get(0).request().client().getHostString()).isEqualTo("127.0.0.2");
      assertThat(failed.get(0).reason()).isEqualTo("This address has too many transfers");
      for (SlowReader reader : readers) {
        if (reader.peer.port() == failed.get(0).request().client().getPort()) {
          RawPeer.Reply reply = reader.peer.receiveStray();
          while (reply.opcode() == RawPeer.DATA) {
            reply = reader.peer.receiveStray();
          }
          reply.isError(0);
        } else {
          assertThat(reader.finish()).isEqualTo(content);
        }
      }
    }
  }

  @Test
  void leavesARequestOfTheAddressThatHasTheMostUntilThereIsAPlace() {
    try (Bench bench = new Bench(root, b -> patient(b).maxTransfers(4))) {
      byte[] content = bench.put("file", 2000);
      for (int i = 0; i < 4; i++) {
        slow(bench.at(i == 0 ? "127.0.0.3" : "127.0.0.2"), 1, 512).acknowledgeOne();
      }
      try (RawPeer fifth = bench.at("127.0.0.2")) {
        fifth.read("file");
        bench.client.read("none").receive().isError(1); // behind the fifth, and had a place
        assertThat(in(TftpTransfer.State.RUNNING, bench)).hasSize(4);
        readers.get(1).finish();
        bench.server.awaitTransfer("file", PATIENCE);
        assertThat(fifth.fetch("file")).isEqualTo(content);
      }
      readers.forEach(reader -> assertThat(reader.finish()).isEqualTo(content));
    }
  }

  @Test
  void givesNoPlaceToAddressesThatNeverReact() {
    try (Bench bench = new Bench(root, b -> patient(b).maxTransfers(32))) {
      byte[] content = bench.put("file", 2000);
      for (int i = 0; i < 32; i++) {
        slow(bench.at("127.0.0.2"), 1, 512).acknowledgeOne();
      }
      for (int i = 0; i < 200; i++) {
        try (RawPeer silent = bench.at("127.1.0." + (1 + i))) {
          silent.read("file").receive().isData(1);
        }
      }
      assertThat(bench.server.transfers())
          .filteredOn(t -> t.state() == TftpTransfer.State.RUNNING)
          .hasSizeLessThanOrEqualTo(32 + 3);
      readers.forEach(reader -> assertThat(reader.finish()).isEqualTo(content));
    }
  }
}
