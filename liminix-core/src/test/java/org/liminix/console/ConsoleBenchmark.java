package org.liminix.console;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;

/**
 * What a wait costs while much is said: 5, 10, 20 and 40 MB in pieces of 512 bytes, awaited by a
 * text and by a regular expression, and every fourth line the kernel's. Prints seconds per 10 MB,
 * which stay the same if the cost is linear.
 */
final class ConsoleBenchmark {
  private ConsoleBenchmark() {}

  public static void main(String[] arguments) throws IOException {
    for (boolean kernel : new boolean[] {false, true}) {
      measure(5, kernel, false); // warm-up
      for (int megabytes : new int[] {5, 10, 20, 40}) {
        System.out.printf(
            "%2d MB %-12s text %.3f s, regular expression %.3f s per 10 MB%n",
            megabytes,
            kernel ? "with kernel" : "plain",
            measure(megabytes, kernel, false) * 10 / megabytes,
            measure(megabytes, kernel, true) * 10 / megabytes);
      }
    }
  }

  private static double measure(int megabytes, boolean kernel, boolean expression)
      throws IOException {
    String line = "a line of output that is sixty-four characters long, with an end\r\n";
    String block = line.repeat(kernel ? 6 : 8);
    if (kernel) {
      block += "[    1.234567] br0: port 1(eth0) entered forwarding state\r\n".repeat(2);
    }
    byte[] piece = block.getBytes(StandardCharsets.UTF_8);
    Path directory = Files.createTempDirectory("lx");
    long start = System.nanoTime();
    try (Peer peer = Peer.connect(directory)) {
      Duration limit = Duration.ofMinutes(5);
      CompletableFuture<Match> match =
          CompletableFuture.supplyAsync(
              () ->
                  expression
                      ? peer.console().expect(Pattern.compile("the (very )?last \\w+\\."), limit)
                      : peer.console().expect("the last line.", limit));
      for (long sent = 0; sent < megabytes * 1_000_000L; sent += piece.length) {
        peer.says(piece);
      }
      peer.says("the last line.");
      match.join();
    } finally {
      Files.deleteIfExists(directory.resolve("console.log"));
      Files.deleteIfExists(directory);
    }
    return (System.nanoTime() - start) / 1e9;
  }
}
