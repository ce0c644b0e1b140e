package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.UnixSocket;

/**
 * What {@link Shell#run} adds to a command: {@code run("true")} on a host's shell behind a unix
 * socket, and beside it, in turn, the same shell asked for a line by a bare write and read of such
 * a socket. Prints medians and 99th percentiles in microseconds and the ratio.
 */
final class ShellBenchmark {
  private static final int WARM_UP = 2000;
  private static final int ROUNDS = 4000;

  private ShellBenchmark() {}

  public static void main(String[] arguments) throws IOException {
    for (String program : List.of("pipe:/bin/sh", "/bin/sh -i", "bash --norc -i")) {
      compare(program);
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
        socket = listener.accept(Deadline.after(java.time.Duration.ofSeconds(20)));
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
