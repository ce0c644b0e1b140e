package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.commons.net.tftp.TFTP;
import org.apache.commons.net.tftp.TFTPClient;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Other people's clients against this server. */
class RealPeersIT {
  private static final int SIZE = 300_001;

  @TempDir Path root;
  @TempDir Path local;
  private Bench bench;
  private byte[] content;

  @BeforeEach
  void start() {
    bench = new Bench(root, b -> b.writable(root));
    content = bench.put("file", SIZE);
  }

  @AfterEach
  void stop() {
    bench.close();
  }

  private String port() {
    return Integer.toString(bench.server.port());
  }

  private void run(String debianPackage, String... command) throws Exception {
    assumeTrue(
        List.of("/usr/bin", "/bin", "/usr/sbin").stream()
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, command[0]))),
        command[0] + " is missing: apt install " + debianPackage);
    Path output = local.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .directory(local.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as(Files.readString(output)).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  private void assertFetched() {
    assertThat(local.resolve("copy")).hasBinaryContent(content);
    TftpTransfer transfer = bench.server.awaitTransfer("file", Duration.ofSeconds(20));
    assertThat(transfer.bytes()).isEqualTo(SIZE);
  }

  private byte[] storable() throws IOException {
    byte[] other = Bench.random(70_000);
    Files.write(local.resolve("other"), other);
    return other;
  }

  private void assertStored(byte[] other) {
    bench.server.awaitTransfer("other", Duration.ofSeconds(20));
    assertThat(root.resolve("other")).hasBinaryContent(other);
  }

  @Test
  void servesTftpHpa() throws Exception {
    run("tftp-hpa", "tftp", "-m", "binary", "127.0.0.1", port(), "-c", "get", "file", "copy");
    assertFetched();
  }

  @Test
  void takesFilesFromTftpHpa() throws Exception {
    byte[] other = storable();
    run("tftp-hpa", "tftp", "-m", "binary", "127.0.0.1", port(), "-c", "put", "other");
    assertStored(other);
  }

  @ParameterizedTest
  @ValueSource(strings = {"blksize 1468", "blksize 65464", "windowsize 8", "timeout 3", "tsize"})
  void servesAtftpWithOptions(String option) throws Exception {
    run(
        "atftp",
        "atftp",
        "--option",
        option,
        "--get",
        "-r",
        "file",
        "-l",
        "copy",
        "127.0.0.1",
        port());
    assertFetched();
  }

  @Test
  void takesFilesFromAtftp() throws Exception {
    byte[] other = storable();
    run(
        "atftp",
        "atftp",
        "--option",
        "blksize 1024",
        "--put",
        "-l",
        "other",
        "-r",
        "other",
        "127.0.0.1",
        port());
    assertStored(other);
  }

  @ParameterizedTest
  @ValueSource(strings = {"512", "1468", "8192"})
  void servesCurl(String blockSize) throws Exception {
    run(
        "curl",
        "curl",
        "-sS",
        "--tftp-blksize",
        blockSize,
        "-o",
        "copy",
        "tftp://127.0.0.1:" + port() + "/file");
    assertFetched();
  }

  @Test
  void servesCurlWithoutOptions() throws Exception {
    run(
        "curl",
        "curl",
        "-sS",
        "--tftp-no-options",
        "-o",
        "copy",
        "tftp://127.0.0.1:" + port() + "/file");
    assertFetched();
  }

  @Test
  void takesFilesFromCurl() throws Exception {
    byte[] other = storable();
    run("curl", "curl", "-sS", "-T", "other", "tftp://127.0.0.1:" + port() + "/other");
    assertStored(other);
  }

  @ParameterizedTest
  @ValueSource(strings = {"512", "1468", "65464"})
  void servesBusybox(String blockSize) throws Exception {
    run(
        "busybox",
        "busybox",
        "tftp",
        "-b",
        blockSize,
        "-g",
        "-r",
        "file",
        "-l",
        "copy",
        "127.0.0.1",
        port());
    assertFetched();
  }

  @Test
  void takesFilesFromBusybox() throws Exception {
    byte[] other = storable();
    run("busybox", "busybox", "tftp", "-p", "-l", "other", "-r", "other", "127.0.0.1", port());
    assertStored(other);
  }

  @Test
  void servesCommonsNetAsAClientOfRfc1350() throws Exception {
    TFTPClient client = new TFTPClient();
    client.open();
    try {
      ByteArrayOutputStream received = new ByteArrayOutputStream();
      client.receiveFile("file", TFTP.BINARY_MODE, received, "127.0.0.1", bench.server.port());
      assertThat(received.toByteArray()).isEqualTo(content);
      byte[] other = Bench.random(1024);
      client.sendFile(
          "other",
          TFTP.BINARY_MODE,
          new ByteArrayInputStream(other),
          "127.0.0.1",
          bench.server.port());
      assertStored(other);
    } finally {
      client.close();
    }
  }
}
