package org.liminix.testkit;

import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.liminix.net.Segments;

/**
 * Measures what a {@link LinuxHost} costs beside what somebody does by hand in the same run: the
 * start beside bare namespaces, a program beside the same on this machine, and what iperf3 carries
 * between two hosts on a segment beside a veth pair, which never leaves the kernel.
 */
public final class LinuxHostBenchmark {
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final Pattern RATE = Pattern.compile("([0-9.]+) Mbits/sec.*receiver");
  private static final int RUNS = 20;

  private LinuxHostBenchmark() {}

  public static void main(String[] arguments) throws Exception {
    System.out.printf("%-44s %9s %9s %7s%n", "", "ours", "peer", "ratio");
    starts();
    programs();
    throughput();
  }

  private static void starts() throws Exception {
    List<Double> ours = new ArrayList<>();
    List<Double> bare = new ArrayList<>();
    try (Segments segments = Segments.isolated()) {
      for (int i = 0; i < RUNS; i++) {
        bare.add(
            millis(() -> runToEnd("unshare", "-U", "-r", "-n", "-m", "-p", "-u", "-f", "true")));
        LinuxHost[] host = new LinuxHost[1];
        ours.add(millis(() -> host[0] = LinuxHost.on(LAN).address("10.0.0.1/24").start(segments)));
        host[0].close();
      }
    }
    print("start to usable / unshare true, ms", ours, bare);
  }

  private static void programs() throws Exception {
    List<Double> ours = new ArrayList<>();
    List<Double> bare = new ArrayList<>();
    try (Segments segments = Segments.isolated();
        LinuxHost host = LinuxHost.on(LAN).start(segments)) {
      for (int i = 0; i < 5 * RUNS; i++) {
        ours.add(millis(() -> host.run("true").orThrow()));
        bare.add(millis(() -> runToEnd("true")));
      }
    }
    print("run(\"true\") / a process of the JVM, ms", ours, bare);
  }

  private static void throughput() throws Exception {
    List<Double> ours = new ArrayList<>();
    List<Double> veth = new ArrayList<>();
    try (Segments segments = Segments.isolated();
        LinuxHost one = LinuxHost.on(LAN).address("10.0.0.1/24").start(segments);
        LinuxHost two = LinuxHost.on(LAN).address("10.0.0.2/24").start(segments)) {
      one.start("iperf3", "-s").expect("Server listening", PATIENCE);
      // Another network namespace beside that of the first host, at the other end of a veth pair.
      LinuxProgram inner = one.start("unshare", "--net", "sh", "-c", "echo at $$; exec sleep 1000");
      String pid = inner.expect(Pattern.compile("at (\\d+)"), PATIENCE).group(1);
      String pair =
          """
          ip link add v0 type veth peer name v1 netns %1$s
          ip address add 10.1.0.1/24 dev v0
          ip link set v0 up
          nsenter --target %1$s --net ip address add 10.1.0.2/24 dev v1
          nsenter --target %1$s --net ip link set v1 up
          """
              .formatted(pid);
      one.run("sh", "-ec", pair).orThrow();
      for (int i = 0; i < 3; i++) {
        ours.add(rate(two, "iperf3", "-c", "10.0.0.1", "-t", "3", "-f", "m"));
        veth.add(
            rate(
                one,
                "nsenter",
                "--target",
                pid,
                "--net",
                "iperf3",
                "-c",
                "10.1.0.1",
                "-t",
                "3",
                "-f",
                "m"));
      }
    }
    print("iperf3 over a segment / veth pair, Mbit/s", ours, veth);
  }

  private static double rate(LinuxHost host, String... iperf3) {
    String report = host.run(iperf3).orThrow().output();
    Matcher matcher = RATE.matcher(report);
    if (!matcher.find()) {
      throw new IllegalStateException("iperf3 says no rate:\n" + report);
    }
    return Double.parseDouble(matcher.group(1));
  }

  private static void runToEnd(String... command) throws Exception {
    if (new ProcessBuilder(command).inheritIO().start().waitFor() != 0) {
      throw new IOException("failed: " + String.join(" ", command));
    }
  }

  private interface Action {
    void run() throws Exception;
  }

  private static double millis(Action action) throws Exception {
    long start = System.nanoTime();
    action.run();
    return (System.nanoTime() - start) / 1e6;
  }

  private static void print(String what, List<Double> ours, List<Double> peer) {
    double our = median(ours);
    double their = median(peer);
    System.out.printf(Locale.ROOT, "%-44s %9.1f %9.1f %7.2f%n", what, our, their, our / their);
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }
}
