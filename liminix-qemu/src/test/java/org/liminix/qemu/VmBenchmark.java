package org.liminix.qemu;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.liminix.process.Deadline;
import org.liminix.process.Executable;
import org.liminix.process.UnixSocket;

/**
 * Measures what this library adds to QEMU: from the call of start() to an answering QMP beside the
 * bare command line, and close(). Prints ours, the bare tool's and the ratio.
 *
 * <p>The two are measured in turns, so that whatever else the machine does meets both alike.
 */
public final class VmBenchmark {
  private static final int WARM_UP = 10;
  private static final int ROUNDS = 40;

  private VmBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Files.createTempDirectory("vm");
    List<Long> ours = new ArrayList<>();
    List<Long> bare = new ArrayList<>();
    List<Long> closes = new ArrayList<>();
    try {
      for (int round = 0; round < WARM_UP + ROUNDS; round++) {
        long start = System.nanoTime();
        Vm vm = TinyGuest.boots(directory, true).name("bench").start();
        long started = System.nanoTime() - start;
        vm.console().expect("OK");
        start = System.nanoTime();
        vm.close();
        long closed = System.nanoTime() - start;
        long bareStart = bareStart(directory);
        if (round >= WARM_UP) {
          ours.add(started);
          closes.add(closed);
          bare.add(bareStart);
        }
      }
    } finally {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
    report(System.out, "start to QMP ready", ours, bare);
    System.out.printf("close: %.1f ms (median), %.1f ms (worst)%n", median(closes), worst(closes));
  }

  /** The same machine by hand: QEMU, a control socket, the greeting, qmp_capabilities, quit. */
  private static long bareStart(Path directory) throws IOException, InterruptedException {
    Path qemu = Executable.named("qemu-system-mips").find();
    Path socket = directory.resolve("qmp");
    try (UnixSocket.Listener listener = UnixSocket.listen(socket)) {
      long start = System.nanoTime();
      Process process =
          new ProcessBuilder(
                  qemu.toString(),
                  "-nodefaults",
                  "-no-user-config",
                  "-display",
                  "none",
                  "-vga",
                  "none",
                  "-accel",
                  "tcg",
                  "-M",
                  "malta",
                  "-m",
                  "256",
                  "-kernel",
                  directory.resolve("tiny.elf").toString(),
                  "-serial",
                  "null",
                  "-chardev",
                  "socket,id=control,path=" + socket,
                  "-mon",
                  "chardev=control,mode=control")
              .redirectErrorStream(true)
              .start();
      try (UnixSocket control = listener.accept(Deadline.after(Duration.ofSeconds(30)))) {
        awaitLine(control);
        write(control, "{'execute':'qmp_capabilities'}");
        awaitLine(control);
        final long elapsed = System.nanoTime() - start;
        write(control, "{'execute':'quit'}");
        process.waitFor();
        return elapsed;
      } finally {
        process.destroyForcibly();
      }
    }
  }

  private static void awaitLine(UnixSocket socket) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(4096);
    do {
      if (socket.read(buffer) < 0) {
        throw new IOException("QEMU has ended");
      }
    } while (buffer.get(buffer.position() - 1) != '\n');
  }

  private static void write(UnixSocket socket, String command) throws IOException {
    socket.write(
        ByteBuffer.wrap((command + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8)));
  }

  static void report(PrintStream out, String what, List<Long> ours, List<Long> bare) {
    out.printf(
        "%s: ours %.1f ms, bare %.1f ms, difference %.1f ms, ratio %.2f (medians of %d)%n",
        what,
        median(ours),
        median(bare),
        median(ours) - median(bare),
        median(ours) / median(bare),
        ours.size());
  }

  private static double median(List<Long> nanos) {
    return nanos.stream().sorted().skip(nanos.size() / 2).findFirst().orElseThrow() / 1e6;
  }

  private static double worst(List<Long> nanos) {
    return nanos.stream().max(Comparator.naturalOrder()).orElseThrow() / 1e6;
  }
}
