package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.test.ChildJvm;

/** A disk without room: one of a mebibyte, mounted where only the server's process sees it. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class FullDiskIT {
  private static final byte[] UPLOAD = Bench.random(100_000);

  @TempDir static Path mountPoint;
  private ChildJvm disk;
  private InetSocketAddress server;

  @BeforeEach
  void start() throws Exception {
    List<String> onASmallDisk =
        List.of(
            "unshare",
            "-Urm",
            "sh",
            "-c",
            "mount -t tmpfs -o size=1m,nr_inodes=50 tmpfs \"$0\" && exec \"$@\"",
            mountPoint.toString());
    assumeTrue(
        ChildJvm.runsUnder(onASmallDisk),
        "Users may not mount anything in a namespace of their own here; the package util-linux has"
            + " unshare, and sysctl kernel.unprivileged_userns_clone=1 may let them");
    // German, if the machine knows it: what a full disk is called is no matter.
    Map<String, String> language = Map.of("LC_ALL", "C.UTF-8", "LANGUAGE", "de");
    disk = ChildJvm.runUnder(onASmallDisk, language, SmallDisk.class, mountPoint.toString());
    server = new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(disk.line()));
  }

  @AfterEach
  void stop() throws Exception {
    if (disk != null) {
      disk.finish();
    }
  }

  /** Has something done to the disk, and returns what is on it, hidden files too. */
  private String told(String command) throws IOException {
    disk.type(command);
    return disk.line();
  }

  private static void assertDiskFull(TftpClient client, byte[] content) {
    assertThatThrownBy(() -> client.put("upload", content))
        .isInstanceOfSatisfying(
            TftpException.class,
            refusal -> assertThat(refusal.error()).contains(TftpError.DISK_FULL))
        .hasMessageContaining("The disk is full");
  }

  @Test
  void tellsAWriterThatOutgrowsTheDiskAndServesAReaderMeanwhile() throws Exception {
    try (RawPeer reader = new RawPeer(server);
        TftpClient writer = TftpClient.to(server).withoutOptions().start()) {
      ByteArrayOutputStream read = new ByteArrayOutputStream();
      read.writeBytes(reader.read(SmallDisk.SERVED).receive().isData(1).payload());
      assertDiskFull(writer, Bench.random(2 << 20));
      assertThat(told("list")).isEqualTo(SmallDisk.SERVED);
      int block = 1;
      for (int length = 512; length == 512; block++) {
        byte[] payload = reader.ack(block).receive().isData(block + 1).payload();
        read.writeBytes(payload);
        length = payload.length;
      }
      reader.ack(block);
      assertThat(read.toByteArray()).isEqualTo(Bench.random(SmallDisk.SERVED_SIZE));
    }
  }

  @Test
  void refusesAtOnceWhatIsSaidToBeLargerThanTheRoom() throws Exception {
    try (TftpClient writer = TftpClient.to(server).start()) {
      assertDiskFull(writer, Bench.random(2 << 20));
      assertThat(told("list")).isEqualTo(SmallDisk.SERVED);
    }
  }

  @Test
  void takesFilesAgainWhenThereIsRoom() throws Exception {
    try (TftpClient writer = TftpClient.to(server).withoutOptions().start()) {
      told("fill");
      assertDiskFull(writer, UPLOAD);
      assertThat(told("make room")).isEqualTo(SmallDisk.SERVED);
      writer.put("upload", UPLOAD);
      assertThat(writer.get("upload")).isEqualTo(UPLOAD);
    }
  }

  @Test
  void tellsAWriterThatTheDiskCanHaveNoMoreFiles() throws Exception {
    try (TftpClient writer = TftpClient.to(server).start()) {
      told("fill with names");
      assertDiskFull(writer, UPLOAD);
      told("make room");
      writer.put("upload", UPLOAD);
      assertThat(writer.get("upload")).isEqualTo(UPLOAD);
    }
  }
}
