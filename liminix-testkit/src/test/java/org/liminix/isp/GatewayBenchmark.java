package org.liminix.isp;

import static org.liminix.isp.PppdClient.KERNEL_MODE;
import static org.liminix.isp.PppdClient.USER_MODE;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.WORLD;

import java.io.BufferedReader;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.liminix.net.EthernetHost;
import org.liminix.net.MacAddress;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.qemu.Accelerator;
import org.liminix.qemu.Vm;
import org.liminix.testkit.Architecture;
import org.liminix.testkit.RouterImage;

/**
 * Measures the embedded ISP beside RP-PPPoE with the same real clients: ours, RP-PPPoE's, the ratio
 * and the bar.
 *
 * <p>{@code scripts/java testkit org.liminix.isp.GatewayBenchmark [DIALS [RP_DIALS [PART...]]]},
 * where the parts are start, dials, load and traffic; with {@code JAVA_OPTIONS=-Xmx128m} for the
 * bar of the heap. Debian's pppoe-server has no kernel mode: its process is what is measured.
 */
public final class GatewayBenchmark {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final String USER = "db123@a.1";
  private static final String SECRET = "NotReallyTheSecret";
  private static final String AC_NAME = "liminix";
  private static final int HELD = 5_000;
  private static final int FRESH_JVMS = 15;

  /** A process for PPPoE and one for PPP each: what its guest has memory and time for. */
  private static final int RP_HELD = 20;

  private final int dials;
  private final int rpDials;

  private GatewayBenchmark(int dials, int rpDials) {
    this.dials = dials;
    this.rpDials = rpDials;
  }

  public static void main(String[] arguments) throws Exception {
    GatewayBenchmark benchmark =
        new GatewayBenchmark(
            arguments.length > 0 ? Integer.parseInt(arguments[0]) : 100,
            arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20);
    List<String> parts =
        arguments.length > 2
            ? Arrays.asList(arguments).subList(2, arguments.length)
            : List.of("start", "load", "dials", "traffic");
    System.out.printf("Load average before: %s%n", load());
    System.out.printf("%-46s %10s %10s %7s  %s%n", "", "ours", "RP-PPPoE", "ratio", "bar");
    for (String part : parts) {
      switch (part) {
        case "start" -> benchmark.start();
        case "load" -> benchmark.load5000();
        case "dials" -> benchmark.dials();
        case "traffic" -> benchmark.traffic();
        default -> throw new IllegalArgumentException("No such part: " + part);
      }
    }
    System.out.printf("Load average after: %s%n", load());
  }

  private static String load() throws Exception {
    return Files.readString(Path.of("/proc/loadavg")).strip();
  }

  private static Spec<? extends Isp> ours() {
    return BorderNetworkGateway.likeLiminix().pool("10.9.0.1", "10.9.63.254").spec();
  }

  private static Spec<? extends Isp> rpPppoe() {
    return RpPppoe.likeLiminix().spec();
  }

  private static void print(String what, String format, double ours, double other, String bar) {
    System.out.printf(
        Locale.ROOT,
        "%-46s %10s %10s %7.3f  %s%n",
        what,
        format.formatted(ours),
        Double.isNaN(other) ? "-" : format.formatted(other),
        ours / other,
        bar);
  }

  private static double quantile(List<Double> values, double q) {
    List<Double> sorted = values.stream().sorted().toList();
    return sorted.get((int) Math.min(sorted.size() - 1L, (long) Math.ceil(q * sorted.size()) - 1));
  }

  /** From nothing to the offer that answers a PADI. */
  private void start() throws Exception {
    List<Double> ours = new ArrayList<>();
    List<Double> other = new ArrayList<>();
    List<Double> first = new ArrayList<>();
    for (int jvm = 0; jvm < FRESH_JVMS; jvm++) {
      first.add(startInFreshJvm());
    }
    startOnce(ours());
    for (int round = 0; round < 20; round++) {
      ours.add(startOnce(ours()));
    }
    startOnce(rpPppoe()); // makes its image and boots once
    for (int round = 0; round < 5; round++) {
      other.add(startOnce(rpPppoe()));
    }
    print(
        "start to service, ms, first in a JVM, median",
        "%.1f",
        quantile(first, 0.5),
        quantile(other, 0.5),
        "at most 50");
    print(
        "start to service, ms, median",
        "%.1f",
        quantile(ours, 0.5),
        quantile(other, 0.5),
        "at most 50");
  }

  private static double startInFreshJvm() throws Exception {
    Process jvm =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                FirstStart.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    try (BufferedReader output = jvm.inputReader()) {
      return Double.parseDouble(output.readLine());
    } finally {
      jvm.waitFor();
    }
  }

  /** Prints how long the first start in this JVM takes, in ms. */
  static final class FirstStart {
    private FirstStart() {}

    public static void main(String[] arguments) throws Exception {
      System.out.println(startOnce(ours()));
    }
  }

  private static double startOnce(Spec<? extends Isp> spec) throws Exception {
    try (Segments segments = Segments.isolated()) {
      long begin = System.nanoTime();
      try (Isp isp = spec.start(segments)) {
        DiscoveryProbe.await(segments.get(ACCESS), AC_NAME, PATIENCE);
        return (System.nanoTime() - begin) / 1e6;
      }
    }
  }

  private void load5000() throws Exception {
    for (int round = 0; round < 2; round++) {
      loadOnce(ours(), 2_000, 50);
    }
    Load warm = loadOnce(ours(), 2_000, 50);
    Load ours = loadOnce(ours(), HELD, 50);
    Load other = loadOnce(rpPppoe(), RP_HELD, 4);
    print(
        "sessions per second (50 in flight; RP 4)",
        "%.0f",
        ours.outcome.perSecond(),
        other.outcome.perSecond(),
        "at least 2000 (the third 2000: %.0f)".formatted(warm.outcome.perSecond()));
    print(
        "held at once (of 5000; RP of 20)",
        "%.0f",
        ours.outcome.opened(),
        other.outcome.opened(),
        "5000");
    print(
        "requests repeated by the ISP",
        "%.0f",
        ours.outcome.repeated(),
        other.outcome.repeated(),
        "0");
    print("heap used, MB", "%.1f", ours.heap / 1e6, Double.NaN, "under 128, of the whole program");
    print(
        "memory per session, kB (RP: its guest's)",
        "%.1f",
        ours.perSession / 1e3,
        other.perSession / 1e3,
        "none");
  }

  private record Load(LoadClients.Outcome outcome, double heap, double perSession) {}

  private static Load loadOnce(Spec<? extends Isp> spec, int count, int inFlight) throws Exception {
    try (Segments segments = Segments.isolated();
        Isp isp = spec.start(segments);
        LoadClients clients = new LoadClients(segments, USER, SECRET)) {
      double before = memory(isp);
      LoadClients.Outcome outcome = clients.dial(count, inFlight, PATIENCE);
      double heap = heap();
      return new Load(outcome, heap, (memory(isp) - before) / count);
    }
  }

  private static double heap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static double memory(Isp isp) {
    if (!(isp instanceof RpPppoe rp)) {
      return heap();
    }
    String free = rp.vm().shell().run("cat /proc/meminfo", PATIENCE).output();
    Matcher available = Pattern.compile("MemAvailable: +(\\d+)").matcher(free);
    return available.find() ? -1024 * Double.parseDouble(available.group(1)) : Double.NaN;
  }

  private void dials() throws Exception {
    dials("x86", Architecture.AMD64, KERNEL_MODE, 60);
    dials("MIPS", Architecture.MIPSEL, KERNEL_MODE, 120);
    dials("MIPS user-mode", Architecture.MIPSEL, USER_MODE, 200);
  }

  private void dials(String name, Architecture architecture, String mode, int bar)
      throws Exception {
    List<Double> ours = dialAll(ours(), architecture, mode, dials);
    List<Double> other = rpDials == 0 ? List.of() : dialAll(rpPppoe(), architecture, mode, rpDials);
    for (double q : new double[] {0.5, 0.9, 1}) {
      print(
          "PADI to IP-up, %s, ms, %s".formatted(name, q == 1 ? "longest" : "quantile " + q),
          "%.1f",
          quantile(ours, q),
          other.isEmpty() ? Double.NaN : quantile(other, q),
          q == 0.9 ? "at most " + bar : q == 1 ? "at most 1000" : "none");
    }
  }

  /** On the wire: from the client's first PADI to the last agreement of IPCP. */
  private static List<Double> dialAll(
      Spec<? extends Isp> spec, Architecture architecture, String mode, int count)
      throws Exception {
    List<Double> times = new ArrayList<>();
    BlockingQueue<SessionWatch.Opened> opened = new LinkedBlockingQueue<>();
    try (Segments segments = Segments.isolated();
        Isp isp = spec.start(segments);
        PppdClient client = PppdClient.start(architecture, segments)) {
      MacAddress concentrator = DiscoveryProbe.await(segments.get(ACCESS), AC_NAME, PATIENCE);
      try (AutoCloseable watch =
          SessionWatch.of(segments.get(ACCESS), concentrator, listener(opened))) {
        for (int round = -2; round < count; round++) {
          String word = client.dial(mode, USER, SECRET);
          if (!word.equals("up")) {
            throw new IllegalStateException(isp.kind() + ": " + client.log());
          }
          Duration time = opened.take().setupTime();
          if (round >= 0) {
            times.add(time.toNanos() / 1e6);
          }
          client.hangUp();
        }
      }
    }
    return times;
  }

  private static SessionWatch.Listener listener(BlockingQueue<SessionWatch.Opened> opened) {
    return new SessionWatch.Listener() {
      @Override
      public void opened(SessionWatch.Opened session) {
        opened.add(session);
      }

      @Override
      public void ended(int id) {}
    };
  }

  private void traffic() throws Exception {
    Traffic ours = trafficOnce(ours());
    Traffic other = trafficOnce(rpPppoe());
    print("TCP to a MIPS client, Mbit/s", "%.2f", ours.down, other.down, "ratio at least 6");
    print("TCP from a MIPS client, Mbit/s", "%.2f", ours.up, other.up, "ratio at least 6");
    print("ping through a session, ms, median", "%.3f", ours.ping, other.ping, "none");
  }

  private record Traffic(double down, double up, double ping) {}

  private static Traffic trafficOnce(Spec<? extends Isp> spec) throws Exception {
    RouterImage image =
        RouterImage.debian(Architecture.AMD64)
            .packages("iperf3")
            .modules("virtio_net")
            .file(
                "/etc/rc.d/10-server",
                """
                ip address add 10.0.2.9/24 dev eth0
                ip link set dev eth0 up
                ip route add default via 10.0.2.1
                iperf3 -s -D
                """)
            .build();
    try (Segments segments = Segments.isolated();
        Isp isp = spec.start(segments);
        EthernetHost host =
            EthernetHost.on(WORLD).address("10.0.2.2/24").gateway("10.0.2.1").start(segments);
        Vm server =
            Vm.microvm()
                .name("iperf3")
                .image(image)
                .commandLine("net.ifnames=0")
                .network(WORLD)
                .accelerator(Accelerator.TCG)
                .timeout(PATIENCE)
                .bootedOnce(
                    vm -> {
                      vm.console().expect("router: ready");
                      vm.shell().run("true").orThrow();
                    })
                .spec()
                .start(segments);
        PppdClient client = PppdClient.start(Architecture.MIPSEL, segments, "iperf3")) {
      server.shell();
      if (!client.dial(KERNEL_MODE, USER, SECRET).equals("up")) {
        throw new IllegalStateException(isp.kind() + ": " + client.log());
      }
      IspSession session = isp.awaitSession(PATIENCE);
      double[] pings = new double[51];
      for (int i = 0; i < pings.length; i++) {
        pings[i] = host.ping(session.address(), PATIENCE).roundTrip().toNanos() / 1e6;
      }
      Arrays.sort(pings);
      double down = iperf(client, "-R");
      double up = iperf(client, "");
      return new Traffic(down, up, pings[pings.length / 2]);
    }
  }

  /** Of what arrived; of what was sent where the connection has died before its end. */
  private static double iperf(PppdClient client, String direction) {
    String report =
        client.run("timeout 60 iperf3 -c 10.0.2.9 -t 6 -O 1 -f m " + direction + " 2>&1");
    Matcher rate = Pattern.compile("([0-9.]+) Mbits/sec.*receiver").matcher(report);
    if (rate.find()) {
      return Double.parseDouble(rate.group(1));
    }
    System.out.println("The connection died:\n" + (report + "\n" + client.log()).indent(4));
    return Pattern.compile("([0-9.]+) Mbits/sec")
        .matcher(report)
        .results()
        .mapToDouble(line -> Double.parseDouble(line.group(1)))
        .average()
        .orElse(Double.NaN);
  }
}
