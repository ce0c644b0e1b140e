package org.liminix.tftp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Writing, where it is let. */
class WriteBehaviourTest {
  @TempDir Path inbox;

  private TftpServer server(UnaryOperator<TftpServerBuilder> setting) {
    return setting
        .apply(TftpServer.allow("127.0.0.0/8").address("127.0.0.1").writable(inbox))
        .start();
  }

  private static void put(RawPeer peer, byte[] content, int size) {
    for (int block = 1; ; block++) {
      int from = (block - 1) * size;
      int to = Math.min(content.length, from + size);
      peer.data(block, java.util.Arrays.copyOfRange(content, from, to)).receive().isAck(block);
      if (to - from < size) {
        return;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 511, 512, 513, 5000})
  void takesFilesOfAnySize(int size) {
    byte[] content = Bench.random(size);
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      put(peer, content, 512);
      server.awaitTransfer("file", Duration.ofSeconds(20));
      assertThat(inbox.resolve("file")).hasBinaryContent(content);
    }
  }

  @Test
  void negotiatesOptionsOfAWrite() {
    byte[] content = Bench.random(5000);
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      assertThat(
              peer.write("file", "tsize", "5000", "blksize", "1468", "timeout", "3")
                  .receive()
                  .options())
          .containsExactly(
              Map.entry("blksize", "1468"), Map.entry("timeout", "3"), Map.entry("tsize", "5000"));
      put(peer, content, 1468);
      assertThat(inbox.resolve("file")).hasBinaryContent(content);
    }
  }

  @Test
  void acknowledgesOnceForEachWindow() {
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file", "windowsize", "4").receive();
      for (int block = 1; block <= 4; block++) {
        peer.data(block, new byte[512]);
      }
      peer.receive().isAck(4);
      peer.data(5, new byte[3]).receive().isAck(5);
      assertThat(inbox.resolve("file")).hasSize(4 * 512 + 3);
    }
  }

  @Test
  void namesTheBlockBeforeAGapInAWindow() {
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file", "windowsize", "4").receive();
      peer.data(1, new byte[512]).data(3, new byte[512]).receive().isAck(1);
      peer.data(2, new byte[512]).data(3, new byte[1]).receive().isAck(3);
      assertThat(inbox.resolve("file")).hasSize(2 * 512 + 1);
    }
  }

  @Test
  void acknowledgesADuplicateWithoutStoringItTwice() {
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      peer.data(1, new byte[512]).receive().isAck(1);
      peer.data(1, new byte[512]).receive().isAck(1);
      peer.data(2, new byte[1]).receive().isAck(2);
      assertThat(inbox.resolve("file")).hasSize(513);
    }
  }

  @Test
  void acknowledgesTheLastBlockAgainForAClientThatMissedIt() {
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      peer.data(1, new byte[5]).receive().isAck(1);
      peer.data(1, new byte[5]).receive().isAck(1);
    }
  }

  @Test
  void showsAFileOnlyWhenItIsComplete() throws IOException {
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      peer.data(1, new byte[512]).receive().isAck(1);
      assertThat(inbox.resolve("file")).doesNotExist();
      peer.error(0, "changed my mind");
      peer.read("ask").receive().isError(1);
      assertThat(inbox).isEmptyDirectory();
    }
  }

  @Test
  void leavesNothingBehindWhenItIsClosedUnderWay() throws IOException {
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      peer.data(1, new byte[512]).receive().isAck(1);
      server.close();
      peer.receive().isError(0);
    }
    try (Stream<Path> left = Files.list(inbox)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void keepsAFileThatIsThere() throws IOException {
    Files.writeString(inbox.resolve("file"), "old");
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isError(6);
    }
    assertThat(inbox.resolve("file")).hasContent("old");
  }

  @Test
  void keepsAFileThatCameIntoBeingMeanwhile() throws IOException {
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      Files.writeString(inbox.resolve("file"), "first");
      peer.data(1, new byte[5]).receive().isError(6);
    }
    assertThat(inbox.resolve("file")).hasContent("first");
  }

  @Test
  void replacesAFileWhenAskedTo() throws IOException {
    Files.writeString(inbox.resolve("file"), "old");
    try (TftpServer server = server(TftpServerBuilder::overwrite);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      assertThat(inbox.resolve("file")).hasContent("old");
      peer.data(1, "new".getBytes(US_ASCII)).receive().isAck(1);
    }
    assertThat(inbox.resolve("file")).hasContent("new");
  }

  @Test
  void refusesASizeAboveTheLimitBeforeAnythingIsSent() {
    try (TftpServer server = server(b -> b.maxUpload(1000));
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file", "tsize", "1001").receive().isError(3);
      assertThat(inbox).isEmptyDirectory();
    }
  }

  @Test
  void stopsAFileThatGrowsAboveTheLimit() {
    try (TftpServer server = server(b -> b.maxUpload(1000));
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      peer.data(1, new byte[512]).receive().isAck(1);
      peer.data(2, new byte[512]).receive().isError(3);
      peer.read("ask").receive().isError(1);
      assertThat(inbox).isEmptyDirectory();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"../out", "/../out", "sub/../../out", "link/out"})
  void doesNotLetAWriteOutOfTheFolder(String name, @TempDir Path outside) throws IOException {
    Files.createSymbolicLink(inbox.resolve("link"), outside);
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write(name).receive().isError(2);
    }
    assertThat(outside).isEmptyDirectory();
    assertThat(inbox.resolveSibling("out")).doesNotExist();
  }

  @ParameterizedTest
  @ValueSource(strings = {"none/file", "/", "."})
  void refusesAWriteThatNamesNoFileInAFolder(String name) {
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write(name).receive().isError(2);
    }
  }

  @Test
  void replacesALinkAndNotWhatItLeadsTo(@TempDir Path outside) throws IOException {
    Path victim = Files.writeString(outside.resolve("victim"), "safe");
    Files.createSymbolicLink(inbox.resolve("file"), victim);
    try (TftpServer server = server(TftpServerBuilder::overwrite);
        RawPeer peer = new RawPeer(server.address())) {
      peer.write("file").receive().isAck(0);
      peer.data(1, "new".getBytes(US_ASCII)).receive().isAck(1);
    }
    assertThat(victim).hasContent("safe");
    assertThat(inbox.resolve("file")).hasContent("new");
  }

  @Test
  void turnsNetworkLineEndsIntoLineFeedsForNetascii() throws IOException {
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.request(RawPeer.WRQ, "text", "netascii").receive().isAck(0);
      // The pair of one line end lies in two blocks.
      peer.data(1, ("x".repeat(511) + "\r").getBytes(US_ASCII)).receive().isAck(1);
      peer.data(2, "\na\r\0b\r\n".getBytes(US_ASCII)).receive().isAck(2);
      assertThat(Files.readString(inbox.resolve("text"))).isEqualTo("x".repeat(511) + "\na\rb\n");
    }
  }

  @Test
  void doesNotServeWhatIsInTheFolderForWriting() throws IOException {
    Files.writeString(inbox.resolve("file"), "old");
    try (TftpServer server = server(b -> b);
        RawPeer peer = new RawPeer(server.address())) {
      peer.read("file").receive().isError(1);
    }
  }
}
