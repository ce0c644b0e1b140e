package org.liminix.testkit;

import static org.liminix.net.Network.LAN;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import org.liminix.console.Shell;
import org.liminix.net.MacAddress;
import org.liminix.net.Segment;
import org.liminix.net.Segments;
import org.liminix.net.StationStatistics;
import org.liminix.qemu.Vm;

/**
 * How many frames a second get from one guest to another over a segment of ours, and over QEMU's
 * own multicast network, in turns and between the same two guests: the kernel's packet generator
 * sends as fast as it can, and what the other one's card has received is counted.
 *
 * <pre>
 * scripts/java testkit org.liminix.testkit.SegmentBenchmark [ROUNDS [SECONDS]]
 * </pre>
 */
public final class SegmentBenchmark {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final String OURS = "eth0";
  private static final String QEMUS = "eth1";

  private final Shell sender;
  private final Shell receiver;
  private final int seconds;

  private SegmentBenchmark(Shell sender, Shell receiver, int seconds) {
    this.sender = sender;
    this.receiver = receiver;
    this.seconds = seconds;
  }

  public static void main(String[] arguments) throws Exception {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 7;
    int seconds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
    ThreadLocalRandom random = ThreadLocalRandom.current();
    InetSocketAddress group =
        new InetSocketAddress(
            "239.8.%d.%d".formatted(random.nextInt(256), random.nextInt(1, 255)),
            random.nextInt(20_000, 30_000));
    RouterImage image =
        RouterImage.debian(Architecture.AMD64)
            .modules("virtio_net", "pktgen")
            .file("/etc/rc.d/10-net", "ip link set eth0 up\nip link set eth1 up\n")
            .build();
    try (Segments segments = Segments.isolated();
        Vm one = start(segments, image, group, "one");
        Vm two = start(segments, image, group, "two")) {
      one.console().expect("router: ready", PATIENCE);
      two.console().expect("router: ready", PATIENCE);
      SegmentBenchmark benchmark = new SegmentBenchmark(one.shell(), two.shell(), seconds);
      System.out.printf(
          Locale.ROOT,
          "%-10s %12s %12s %7s   (frames/s received; sent: ours, QEMU's)%n",
          "bytes",
          "ours",
          "QEMU's",
          "ratio");
      for (int size : new int[] {60, 1514}) {
        benchmark.compare(size, rounds);
      }
      Segment lan = segments.get(LAN);
      for (StationStatistics station : lan.statistics()) {
        System.out.println(station);
      }
    }
  }

  private static Vm start(
      Segments segments, RouterImage image, InetSocketAddress group, String name) {
    return Vm.microvm()
        .name(name)
        .image(image)
        .commandLine("net.ifnames=0")
        .network(LAN)
        .qemuArgument(
            "-netdev",
            "socket,id=group,mcast=%s:%d,localaddr=127.0.0.1"
                .formatted(group.getAddress().getHostAddress(), group.getPort()))
        .qemuArgument("-device", "virtio-net-device,netdev=group,mac=" + MacAddress.random())
        .timeout(PATIENCE)
        .spec()
        .start(segments);
  }

  private void compare(int size, int rounds) throws InterruptedException {
    List<Double> ours = new ArrayList<>();
    List<Double> theirs = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    for (int round = -1; round < rounds; round++) {
      double[] first = measure(OURS, size);
      double[] second = measure(QEMUS, size);
      System.out.printf(
          Locale.ROOT,
          "%-10d %12.0f %12.0f %7.2f   (%.0f, %.0f)%s%n",
          size,
          first[1],
          second[1],
          first[1] / second[1],
          first[0],
          second[0],
          round < 0 ? " to warm up" : "");
      if (round >= 0) {
        ours.add(first[1]);
        theirs.add(second[1]);
        ratios.add(first[1] / second[1]);
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%-10s %12.0f %12.0f %7.2f%n",
        "median " + size,
        median(ours),
        median(theirs),
        median(ratios));
  }

  private static double median(List<Double> values) {
    return values.stream().sorted().skip(values.size() / 2).findFirst().orElse(Double.NaN);
  }

  /** Frames a second that were sent and received, by the clock of the receiver. */
  private double[] measure(String device, int size) throws InterruptedException {
    String mac = receiver.run("cat /sys/class/net/" + device + "/address").orThrow().output();
    String thread = "/proc/net/pktgen/kpktgend_0";
    String settings = "/proc/net/pktgen/" + device;
    sender
        .run("echo rem_device_all >%1$s; echo add_device %2$s >%1$s".formatted(thread, device))
        .orThrow();
    for (String setting :
        new String[] {"count 0", "delay 0", "pkt_size " + size, "dst 10.0.0.2", "dst_mac " + mac}) {
      sender.run("echo '" + setting + "' >" + settings).orThrow();
    }
    sender.run("{ echo start >/proc/net/pktgen/pgctrl; } >/dev/null 2>&1 & echo started").orThrow();
    Thread.sleep(1000);
    double[] before = sample(device);
    Thread.sleep(seconds * 1000L);
    double[] after = sample(device);
    sender.run("echo stop >/proc/net/pktgen/pgctrl; wait").orThrow();
    double time = after[2] - before[2];
    return new double[] {(after[0] - before[0]) / time, (after[1] - before[1]) / time};
  }

  private double[] sample(String device) {
    String statistics = "/sys/class/net/" + device + "/statistics/";
    String received =
        receiver.run("cat " + statistics + "rx_packets /proc/uptime").orThrow().output();
    String sent = sender.run("cat " + statistics + "tx_packets").orThrow().output();
    String[] words = received.trim().split("\\s+", -1);
    return new double[] {
      Double.parseDouble(sent.trim()), Double.parseDouble(words[0]), Double.parseDouble(words[1])
    };
  }
}
