package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.UnixSocket;

/**
 * What {@link Shell#run} adds to a command: {@code run("true")} on a host's shell behind a unix
 * socket, and beside it, in turn, the same shell asked for a line by a bare write and read of such
 * a socket. Prints medians and 99th percentiles in microseconds and the ratio.
 *
 * <p>Then how fast output of 5 to 40 MB comes, in seconds per 10 MB, which stay the same if the
 * cost is linear; and how fast files of 200 kB go and come, with base64 and without.
 */
final class ShellBenchmark {
  private static final int WARM_UP = 2000;
  private static final int ROUNDS = 4000;

  private ShellBenchmark() {}

  public static void main(String[] arguments) throws IOException {
    for (String program : List.of("pipe:/bin/sh", "/bin/sh -i", "bash --norc -i")) {
      compare(program);
    }
    for (String program : List.of("dash -i", "bash --norc -i", "busybox sh -i")) {
      measureOutput(program);
      measureFiles(program, "");
      measureFiles(program, "base64() { false; }; openssl() { false; }; uudecode() { false; }");
    }
  }

  private static void measureOutput(String program) throws IOException {
    System.out.printf("%-16s output", program);
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).withoutPrompt().open();
      for (int megabytes : new int[] {5, 10, 20, 40}) {
        long start = System.nanoTime();
        int length =
            shell
                .run(
                    "yes 'sixty-three characters of output, over and over, line by line...' | head -c "
                        + megabytes * 1_000_000,
                    Duration.ofMinutes(5))
                .output()
                .length();
        System.out.printf(
            " %d MB %.2f s per 10 MB,", megabytes, (System.nanoTime() - start) / 1e2 / length);
      }
      System.out.println();
    }
  }

  private static void measureFiles(String program, String lacking) throws IOException {
    byte[] content = new byte[200_000];
    new Random(1).nextBytes(content);
    Path directory = Files.createTempDirectory("lx");
    Path file = directory.resolve("file");
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).withoutPrompt().open();
      shell.run(lacking);
      long start = System.nanoTime();
      shell.upload(content, file.toString(), Duration.ofMinutes(5));
      long middle = System.nanoTime();
      shell.download(file.toString(), Duration.ofMinutes(5));
      long end = System.nanoTime();
      System.out.printf(
          "%-16s %s upload %.0f kB/s, download %.0f kB/s%n",
          program,
          lacking.isEmpty() ? "base64" : "printf and od",
          content.length * 1e6 / (middle - start),
          content.length * 1e6 / (end - middle));
    } finally {
      Files.deleteIfExists(file);
      Files.delete(directory);
    }
  }

  private static void compare(String program) throws IOException {
    long[] ours = new long[ROUNDS];
    long[] bare = new long[ROUNDS];
    try (HostShell host = HostShell.start(program);
        BareShell peer = new BareShell()) {
      Shell shell =
          program.startsWith("pipe:")
              ? Shell.on(host.console()).withoutPrompt().open()
              : Shell.on(host.console()).open();
      for (int round = -WARM_UP; round < ROUNDS; round++) {
        long start = System.nanoTime();
        shell.run("true");
        long middle = System.nanoTime();
        peer.ask();
        long end = System.nanoTime();
        if (round >= 0) {
          ours[round] = middle - start;
          bare[round] = end - middle;
        }
      }
    }
    Arrays.sort(ours);
    Arrays.sort(bare);
    System.out.printf(
        "%-16s run(\"true\") median %5d us, p99 %5d us; bare /bin/sh median %5d us, p99 %5d us; ratio %.1f, overhead %d us%n",
        program,
        micros(ours, 50),
        micros(ours, 99),
        micros(bare, 50),
        micros(bare, 99),
        (double) micros(ours, 50) / micros(bare, 50),
        micros(ours, 50) - micros(bare, 50));
  }

  private static long micros(long[] sorted, int percentile) {
    return sorted[sorted.length * percentile / 100] / 1000;
  }

  /** The least a round trip can cost: no console, no markers, no terminal. */
  private static final class BareShell implements AutoCloseable {
    private final RunDirectory directory = RunDirectory.create("bare");
    private final SupervisedProcess socat;
    private final UnixSocket socket;
    private final ByteBuffer buffer = ByteBuffer.allocate(16);

    BareShell() throws IOException {
      try (UnixSocket.Listener listener = UnixSocket.listen(directory.socket("s"))) {
        socat =
            SupervisedProcess.of(
                    List.of("socat", "unix-connect:" + listener.path(), "exec:/bin/sh"))
                .directory(directory)
                .start();
        socket = listener.accept(Deadline.after(Duration.ofSeconds(20)));
      }
    }

    void ask() throws IOException {
      socket.write(ByteBuffer.wrap("true; echo $?\n".getBytes(StandardCharsets.US_ASCII)));
      buffer.clear();
      while (buffer.position() < 2) {
        if (socket.read(buffer) < 0) {
          throw new IOException("/bin/sh has ended");
        }
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
      socat.close();
      directory.close();
    }
  }
}
