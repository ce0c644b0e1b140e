package org.liminix.tftp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.liminix.process.WaitInterruptedException;

class TftpClientTest {
  @TempDir Path root;
  @TempDir Path local;

  private Bench bench() {
    return new Bench(root, b -> b.writable(root));
  }

  @ParameterizedTest
  @CsvSource({"512, 1", "1468, 1", "1468, 8", "8192, 4", "65464, 1", "8, 16"})
  void fetchesAndStoresWithAnyTerms(int blockSize, int window) {
    byte[] content = Bench.random(100_003);
    try (Bench bench = bench();
        TftpClient client =
            TftpClient.to(bench.server.address()).blockSize(blockSize).window(window).start()) {
      client.put("file", content);
      assertThat(root.resolve("file")).hasBinaryContent(content);
      assertThat(client.get("file")).isEqualTo(content);
    }
  }

  @Test
  void fetchesWithoutOptions() {
    try (Bench bench = bench();
        TftpClient client = TftpClient.to(bench.server.address()).withoutOptions().start()) {
      byte[] content = bench.put("file", 1024);
      assertThat(client.get("file")).isEqualTo(content);
      client.put("copy", content);
      assertThat(root.resolve("copy")).hasBinaryContent(content);
      assertThat(bench.server.transfers())
          .allSatisfy(transfer -> assertThat(transfer.request().options()).isEmpty());
    }
  }

  @Test
  void fetchesAndStoresFiles() throws IOException {
    try (Bench bench = bench();
        TftpClient client = TftpClient.to(bench.server.address()).start()) {
      byte[] content = bench.put("file", 5000);
      assertThat(client.get("file", local.resolve("copy"))).isEqualTo(5000);
      assertThat(local.resolve("copy")).hasBinaryContent(content);
      client.put("back", local.resolve("copy"));
      assertThat(root.resolve("back")).hasBinaryContent(content);
    }
  }

  @Test
  void translatesText() {
    try (Bench bench = bench();
        TftpClient client = TftpClient.to(bench.server.address()).netascii().start()) {
      byte[] text = "one\ntwo\rthree\n".getBytes(UTF_8);
      client.put("text", text);
      assertThat(root.resolve("text")).hasBinaryContent(text);
      assertThat(client.get("text")).isEqualTo(text);
    }
  }

  @Test
  void reportsTheServersRefusalWithItsCode() throws IOException {
    try (Bench bench = bench();
        TftpClient client = TftpClient.to(bench.server.address()).start()) {
      assertThatThrownBy(() -> client.get("none", local.resolve("none")))
          .isInstanceOf(TftpException.class)
          .hasMessageContaining("none")
          .satisfies(
              e -> assertThat(((TftpException) e).error()).contains(TftpError.FILE_NOT_FOUND));
      assertThat(local).isEmptyDirectory();
    }
  }

  @Test
  void leavesNoPartOfAFileThatIsRefused() throws IOException {
    Files.writeString(local.resolve("file"), "old");
    try (Bench bench = bench();
        TftpClient client = TftpClient.to(bench.server.address()).start()) {
      assertThatThrownBy(() -> client.get("none", local.resolve("file")));
      assertThat(local.resolve("file")).hasContent("old");
    }
  }

  @Test
  void saysThatNobodyAnswers() throws IOException {
    try (DatagramSocket silent = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        TftpClient client =
            TftpClient.to((InetSocketAddress) silent.getLocalSocketAddress())
                .timeout(Duration.ofMillis(5))
                .retries(2)
                .start()) {
      assertThatThrownBy(() -> client.get("file"))
          .isInstanceOf(TftpException.class)
          .hasMessageContaining("asked 3 times")
          .hasMessageContaining("is a TFTP server running there");
    }
  }

  @Test
  void refusesAnOackThatGrantsMoreThanWasAskedFor() throws Exception {
    try (DatagramSocket server = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        TftpClient client =
            TftpClient.to((InetSocketAddress) server.getLocalSocketAddress())
                .blockSize(1000)
                .start()) {
      CompletableFuture<byte[]> refusal =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  byte[] oack = "\0\6blksize\0002000\0".getBytes(UTF_8);
                  DatagramPacket packet = new DatagramPacket(new byte[600], 600);
                  server.receive(packet);
                  server.send(new DatagramPacket(oack, oack.length, packet.getSocketAddress()));
                  server.receive(packet);
                  return packet.getData();
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      assertThatThrownBy(() -> client.get("file")).hasMessageContaining("blksize 2000");
      assertThat(refusal.get(20, TimeUnit.SECONDS)).startsWith(0, 5, 0, 8);
    }
  }

  @Test
  void endsWhenItsThreadIsInterrupted() throws Exception {
    try (DatagramSocket silent = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        TftpClient client =
            TftpClient.to((InetSocketAddress) silent.getLocalSocketAddress()).start()) {
      CompletableFuture<Throwable> outcome = new CompletableFuture<>();
      Thread thread =
          new Thread(
              () -> {
                try {
                  client.get("file");
                } catch (RuntimeException e) {
                  outcome.complete(e);
                }
              });
      thread.start();
      silent.receive(new DatagramPacket(new byte[600], 600)); // the request is out
      thread.interrupt();
      assertThat(outcome.get(20, TimeUnit.SECONDS)).isInstanceOf(WaitInterruptedException.class);
    }
  }

  @Test
  void endsTransfersWhenItIsClosed() throws Exception {
    try (DatagramSocket silent = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      TftpClient client = TftpClient.to((InetSocketAddress) silent.getLocalSocketAddress()).start();
      CompletableFuture<byte[]> get = CompletableFuture.supplyAsync(() -> client.get("file"));
      silent.receive(new DatagramPacket(new byte[600], 600));
      client.close();
      assertThatThrownBy(() -> get.get(20, TimeUnit.SECONDS))
          .hasRootCauseInstanceOf(TftpException.class);
      client.close();
    }
  }

  @Test
  void rejectsMisuseAtOnce() {
    assertThatThrownBy(() -> TftpClient.to("127.0.0.1").blockSize(7)).hasMessageContaining("8");
    assertThatThrownBy(() -> TftpClient.to("127.0.0.1").window(0)).hasMessageContaining("1");
    assertThatThrownBy(() -> TftpClient.to("127.0.0.1").retries(1).retries(2))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> TftpClient.to("127.0.0.1").window(2).withoutOptions().start())
        .hasMessageContaining("conflicts");
  }
}
