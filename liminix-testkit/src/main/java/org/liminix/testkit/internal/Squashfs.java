package org.liminix.testkit.internal;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.liminix.testkit.ImageException;

/** Makes a squashfs from a stream of files, by way of {@code sqfstar}. */
final class Squashfs {
  private static final HostTool SQFSTAR = new HostTool("sqfstar", "squashfs-tools (4.5 or newer)");

  private Squashfs() {}

  /** Writes files to the sink it is given. */
  @FunctionalInterface
  interface Content {
    void writeTo(FileSink sink) throws IOException;
  }

  /**
   * Writes the file system.
   *
   * @param scratch a directory for the program's output
   * @throws ImageException if sqfstar is not installed or fails
   */
  static void write(Path scratch, Path target, Content content) throws IOException {
    // Nothing is compressed: unpacking costs an emulated CPU a second of boot, memory costs little.
    List<String> arguments =
        List.of(
            "-noI",
            "-noId",
            "-noD",
            "-noF",
            "-no-xattrs",
            "-no-progress",
            "-quiet",
            "-all-root",
            "-mkfs-time",
            "0",
            target.toString());
    HostTool.Result result =
        SQFSTAR.run(
            scratch,
            arguments,
            stdin -> {
              try (TarSink tar = new TarSink(stdin)) {
                content.writeTo(tar);
              }
            });
    if (result.status() != 0) {
      throw new ImageException("sqfstar cannot write " + target + "; it said:\n" + result.words());
    }
  }
}
