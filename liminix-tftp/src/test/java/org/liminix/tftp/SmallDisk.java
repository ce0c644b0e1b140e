package org.liminix.tftp;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A server in a process of its own, and what its typed commands do to the disk it is on. */
final class SmallDisk {
  static final String SERVED = "served";
  static final int SERVED_SIZE = 300_000;

  private final Path disk;

  private SmallDisk(Path disk) {
    this.disk = disk;
  }

  public static void main(String[] arguments) throws IOException {
    Path disk = Path.of(arguments[0]);
    Files.write(disk.resolve(SERVED), Bench.random(SERVED_SIZE));
    try (TftpServer server =
            TftpServer.allow("127.0.0.1")
                .address("127.0.0.1")
                .root(disk)
                .writable(disk)
                .retries(100)
                .start();
        BufferedReader commands =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      System.out.println(server.port());
      SmallDisk small = new SmallDisk(disk);
      for (String line = commands.readLine(); line != null; line = commands.readLine()) {
        System.out.println(small.execute(line));
      }
    }
  }

  private String execute(String command) throws IOException {
    switch (command) {
      case "list" -> {}
      case "fill" -> untilItFails(() -> Files.write(disk.resolve("filler"), new byte[1 << 21]));
      case "fill with names" ->
          untilItFails(
              () -> {
                while (true) {
                  Files.createTempFile(disk, "name", "");
                }
              });
      case "make room" -> {
        try (Stream<Path> files = Files.list(disk)) {
          for (Path file : files.filter(file -> !file.endsWith(SERVED)).toList()) {
            Files.delete(file);
          }
        }
      }
      default -> throw new IllegalArgumentException(command);
    }
    try (Stream<Path> files = Files.list(disk)) {
      return files.map(file -> "" + file.getFileName()).sorted().collect(Collectors.joining(" "));
    }
  }

  private interface Filling {
    void run() throws IOException;
  }

  private static void untilItFails(Filling filling) {
    try {
      filling.run();
      throw new IllegalStateException("The disk is not small");
    } catch (IOException full) {
      // as it is to be
    }
  }
}
