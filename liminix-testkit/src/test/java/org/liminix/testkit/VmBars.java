package org.liminix.testkit;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.liminix.console.Console;
import org.liminix.console.KernelException;
import org.liminix.process.UnixSocket;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmBuilder;

/**
 * Measures what a machine under this library costs beside the same QEMU by hand: ours, the bare
 * tool's and the ratio, medians in milliseconds.
 *
 * <p>The two are measured in turns, so that whatever else the computer does meets both alike.
 */
public final class VmBars {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final String PANIC = "Kernel panic - not syncing";
  private static final String CRASH = "echo c > /proc/sysrq-trigger";

  private final Path directory;
  private final RouterImage image = RouterImage.debian(Architecture.MIPSEL).build();

  private VmBars(Path directory) {
    this.directory = directory;
  }

  public static void main(String[] arguments) throws Exception {
    Path directory = Files.createTempDirectory("bars");
    System.out.printf(
        Locale.ROOT,
        "%-42s %9s %9s %9s %7s  %s%n",
        "median, in ms",
        "ours",
        "bare",
        "more by",
        "ratio",
        "bar");
    try {
      VmBars bars = new VmBars(directory);
      bars.startAndClose(5, 20);
      bars.runTrue(50, 200);
      bars.panicOnASocket(200, 500);
      bars.panicOfAGuest(1, 5);
      bars.restore(1, 5);
    } finally {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private VmBuilder machine() {
    return Vm.mipsel().image(image).timeout(PATIENCE);
  }

  private VmBuilder restored() {
    return machine().cache(directory).bootedOnce(vm -> vm.shell().run("true").orThrow());
  }

  private void startAndClose(int warmUp, int rounds) throws Exception {
    Times start = new Times("start to QMP ready", "at most 15 ms more");
    Times close = new Times("close", "at most 150 ms");
    for (int round = -warmUp; round < rounds; round++) {
      long began = System.nanoTime();
      Vm vm = machine().start();
      final long ours = System.nanoTime() - began;
      String commandLine = vm.commandLine();
      began = System.nanoTime();
      vm.close();
      final long oursClosed = System.nanoTime() - began;

      began = System.nanoTime();
      try (BareVm bare = BareVm.start(commandLine, directory)) {
        start.add(round, ours, System.nanoTime() - began);
        began = System.nanoTime();
        bare.quit();
        close.add(round, oursClosed, System.nanoTime() - began);
      }
    }
    start.print();
    close.print();
  }

  private void runTrue(int warmUp, int rounds) throws Exception {
    Times times = new Times("run(\"true\"), the same line by hand", "at most 2 ms more");
    Times shorter = new Times("run(\"true\"), \"true; echo $?\" by hand", "none");
    try (Vm vm = machine().start();
        BareVm bare = BareVm.start(vm.commandLine(), directory)) {
      bare.expect("router: ready"); // which comes after the first prompt
      bare.type("\n");
      bare.expect("# ");
      vm.shell();
      for (int round = -warmUp; round < rounds; round++) {
        long began = System.nanoTime();
        vm.shell().run("true").orThrow();
        final long ours = System.nanoTime() - began;
        began = System.nanoTime();
        // What Shell types: what its longer line costs the guest is the second row's.
        bare.type("echo @''bx4k1;true;echo @''ex4k1 $?@\n");
        bare.expect("@ex4k1 0@");
        times.add(round, ours, System.nanoTime() - began);
        bare.expect("# ");
        began = System.nanoTime();
        bare.type("true; echo $?\n");
        bare.expect("\n0\r\n");
        shorter.add(round, ours, System.nanoTime() - began);
        bare.expect("# ");
      }
    }
    times.print();
    shorter.print();
  }

  /** From the moment at which the last byte of the line is written to the waiting thread. */
  private void panicOnASocket(int warmUp, int rounds) throws Exception {
    Times times = new Times("panic on a socket to exception", "at most 100 ms");
    for (int round = -warmUp; round < rounds; round++) {
      long ours;
      try (Pair pair = Pair.open(directory.resolve("pair"));
          Console console = Console.over(pair.here.socket()).open()) {
        CompletableFuture<Long> told =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    throw new AssertionError(console.expect("never", PATIENCE));
                  } catch (KernelException.Panic e) {
                    return System.nanoTime();
                  }
                });
        ours = panic(pair, told);
      }
      try (Pair pair = Pair.open(directory.resolve("pair"))) {
        CompletableFuture<Long> told =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    pair.here.readUntil(PANIC);
                    return System.nanoTime();
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                });
        times.add(round, ours, panic(pair, told));
      }
    }
    times.print();
  }

  private static long panic(Pair pair, CompletableFuture<Long> told) throws Exception {
    pair.there.write("[    1.000000] Run /init as init process\r\n");
    long written = System.nanoTime();
    pair.there.write("[    2.000000] " + PANIC + ": Fatal exception\r\n");
    return told.get() - written;
  }

  /** From typing the command; bare is a client of the same console that reads nothing else. */
  private void panicOfAGuest(int warmUp, int rounds) throws Exception {
    Times times = new Times("sysrq c in a guest to exception", "at most 100 ms more");
    for (int round = -warmUp; round < rounds; round++) {
      try (Vm vm = restored().start();
          BareVm.Plain plain =
              new BareVm.Plain(UnixSocket.connect(vm.runDirectory().resolve("console")))) {
        vm.shell();
        plain.write("echo joined\n"); // and its reader sees what comes from now on
        plain.readUntil("\njoined");
        CompletableFuture<Long> seen =
            CompletableFuture.supplyAsync(
                () -> {
                  try {
                    plain.readUntil(PANIC);
                    return System.nanoTime();
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                });
        long began = System.nanoTime();
        try {
          vm.shell().run(CRASH, PATIENCE);
        } catch (KernelException.Panic e) {
          times.add(round, System.nanoTime() - began, seen.get() - began);
        }
      }
    }
    times.print();
  }

  private void restore(int warmUp, int rounds) {
    Times times = new Times("start to an answering shell: restored, booted", "ratio at most 0.25");
    for (int round = -warmUp; round < rounds; round++) {
      times.add(round, toAnAnswer(restored()), toAnAnswer(machine()));
    }
    times.print();
  }

  private static long toAnAnswer(VmBuilder machine) {
    long start = System.nanoTime();
    try (Vm vm = machine.start()) {
      vm.shell().run("true").orThrow();
      return System.nanoTime() - start;
    }
  }

  /** Two ends of a connection. */
  private record Pair(BareVm.Plain here, BareVm.Plain there) implements AutoCloseable {
    static Pair open(Path path) throws IOException {
      try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
        server.bind(UnixDomainSocketAddress.of(path));
        UnixSocket there = UnixSocket.of(SocketChannel.open(server.getLocalAddress()));
        return new Pair(new BareVm.Plain(UnixSocket.of(server.accept())), new BareVm.Plain(there));
      } finally {
        Files.deleteIfExists(path);
      }
    }

    @Override
    public void close() throws IOException {
      try (here;
          there) {
        // both
      }
    }
  }

  /** Pairs of measurements; those of negative rounds warm up. */
  private static final class Times {
    private final String what;
    private final String bar;
    private final List<Long> ours = new ArrayList<>();
    private final List<Long> bare = new ArrayList<>();

    Times(String what, String bar) {
      this.what = what;
      this.bar = bar;
    }

    void add(int round, long oursNanos, long bareNanos) {
      if (round >= 0) {
        ours.add(oursNanos);
        bare.add(bareNanos);
      }
    }

    void print() {
      double mine = median(ours);
      double other = median(bare);
      System.out.printf(
          Locale.ROOT,
          "%-42s %9.2f %9.2f %9.2f %7.2f  %s%n",
          what,
          mine,
          other,
          mine - other,
          mine / other,
          bar);
    }

    private static double median(List<Long> nanos) {
      return nanos.stream().sorted().skip(nanos.size() / 2).findFirst().orElseThrow() / 1e6;
    }
  }
}
