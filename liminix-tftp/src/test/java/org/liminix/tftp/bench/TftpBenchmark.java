package org.liminix.tftp.bench;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * Measures this server beside those of Debian with one client in turn, and prints MB/s, ratios,
 * processor time for each MB and memory.
 *
 * <pre>
 * scripts/java tftp org.liminix.tftp.bench.TftpBenchmark PEERS [case…]
 * </pre>
 *
 * <p>{@code PEERS} is a folder into which {@code tftpd-hpa} and {@code atftpd} were unpacked, since
 * the two packages exclude each other: {@code apt-get download tftpd-hpa atftpd} and {@code dpkg
 * -x} each into a folder of its name. {@code dnsmasq} is the installed one; it listens at port 69
 * only, so it takes part when root starts this. Cases: lockstep, window, crowd, loss, memory; all
 * unless named. Only ratios mean anything on a shared machine.
 */
final class TftpBenchmark implements AutoCloseable {
  private static final int SERVER_CPU = 1;
  private static final int ROUNDS = Integer.getInteger("rounds", 5);
  private static final int WARM_UP = Integer.getInteger("warmup", 4);
  private static final double MB = 1e6;

  private final Path folder;
  private final Path peers;
  private final List<Subject> subjects = new ArrayList<>();

  private TftpBenchmark(Path peers) throws IOException {
    this.peers = peers;
    this.folder = Files.createTempDirectory("tftp-bench");
    for (int size : new int[] {1, 4, 16}) {
      byte[] content = new byte[size << 20];
      new Random(size).nextBytes(content);
      Files.write(folder.resolve(size + "M"), content);
    }
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length == 0) {
      System.err.println("Name the folder that holds tftpd-hpa/ and atftpd/, unpacked");
      System.exit(1);
    }
    Set<String> cases = new TreeSet<>(Arrays.asList(arguments).subList(1, arguments.length));
    if (cases.isEmpty()) {
      cases.addAll(List.of("lockstep", "window", "crowd", "loss", "memory"));
    }
    try (TftpBenchmark benchmark = new TftpBenchmark(Path.of(arguments[0]))) {
      benchmark.startAll();
      for (String name : cases) {
        switch (name) {
          case "lockstep" -> benchmark.lockStep();
          case "window" -> benchmark.windows();
          case "crowd" -> benchmark.crowds();
          case "loss" -> benchmark.losses();
          case "memory" -> benchmark.memory();
          default -> throw new IllegalArgumentException("No case " + name);
        }
      }
    }
  }

  private void startAll() throws Exception {
    addOurs("ours", "segments");
    addOurs("portable", "portable");
    Path hpa = peers.resolve("tftpd-hpa/usr/sbin/in.tftpd");
    if (Files.isExecutable(hpa)) {
      InetSocketAddress at = freePort();
      add(
          "tftpd-hpa",
          List.of(
              hpa.toString(),
              "-L",
              "-a",
              "127.0.0.1:" + at.getPort(),
              "-u",
              user(),
              "-s",
              folder.toString()),
          at,
          "");
    }
    Path atftpd = peers.resolve("atftpd/usr/sbin/atftpd");
    if (Files.isExecutable(atftpd)) {
      InetSocketAddress at = freePort();
      add(
          "atftpd",
          List.of(
              atftpd.toString(),
              "--daemon",
              "--no-fork",
              "--port",
              "" + at.getPort(),
              "--bind-address",
              "127.0.0.1",
              "--user",
              user(),
              "--maxthread",
              "1000",
              folder.toString()),
          at,
          "");
    }
    if (Files.isExecutable(Path.of("/usr/sbin/dnsmasq")) && user().equals("root")) {
      InetSocketAddress at = new InetSocketAddress("127.0.0.77", 69);
      add(
          "dnsmasq",
          List.of(
              "/usr/sbin/dnsmasq",
              "-d",
              "--conf-file=/dev/null",
              "--port=0",
              "--enable-tftp",
              "--tftp-root=" + folder,
              "--listen-address=127.0.0.77",
              "--bind-interfaces",
              "--user=root",
              "--tftp-max=1000"),
          at,
          "");
    }
    for (Subject subject : subjects) {
      FastClient.awaitAnswer(subject.target());
    }
  }

  private void addOurs(String name, String mode) throws IOException {
    InetSocketAddress at = freePort();
    List<String> command =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(Splitter.on(' ').splitToList(System.getProperty("server.flags", "-Xmx64m")));
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            BenchServer.class.getName(),
            "" + at.getPort(),
            folder.toString(),
            mode));
    add(name, command, at, "");
  }

  private void add(String name, List<String> command, InetSocketAddress at, String prefix)
      throws IOException {
    subjects.add(Subject.start(name, SERVER_CPU, command, at, prefix));
  }

  private static String user() {
    return System.getProperty("user.name");
  }

  private static InetSocketAddress freePort() throws IOException {
    try (DatagramSocket socket = new DatagramSocket(0, InetAddress.getLoopbackAddress())) {
      return (InetSocketAddress) socket.getLocalSocketAddress();
    }
  }

  private static FastClient.Target file(Subject subject, String name) {
    return new FastClient.Target(subject.target().server(), name);
  }

  private interface Measurement {
    double bytesPerSecond(Subject subject) throws IOException;
  }

  /** Medians of rounds in which every server has its turn, so that noise hits all alike. */
  private void compare(String title, double megabytes, List<Subject> among, Measurement measurement)
      throws IOException {
    List<Result> results = among.stream().map(Result::new).toList();
    for (int round = -WARM_UP; round < ROUNDS; round++) {
      for (Result result : results) {
        double before = result.subject.cpuSeconds();
        double rate = measurement.bytesPerSecond(result.subject);
        if (round >= 0) {
          result.rates[round] = rate / MB;
          result.cpuSeconds += result.subject.cpuSeconds() - before;
        }
      }
    }
    System.out.printf("%n%s%n", title);
    for (Result result : results) {
      System.out.printf(
          Locale.ROOT,
          "  %-10s %8.1f MB/s   ours/it %5.2f   %6.2f ms CPU/MB   %5.1f MiB%n",
          result.subject.name(),
          result.median(),
          results.get(0).median() / result.median(),
          result.cpuSeconds * 1000 / (megabytes * ROUNDS),
          result.subject.memory());
    }
  }

  /** What one server did in the rounds of one case. */
  private static final class Result {
    private final Subject subject;
    private final double[] rates = new double[ROUNDS];
    private double cpuSeconds;

    Result(Subject subject) {
      this.subject = subject;
    }

    double median() {
      double[] sorted = rates.clone();
      Arrays.sort(sorted);
      return sorted[sorted.length / 2];
    }
  }

  private List<Subject> among(String... names) {
    List<Subject> among = new ArrayList<>();
    for (String name : names) {
      subjects.stream().filter(subject -> subject.name().equals(name)).forEach(among::add);
    }
    return among;
  }

  private void lockStep() throws Exception {
    pinClient(SERVER_CPU);
    for (int blockSize : new int[] {512, 1468, 8192, 65464}) {
      compare(
          "window 1, blksize " + blockSize + ", one CPU",
          (16 << 20) / MB,
          among("ours", "tftpd-hpa", "atftpd", "dnsmasq"),
          subject -> FastClient.fetch(file(subject, "16M"), blockSize, 1));
    }
  }

  private void windows() throws Exception {
    pinClient(SERVER_CPU);
    for (int window : new int[] {8, 64}) {
      compare(
          "blksize 1468, window " + window + ", one CPU",
          (16 << 20) / MB,
          among("ours", "portable", "atftpd"),
          subject -> FastClient.fetch(file(subject, "16M"), 1468, window));
    }
  }

  private void crowds() throws Exception {
    pinClient(1 - SERVER_CPU);
    for (int clients : new int[] {16, 100, 500}) {
      int size = clients == 16 ? 4 : 1;
      Map<String, Integer> fewest = new LinkedHashMap<>();
      compare(
          clients + " clients, blksize 1468, " + size + " MiB each, two CPUs",
          clients * (size << 20) / MB,
          among("ours", "dnsmasq", "tftpd-hpa"),
          subject -> {
            FastClient.Crowd crowd =
                FastClient.crowd(file(subject, size + "M"), clients, 1468, 0, () -> {});
            fewest.merge(subject.name(), crowd.completed(), Math::min);
            return crowd.bytesPerSecond();
          });
      System.out.println("  completed: " + fewest);
    }
  }

  private void losses() throws IOException {
    for (int percent : new int[] {1, 5}) {
      System.out.printf("%n%d %% of DATA and of ACK lost, window 1, 1 MiB%n", percent);
      for (Subject subject : among("ours", "tftpd-hpa", "atftpd", "dnsmasq")) {
        boolean ours = subject.name().equals("ours");
        double[] seconds = new double[ours ? ROUNDS : 1];
        for (int i = 0; i < seconds.length; i++) {
          seconds[i] = FastClient.lossy(file(subject, "1M"), 1468, percent / 100.0, i + 1);
        }
        Arrays.sort(seconds);
        System.out.printf(
            Locale.ROOT, "  %-10s %6.2f s%n", subject.name(), seconds[seconds.length / 2]);
      }
    }
  }

  private void memory() throws IOException {
    System.out.printf("%n100 transfers at once%n");
    for (Subject subject : among("ours", "portable", "tftpd-hpa", "atftpd", "dnsmasq")) {
      double[] memory = {0};
      FastClient.Crowd crowd =
          FastClient.crowd(
              file(subject, "1M"),
              100,
              1468,
              300,
              () -> {
                try {
                  memory[0] = subject.memory();
                } catch (IOException e) {
                  throw new java.io.UncheckedIOException(e);
                }
              });
      System.out.printf(
          Locale.ROOT,
          "  %-10s %6.1f MiB resident, %d of 100 complete%n",
          subject.name(),
          memory[0],
          crowd.completed());
    }
  }

  /** Moves this process, threads and all. */
  private static void pinClient(int cpu) throws IOException, InterruptedException {
    new ProcessBuilder("taskset", "-a", "-c", "-p", "" + cpu, "" + ProcessHandle.current().pid())
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .start()
        .waitFor();
  }

  @Override
  public void close() throws IOException {
    subjects.forEach(Subject::close);
    for (int size : new int[] {1, 4, 16}) {
      Files.deleteIfExists(folder.resolve(size + "M"));
    }
    Files.deleteIfExists(folder);
  }
}
