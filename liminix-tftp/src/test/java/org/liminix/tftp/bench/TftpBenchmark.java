package org.liminix.tftp.bench;

import com.google.common.base.Splitter;
import java.io.File;
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
import java.util.function.LongConsumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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
 *
 * <p>All servers listen by themselves, none behind inetd. Each case starts them anew, each on the
 * same processor; where the title says one CPU the client shares it. They are warm when the clock
 * starts, as a server is that has been up for a while: each has served {@value #SHORT_TRANSFERS}
 * files of one block and, at the head of each row, so many MiB ({@code -Dwarmup}). Then follow
 * rounds ({@code -Drounds}) in which every server has its turn. Processor time is taken from the
 * first packet until a client has everything, when the processes and threads that serve it still
 * exist. The memory case alone measures servers that were just started.
 *
 * <p>Windows reach the kernel in one of three ways, each where the one before does not work: ours
 * has them cut by {@code UDP_SEGMENT}; unsegmented hands them over with {@code sendmmsg}; no-jffi
 * has that library not on its class path and sends packet by packet.
 */
final class TftpBenchmark implements AutoCloseable {
  private static final int SERVER_CPU = 1;
  private static final int ROUNDS = Integer.getInteger("rounds", 5);
  private static final int WARM_UP_MEBIBYTES = Integer.getInteger("warmup", 800);
  private static final int SHORT_TRANSFERS = 1000;
  private static final String SHORT = "1B";
  private static final double MB = 1e6;

  private static final String FLAGS = System.getProperty("server.flags", "-Xmx64m");

  /** For who counts megabytes: a small nursery, and the compiler that needs less memory itself. */
  private static final String SMALL_FLAGS = FLAGS + " -Xmn4m -XX:TieredStopAtLevel=1";

  /** What every user's server has on its class path, jffi aside; and what writes its log. */
  private static final String NEEDED =
      "classes|test-classes|guava|failureaccess|listenablefuture|error_prone|j2objc|jspecify|slf4j";

  private static final Pattern RUNTIME = Pattern.compile(NEEDED + "|jffi");

  /** Where Java alone is left, packets are sent one by one. */
  private static final Pattern WITHOUT_JFFI = Pattern.compile(NEEDED);

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
    Files.write(folder.resolve(SHORT), new byte[1]);
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
    System.out.printf(
        "Linux %s, %d processors, Java %s, server's flags %s, medians of %d%n",
        System.getProperty("os.version"),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.version"),
        FLAGS,
        ROUNDS);
    for (String name : cases) {
      System.out.printf("%n%s, load %s%n", name, load());
      try (TftpBenchmark benchmark = new TftpBenchmark(Path.of(arguments[0]))) {
        benchmark.startAll();
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
    System.out.printf("%nload %s%n", load());
  }

  private static String load() throws IOException {
    return Files.readString(Path.of("/proc/loadavg")).strip();
  }

  private void startAll() throws Exception {
    String classPath = classPath(RUNTIME);
    addOurs("ours", FLAGS, classPath);
    addOurs("unsegmented", FLAGS, classPath, "unsegmented");
    addOurs("no-jffi", FLAGS, classPath(WITHOUT_JFFI));
    addOurs("small", SMALL_FLAGS, classPath);
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

  private void addOurs(String name, String flags, String classPath, String... mode)
      throws IOException {
    InetSocketAddress at = freePort();
    List<String> command =
        new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin/java").toString()));
    command.addAll(Splitter.on(' ').splitToList(flags));
    command.addAll(
        List.of(
            "-cp", classPath, BenchServer.class.getName(), "" + at.getPort(), folder.toString()));
    command.addAll(List.of(mode));
    add(name, command, at, "");
  }

  /** Of this program's own class path what is wanted: test libraries cost a server memory. */
  private static String classPath(Pattern wanted) {
    return Splitter.on(File.pathSeparator)
        .splitToStream(System.getProperty("java.class.path"))
        .filter(entry -> wanted.matcher(Path.of(entry).getFileName().toString()).lookingAt())
        .collect(Collectors.joining(File.pathSeparator));
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
    double bytesPerSecond(Subject subject, LongConsumer complete) throws IOException;
  }

  /** Serves many short files, so that opening and ending transfers is compiled too. */
  private void warmUp(List<Subject> among) throws IOException {
    for (Subject subject : among) {
      for (int i = 0; i < SHORT_TRANSFERS; i++) {
        FastClient.fetch(file(subject, SHORT), 512, 1, bytes -> {});
      }
    }
  }

  /**
   * Medians of rounds of so many MiB in which every server has its turn. A ratio is the median of
   * those of each round: a machine that others use is slower for seconds on end, and not by the
   * same for all.
   */
  private void compare(String title, int mebibytes, List<Subject> among, Measurement measurement) {
    System.out.printf("%n%s%n", title);
    List<Result> results = new ArrayList<>(among.stream().map(Result::new).toList());
    for (int round = -(WARM_UP_MEBIBYTES / mebibytes); round < ROUNDS; round++) {
      for (Result result : List.copyOf(results)) {
        try {
          result.measure(measurement, round);
        } catch (IOException e) {
          System.out.printf("  %-11s takes no part: %s%n", result.subject.name(), e.getMessage());
          results.remove(result);
        }
      }
    }
    Result last = results.get(results.size() - 1);
    for (Result result : results) {
      System.out.printf(
          Locale.ROOT,
          "  %-11s %8.1f MB/s (%.1f to %.1f)   ours/it %5.2f   it/%s %5.2f   %6.2f ms CPU/MB  "
              + " %5.1f MB%n",
          result.subject.name(),
          result.median(),
          result.sorted()[0],
          result.sorted()[ROUNDS - 1],
          results.get(0).ratioTo(result),
          last.subject.name(),
          result.ratioTo(last),
          result.cpuSeconds * 1000 / result.megabytes,
          result.memory);
    }
  }

  /** What one server did in the rounds of one case. */
  private static final class Result {
    private final Subject subject;
    private final double[] rates = new double[ROUNDS];
    private double cpuSeconds;
    private double megabytes;
    private double memory;

    Result(Subject subject) {
      this.subject = subject;
    }

    /** Rounds below zero warm up. */
    void measure(Measurement measurement, int round) throws IOException {
      Map<Long, Long> before = subject.processorTimes();
      double rate =
          measurement.bytesPerSecond(
              subject,
              bytes -> {
                if (round >= 0) {
                  cpuSeconds += subject.processorSecondsSince(before);
                  megabytes += bytes / MB;
                  memory = Math.max(memory, subject.memory());
                }
              });
      if (round >= 0) {
        rates[round] = rate / MB;
      }
    }

    double[] sorted() {
      double[] sorted = rates.clone();
      Arrays.sort(sorted);
      return sorted;
    }

    double median() {
      return sorted()[ROUNDS / 2];
    }

    double ratioTo(Result other) {
      return IntStream.range(0, ROUNDS)
          .mapToDouble(round -> rates[round] / other.rates[round])
          .sorted()
          .toArray()[ROUNDS / 2];
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
    List<Subject> among = among("ours", "tftpd-hpa", "atftpd", "dnsmasq");
    warmUp(among);
    for (int blockSize : new int[] {512, 1468, 8192, 65464}) {
      compare(
          "window 1, blksize " + blockSize + ", one CPU",
          16,
          among,
          (subject, complete) -> FastClient.fetch(file(subject, "16M"), blockSize, 1, complete));
    }
  }

  private void windows() throws Exception {
    pinClient(SERVER_CPU);
    List<Subject> among = among("ours", "unsegmented", "no-jffi", "atftpd");
    warmUp(among);
    for (int window : new int[] {8, 64}) {
      compare(
          "blksize 1468, window " + window + ", one CPU",
          16,
          among,
          (subject, complete) -> FastClient.fetch(file(subject, "16M"), 1468, window, complete));
    }
  }

  private void crowds() throws Exception {
    pinClient(1 - SERVER_CPU);
    warmUp(among("ours", "dnsmasq", "tftpd-hpa"));
    for (int clients : new int[] {16, 100, 500}) {
      int size = clients == 16 ? 4 : 1;
      // Five hundred processes of tftpd-hpa would take minutes.
      List<Subject> among =
          clients == 500 ? among("ours", "dnsmasq") : among("ours", "dnsmasq", "tftpd-hpa");
      Map<String, Integer> fewest = new LinkedHashMap<>();
      compare(
          clients + " clients, blksize 1468, " + size + " MiB each, two CPUs",
          clients * size,
          among,
          (subject, complete) -> {
            FastClient.Crowd crowd =
                FastClient.crowd(file(subject, size + "M"), clients, 1468, 0, () -> {}, complete);
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
            Locale.ROOT, "  %-11s %6.2f s%n", subject.name(), seconds[seconds.length / 2]);
      }
    }
  }

  private void memory() throws IOException {
    System.out.printf("%n100 transfers at once; small is ours with %s%n", SMALL_FLAGS);
    for (Subject subject : among("ours", "no-jffi", "small", "tftpd-hpa", "atftpd", "dnsmasq")) {
      double idle = subject.memory();
      double[] memory = new double[ROUNDS];
      int completed = 100;
      for (int i = 0; i < ROUNDS; i++) {
        int round = i;
        FastClient.Crowd crowd =
            FastClient.crowd(
                file(subject, "1M"),
                100,
                1468,
                300,
                () -> memory[round] = subject.memory(),
                bytes -> {});
        completed = Math.min(completed, crowd.completed());
      }
      System.out.printf(
          Locale.ROOT,
          "  %-11s %6.1f MB resident, %6.1f the %dth time, %6.1f idle before; %d of 100 complete%n",
          subject.name(),
          memory[0],
          memory[ROUNDS - 1],
          ROUNDS,
          idle,
          completed);
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
    Files.deleteIfExists(folder.resolve(SHORT));
    Files.deleteIfExists(folder);
  }
}
