package org.liminix.tftp.bench;

import java.io.IOException;
import java.nio.file.Path;
import org.liminix.tftp.TftpServer;
import org.liminix.tftp.TftpServerBuilder;

/** This library's server as a process of its own, for the benchmark. */
final class BenchServer {
  private BenchServer() {}

  /** Takes the port, the folder, and {@code unsegmented} perhaps; ends with its input. */
  public static void main(String[] arguments) throws IOException {
    TftpServerBuilder builder =
        TftpServer.allow("127.0.0.1")
            .address("127.0.0.1")
            .port(Integer.parseInt(arguments[0]))
            .root(Path.of(arguments[1]))
            .maxWindow(64)
            .maxWindowBytes(8 << 20);
    if (arguments.length > 2) {
      builder.unsegmented();
    }
    try (TftpServer server = builder.start()) {
      while (System.in.read() >= 0) {
        // runs until whoever started it goes away
      }
    }
  }
}
