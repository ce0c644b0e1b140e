package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What one may set, and what a server and a client keep to. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LimitsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @TempDir Path root;

  private static Map<String, String> askForAWindow(RawPeer peer) {
    return peer.read("file", "blksize", "1024", "windowsize", "16").receive().options();
  }

  /** Counts transfers that have ended, however they did. */
  private static TftpListener counting(CountDownLatch ended) {
    return new TftpListener() {
      @Override
      public void ended(TftpTransfer transfer) {
        ended.countDown();
      }
    };
  }

  @Test
  void grantsSmallerWindowsWhileItsMemoryIsUsedUp() {
    CountDownLatch ended = new CountDownLatch(3);
    try (Bench bench =
            new Bench(root, b -> b.maxMemory(40 * 1024).retries(100).listener(counting(ended)));
        RawPeer second = bench.another();
        RawPeer third = bench.another();
        RawPeer fourth = bench.another()) {
      bench.put("file", 100_000);
      assertThat(askForAWindow(bench.client)).containsEntry("windowsize", "16");
      assertThat(askForAWindow(second)).containsEntry("windowsize", "4");
      assertThat(askForAWindow(third)).containsEntry("windowsize", "1");
      bench.client.error(0, "no more");
      second.error(0, "no more");
      third.error(0, "no more");
      awaited(ended);
      assertThat(askForAWindow(fourth)).containsEntry("windowsize", "16");
    }
  }

  @Test
  void keepsMemoryForTheWindowsOfOtherAddresses() {
    try (Bench bench = new Bench(root, b -> b.maxMemory(128 * 1024));
        RawPeer other = bench.at("127.0.0.2");
        RawPeer another = bench.at("127.0.0.2")) {
      bench.put("file", 100_000);
      String[] much = {"blksize", "65464", "windowsize", "16"};
      assertThat(other.read("file", much).receive().options())
          .containsEntry("blksize", "65464")
          .containsEntry("windowsize", "1");
      assertThat(another.read("file", much).receive().options())
          .containsEntry("blksize", "1468")
          .containsEntry("windowsize", "1");
      assertThat(askForAWindow(bench.client)).containsEntry("windowsize", "16");
    }
  }

  @Test
  void forgetsWhatDisplacedClientsAskedFor() throws Exception {
    CountDownLatch disk = new CountDownLatch(1);
    CountDownLatch displaced = new CountDownLatch(91); // ten of 101 are left
    AtomicInteger opened = new AtomicInteger();
    List<RawPeer> silent = new ArrayList<>();
    try (Bench bench =
        new Bench(
            root,
            b ->
                b.maxTransfers(10)
                    .openers(1)
                    .listener(counting(displaced))
                    .generate(
                        request -> {
                          opened.incrementAndGet();
                          awaited(disk);
                          return Optional.of(TftpContent.bytes(new byte[10]));
                        }))) {
      for (int i = 0; i < 100; i++) {
        silent.add(bench.another().read("file"));
      }
      CompletableFuture<byte[]> last =
          CompletableFuture.supplyAsync(() -> bench.client.fetch("last"));
      awaited(displaced);
      disk.countDown();
      assertThat(last.get(20, TimeUnit.SECONDS)).hasSize(10);
      assertThat(opened.get()).isLessThanOrEqualTo(11); // the ten, and the first at the disk
    } finally {
      silent.forEach(RawPeer::close);
    }
  }

  @Test
  void opensAsManyAtOnceAsItIsLet() {
    CountDownLatch allHere = new CountDownLatch(3);
    try (Bench bench =
            new Bench(
                root,
                b ->
                    b.openers(3)
                        .generate(
                            request -> {
                              allHere.countDown();
                              awaited(allHere);
                              return Optional.of(TftpContent.bytes(new byte[10]));
                            }));
        RawPeer second = bench.another();
        RawPeer third = bench.another()) {
      bench.client.read("file");
      second.read("file");
      assertThat(third.fetch("file")).hasSize(10);
    }
  }

  private static void awaited(CountDownLatch latch) {
    try {
      assertThat(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void givesUpASilentClientAfterWaitsThatDoNotGrow() throws Exception {
    CompletableFuture<TftpTransfer> ended = new CompletableFuture<>();
    TftpListener listener =
        new TftpListener() {
          @Override
          public void ended(TftpTransfer transfer) {
            ended.complete(transfer);
          }
        };
    Duration brief = Duration.ofMillis(5);
    try (Bench bench =
        new Bench(root, b -> b.timeout(brief).waits(brief, brief).retries(20).listener(listener))) {
      bench.put("file", 10);
      bench.client.read("file").receive().isData(1);
      // With waits that grow to five seconds the last of twenty would be over after a minute.
      assertThat(ended.get(50, TimeUnit.SECONDS).retransmits()).isEqualTo(20);
    }
  }

  @Test
  void keepsNoMorePortsForLateClientsThanForTransfers() throws IOException {
    Path descriptors = Path.of("/proc/self/fd");
    assumeTrue(Files.isDirectory(descriptors), "needs Linux");
    try (Bench bench =
            new Bench(root, b -> b.writable(root).maxTransfers(5).linger(Duration.ofHours(1)));
        TftpClient client = TftpClient.to(bench.server.address()).start()) {
      client.put("first", new byte[10]);
      long before = count(descriptors);
      for (int i = 0; i < 50; i++) {
        client.put("file" + i, new byte[10]);
      }
      bench.server.awaitTransfer("file49", PATIENCE);
      // Two for each port that lingers, and some of the test's own making.
      assertThat(count(descriptors)).isLessThan(before + 2 * 5 + 10);
    }
  }

  private static long count(Path folder) throws IOException {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.count();
    }
  }

  @Test
  void fetchesNoMoreThanItIsLet() throws IOException {
    try (Bench bench = new Bench(root);
        TftpClient client = TftpClient.to(bench.server.address()).maxDownload(1000).start()) {
      byte[] content = bench.put("file", 1000);
      bench.put("larger", 1001);
      assertThat(client.get("file")).isEqualTo(content);
      assertThatThrownBy(() -> client.get("larger")).hasMessageContaining("1000");
      Path copy = root.resolve("copy");
      assertThatThrownBy(() -> client.get("larger", copy)).hasMessageContaining("1000");
      assertThat(copy).doesNotExist();
      assertThat(client.get("file", copy)).isEqualTo(1000);
    }
  }

  @Test
  void rejectsBadLimitsAtOnce() {
    TftpServerBuilder server = TftpServer.allowAnyone();
    Duration second = Duration.ofSeconds(1);
    assertThatThrownBy(() -> server.maxMemory(0)).hasMessageContaining("maxMemory");
    assertThatThrownBy(() -> server.openers(0)).hasMessageContaining("openers");
    assertThatThrownBy(() -> server.linger(Duration.ZERO)).hasMessageContaining("PT0S");
    assertThatThrownBy(() -> server.waits(second, Duration.ofMillis(1)))
        .hasMessageContaining("less than the least");
    assertThatThrownBy(() -> server.waits(Duration.ZERO, second)).hasMessageContaining("PT0S");
    assertThatThrownBy(() -> server.linger(second).linger(second))
        .hasMessageContaining("already called");
    assertThatThrownBy(() -> TftpClient.to("127.0.0.1").maxDownload(0))
        .hasMessageContaining("maxDownload");
  }
}
