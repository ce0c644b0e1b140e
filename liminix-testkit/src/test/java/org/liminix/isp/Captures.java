package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Real sessions, kept in {@code shared/captures} somewhere above the project. */
final class Captures {
  private Captures() {}

  /** The frames of a classic pcap file; the test is skipped where there is none. */
  static List<ByteBuffer> frames(String name) throws IOException {
    Path file = find(Path.of("shared", "captures", name));
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.position(24);
    List<ByteBuffer> frames = new ArrayList<>();
    while (bytes.hasRemaining()) {
      int length = bytes.getInt(bytes.position() + 8);
      frames.add(bytes.slice(bytes.position() + 16, length));
      bytes.position(bytes.position() + 16 + length);
    }
    assertThat(frames).hasSizeGreaterThan(100);
    return frames;
  }

  private static Path find(Path below) {
    Path directory = Path.of("").toAbsolutePath();
    while (directory != null) {
      Path found = directory.resolve(below);
      if (Files.exists(found)) {
        return found;
      }
      directory = directory.getParent();
    }
    return abort("There is no " + below + " in a folder above");
  }
}
