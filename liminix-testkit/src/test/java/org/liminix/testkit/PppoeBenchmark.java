package org.liminix.testkit;

import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import com.google.common.collect.LinkedListMultimap;
import com.google.common.collect.ListMultimap;
import com.google.common.collect.Multimaps;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.liminix.isp.BorderNetworkGateway;
import org.liminix.isp.IspEvent;
import org.liminix.isp.PppSession;
import org.liminix.net.EthernetHost;
import org.liminix.qemu.Vm;

/**
 * Where the time of a pppoe test goes. Builds the house of {@link PppoeIT} a number of times
 * (argument; 5 unless given) and prints the median and range of each step in milliseconds.
 */
final class PppoeBenchmark {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private PppoeBenchmark() {}

  public static void main(String[] arguments) {
    int rounds = arguments.length == 0 ? 5 : Integer.parseInt(arguments[0]);
    RouterImage image = image();
    ListMultimap<String, Double> results = LinkedListMultimap.create();
    for (int round = 0; round < rounds; round++) {
      results.putAll(Multimaps.forMap(measure(image)));
    }
    for (String step : results.keySet()) {
      double[] sorted = results.get(step).stream().mapToDouble(time -> time).sorted().toArray();
      System.out.printf(
          Locale.ROOT,
          "%-46s median %8.1f ms, %8.1f to %8.1f%n",
          step,
          sorted[rounds / 2],
          sorted[0],
          sorted[rounds - 1]);
    }
  }

  private static RouterImage image() {
    return RouterImage.pppoeRouter(Architecture.MIPSEL).build();
  }

  private static Map<String, Double> measure(RouterImage image) {
    Map<String, Double> times = new LinkedHashMap<>();
    long begin = System.nanoTime();
    image();
    times.put("image found in the cache", since(begin));
    begin = System.nanoTime();
    Bench bench = Bench.open();
    try (bench) {
      BorderNetworkGateway isp = bench.start(BorderNetworkGateway.likeLiminix().spec());
      bench.start(EthernetHost.on(WORLD).address("10.0.2.2/24").gateway("10.0.2.1").spec());
      EthernetHost pc = bench.start(EthernetHost.on(LAN).spec());
      times.put("bench, ISP and hosts started", since(begin));

      begin = System.nanoTime();
      Vm router = bench.start(Vm.mipsel().image(image).network(LAN, ACCESS).spec());
      times.put("QEMU started, console connected", since(begin));
      router.shell();
      times.put("guest start to a shell that answers", since(begin));
      PppSession session = isp.awaitSession(PATIENCE);
      times.put("guest start to IPCP opened", since(begin));
      times.put("PADI to IPCP opened", dialled(isp, session));
      times.put("PADS to IPCP opened", session.setupTime().toNanos() / 1e6);

      long asked = System.nanoTime();
      router.shell().run("true");
      times.put("run(\"true\") in the guest", since(asked));
      long discovered = System.nanoTime();
      pc.dhcp(PATIENCE);
      times.put("DHCP lease from the router", since(discovered));
      times.put("ping through router and ISP", median(pc));
      begin = System.nanoTime();
    }
    times.put("everything closed", since(begin));
    return times;
  }

  private static double dialled(BorderNetworkGateway isp, PppSession session) {
    Instant padi = isp.awaitEvent(IspEvent.Discovery.class, PATIENCE).at();
    Instant opened =
        isp.awaitEvent(
                event -> event instanceof IspEvent.SessionOpened o && o.session() == session,
                PATIENCE)
            .at();
    return Duration.between(padi, opened).toNanos() / 1e6;
  }

  private static double median(EthernetHost pc) {
    double[] times =
        IntStream.range(0, 21)
            .mapToDouble(i -> pc.ping("10.0.2.2", PATIENCE).roundTrip().toNanos() / 1e6)
            .sorted()
            .toArray();
    return times[times.length / 2];
  }

  private static double since(long nanos) {
    return TimeUnit.NANOSECONDS.toMicros(System.nanoTime() - nanos) / 1e3;
  }
}
