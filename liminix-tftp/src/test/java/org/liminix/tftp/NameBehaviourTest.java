package org.liminix.tftp;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a name stands for, and what stays out of reach. */
class NameBehaviourTest {
  @TempDir Path temp;

  private Path folder(String name) {
    try {
      return Files.createDirectories(temp.resolve(name));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private Bench bench() {
    return new Bench(folder("root"));
  }

  @Test
  void servesFilesInSubfolders() {
    try (Bench bench = bench()) {
      byte[] content = bench.put("boot/arm64/Image", 700);
      assertThat(bench.client.fetch("boot/arm64/Image")).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/file", "//file", "./file", "sub/../file", "sub//../file"})
  void findsTheFileHoweverItIsWritten(String name) {
    try (Bench bench = bench()) {
      byte[] content = bench.put("file", 700);
      assertThat(bench.client.fetch(name)).isEqualTo(content);
    }
  }

  @Test
  void takesAnAbsoluteNameThatBeginsWithTheFoldersOwn() {
    try (Bench bench = bench()) {
      byte[] content = bench.put("file", 700);
      assertThat(bench.client.fetch(bench.root.resolve("file").toString())).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"../secret", "/../secret", "sub/../../secret", "..", "../root/../secret"})
  void doesNotLetANameClimbOut(String name) throws IOException {
    try (Bench bench = bench()) {
      Files.writeString(temp.resolve("secret"), "secret");
      bench.client.read(name).receive().isError(2);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/etc/passwd", "//etc/passwd"})
  void takesAnAbsoluteNameAsOneInTheFolder(String name) {
    try (Bench bench = bench()) {
      bench.client.read(name).receive().isError(1);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"sub", "/", ".", "sub/"})
  void refusesADirectory(String name) {
    try (Bench bench = bench()) {
      bench.put("sub/file", 1);
      bench.client.read(name).receive().isError(2);
    }
  }

  @Test
  void refusesAFifoAtOnce() throws Exception {
    try (Bench bench = bench()) {
      Path fifo = bench.root.resolve("fifo");
      assumeTrue(new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor() == 0);
      bench.client.read("fifo").receive().isError(2);
      bench.put("file", 10);
      assertThat(bench.client.fetch("file")).hasSize(10);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/zero", "/dev/null", "/proc/self"})
  void refusesADeviceBehindALink(String target) throws IOException {
    try (Bench bench = bench()) {
      Files.createSymbolicLink(bench.root.resolve("link"), Path.of(target));
      bench.client.read("link").receive().isError(2);
    }
  }

  @Test
  void refusesAnUnreadableFile() throws IOException {
    try (Bench bench = bench()) {
      bench.put("file", 10);
      Path file = bench.root.resolve("file");
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
      assumeTrue(!Files.isReadable(file), "root can read everything");
      bench.client.read("file").receive().isError(2);
    }
  }

  @Test
  void saysNotFoundForALinkThatLeadsNowhere() throws IOException {
    try (Bench bench = bench()) {
      Files.createSymbolicLink(bench.root.resolve("link"), Path.of("/nowhere"));
      Files.createSymbolicLink(bench.root.resolve("circle"), Path.of("circle"));
      bench.client.read("link").receive().isError(1);
      bench.client.read("circle").receive().isError(1);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {256, 450})
  void saysNotFoundForANameLongerThanAnyFiles(int length) {
    try (Bench bench = bench()) {
      bench.client.read("x".repeat(length)).receive().isError(1);
    }
  }

  @Test
  void saysNotFoundForAFileNamedAsAFolder() {
    try (Bench bench = bench()) {
      bench.put("file", 10);
      bench.client.read("file/below").receive().isError(1);
    }
  }

  @Test
  void followsLinksOutOfTheFolderAsNixMakesThem() throws IOException {
    Path store = folder("nix/store/abc-kernel");
    Files.writeString(store.resolve("uImage"), "kernel");
    try (Bench bench = bench()) {
      Files.createSymbolicLink(bench.root.resolve("result"), store);
      assertThat(bench.client.fetch("result/uImage")).isEqualTo("kernel".getBytes(UTF_8));
    }
  }

  @Test
  void servesAFolderThatIsItselfALink() throws IOException {
    Path store = folder("store");
    Files.writeString(store.resolve("a"), "a");
    Path result = Files.createSymbolicLink(temp.resolve("result"), store);
    try (Bench bench = new Bench(result)) {
      assertThat(bench.client.fetch("a")).isEqualTo("a".getBytes(UTF_8));
    }
  }

  @Test
  void keepsToTheRealFolderWhenStrict() throws IOException {
    Path outside = folder("outside");
    Files.writeString(outside.resolve("secret"), "secret");
    Path root = folder("root");
    Files.writeString(root.resolve("file"), "file");
    Files.createSymbolicLink(root.resolve("out"), outside);
    Files.createSymbolicLink(root.resolve("in"), root.resolve("file"));
    try (TftpServer server =
            TftpServer.allowAnyone().address("127.0.0.1").strictRoot(root).start();
        RawPeer peer = new RawPeer(server.address())) {
      peer.read("out/secret").receive().isError(2);
      peer.read("none").receive().isError(1);
      assertThat(peer.fetch("in")).isEqualTo("file".getBytes(UTF_8));
    }
  }

  @Test
  void searchesSeveralFoldersInTurn() throws IOException {
    Path first = folder("first");
    Path second = folder("second");
    Files.writeString(first.resolve("both"), "1");
    Files.writeString(second.resolve("both"), "2");
    Files.writeString(second.resolve("only"), "2");
    try (TftpServer server =
            TftpServer.allowAnyone().address("127.0.0.1").root(first, second).start();
        RawPeer peer = new RawPeer(server.address())) {
      assertThat(peer.fetch("both")).isEqualTo("1".getBytes(UTF_8));
      assertThat(peer.fetch("only")).isEqualTo("2".getBytes(UTF_8));
      peer.read("none").receive().isError(1);
    }
  }

  @Test
  void servesFilesFromMemory() {
    try (Bench bench = new Bench(folder("root"), b -> b.file("/boot.scr", new byte[] {1, 2, 3}))) {
      assertThat(bench.client.fetch("boot.scr")).containsExactly(1, 2, 3);
      assertThat(bench.client.fetch("/boot.scr")).containsExactly(1, 2, 3);
    }
  }

  @Test
  void servesWhatAFunctionMakesOfARequest() {
    try (Bench bench =
        new Bench(
            folder("root"),
            b ->
                b.generate(
                        request ->
                            request.file().startsWith("pxelinux.cfg/")
                                ? Optional.of(
                                    TftpContent.text(
                                        request.client().getAddress().getHostAddress()))
                                : Optional.empty())
                    .generate(
                        request ->
                            request.file().equals("stream")
                                ? Optional.of(
                                    TftpContent.stream(
                                        () -> new ByteArrayInputStream(new byte[5000]), -1))
                                : Optional.empty()))) {
      assertThat(bench.client.fetch("pxelinux.cfg/default")).isEqualTo("127.0.0.1".getBytes(UTF_8));
      assertThat(bench.client.fetch("stream", "blksize", "1468")).hasSize(5000);
      bench.client.read("other").receive().isError(1);
    }
  }

  @Test
  void leavesTsizeUnansweredWhereNobodyKnowsIt() {
    try (Bench bench =
        new Bench(
            folder("root"),
            b ->
                b.file(
                    "stream",
                    TftpContent.stream(() -> new ByteArrayInputStream(new byte[5]), -1)))) {
      bench.client.read("stream", "tsize", "0").receive().isData(1);
    }
  }

  @Test
  void survivesAFunctionThatFails() {
    try (Bench bench =
        new Bench(
            folder("root"),
            b ->
                b.generate(
                    request -> {
                      if (request.file().equals("bad")) {
                        throw new IllegalStateException("on purpose");
                      }
                      return Optional.empty();
                    }))) {
      bench.put("good", 10);
      bench.client.read("bad").receive().isError(0);
      assertThat(bench.client.fetch("good")).hasSize(10);
    }
  }

  @Test
  void mapsNamesBeforeItLooksThemUp() {
    try (Bench bench = new Bench(folder("root"), b -> b.mapNames(n -> n.replace('\\', '/')))) {
      byte[] content = bench.put("boot/file", 600);
      assertThat(bench.client.fetch("\\boot\\file")).isEqualTo(content);
    }
  }

  @Test
  void uncompressesAFileThatIsThereOnlyCompressed() throws IOException {
    try (Bench bench = bench()) {
      byte[] content = Bench.random(100_000);
      try (OutputStream out =
          new GZIPOutputStream(Files.newOutputStream(bench.root.resolve("uImage.gz")))) {
        out.write(content);
      }
      assertThat(bench.client.fetch("uImage", "blksize", "1468")).isEqualTo(content);
      assertThat(bench.client.read("uImage", "tsize", "0").receive().options())
          .containsExactly(Map.entry("tsize", "100000"));
      bench.client.error(0, "enough");
      assertThat(bench.client.fetch("uImage.gz"))
          .isEqualTo(Files.readAllBytes(bench.root.resolve("uImage.gz")));
    }
  }

  @Test
  void prefersTheFileItselfToItsCompressedForm() {
    try (Bench bench = bench()) {
      byte[] content = bench.put("file", 50);
      bench.put("file.gz", 20);
      assertThat(bench.client.fetch("file")).isEqualTo(content);
    }
  }

  @Test
  void refusesACompressedFileThatIsNone() {
    try (Bench bench = bench()) {
      bench.put("file.gz", 20);
      bench.client.read("file").receive().isError(2);
    }
  }

  @Test
  void deliversTheOldContentOfAFileThatIsReplaced() throws IOException {
    try (Bench bench = bench()) {
      byte[] content = bench.put("file", 512 * 200);
      bench.client.read("file").receive().isData(1);
      Path fresh = Files.write(temp.resolve("fresh"), new byte[512 * 200]);
      Files.move(
          fresh,
          bench.root.resolve("file"),
          java.nio.file.StandardCopyOption.ATOMIC_MOVE,
          java.nio.file.StandardCopyOption.REPLACE_EXISTING);
      byte[] received = new byte[content.length];
      for (int block = 2; block <= 200; block++) {
        byte[] payload = bench.client.ack(block - 1).receive().isData(block).payload();
        System.arraycopy(payload, 0, received, (block - 1) * 512, 512);
      }
      bench.client.ack(200).receive().isData(201);
      System.arraycopy(content, 0, received, 0, 512);
      assertThat(received).isEqualTo(content);
    }
  }

  @Test
  void sendsAnErrorWhenTheFileIsTruncatedUnderWay() throws IOException {
    try (Bench bench = bench()) {
      bench.put("file", 512 * 400);
      bench.client.read("file").receive().isData(1);
      try (RandomAccessFile file =
          new RandomAccessFile(bench.root.resolve("file").toFile(), "rw")) {
        file.setLength(100);
      }
      assertEndsWithError(bench, 402);
    }
  }

  @Test
  void sendsAnErrorWhenTheFileIsOverwrittenUnderWay() throws IOException {
    try (Bench bench = bench()) {
      bench.put("file", 512 * 400);
      Files.setLastModifiedTime(bench.root.resolve("file"), FileTime.fromMillis(1_000_000));
      bench.client.read("file").receive().isData(1);
      bench.put("file", new byte[512 * 400]);
      assertEndsWithError(bench, 402);
    }
  }

  @Test
  void sendsAnErrorWhenTheFileIsOverwrittenAndThenDeletedUnderWay() throws IOException {
    try (Bench bench = bench()) {
      bench.put("file", 512 * 400);
      Files.setLastModifiedTime(bench.root.resolve("file"), FileTime.fromMillis(1_000_000));
      bench.client.read("file").receive().isData(1);
      bench.put("file", new byte[512 * 400]);
      Files.delete(bench.root.resolve("file"));
      assertEndsWithError(bench, 402);
    }
  }

  private static void assertEndsWithError(Bench bench, int most) {
    for (int block = 1; block < most; block++) {
      RawPeer.Reply reply = bench.client.ack(block).receive();
      if (reply.opcode() == RawPeer.ERROR) {
        reply.isError(0);
        return;
      }
      assertThat(reply.payload()).as("not the end of a mix").hasSize(512);
    }
    throw new AssertionError("the transfer went on to the end");
  }

  @ParameterizedTest
  @ValueSource(longs = {2147483648L, 4294967296L, 5000000000L})
  void tellsSizesOfMoreThanTwoAndFourGigabytes(long size) throws IOException {
    try (Bench bench = bench()) {
      try (RandomAccessFile file = new RandomAccessFile(bench.root.resolve("big").toFile(), "rw")) {
        file.setLength(size); // sparse
      }
      assertThat(bench.client.read("big", "tsize", "0").receive().options())
          .containsExactly(Map.entry("tsize", "" + size));
    }
  }

  @Test
  void servesNamesInUtf8() {
    try (Bench bench = bench()) {
      assumeTrue(
          "UTF-8".equals(System.getProperty("sun.jnu.encoding")), "file names are not UTF-8");
      byte[] content = bench.put("größe", 10);
      assertThat(bench.client.fetch("größe")).isEqualTo(content);
    }
  }
}
