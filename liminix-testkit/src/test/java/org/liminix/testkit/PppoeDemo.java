package org.liminix.testkit;

import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import com.google.errorprone.annotations.FormatMethod;
import com.google.errorprone.annotations.FormatString;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.regex.Pattern;
import org.liminix.isp.BorderNetworkGateway;
import org.liminix.isp.IspEvent;
import org.liminix.isp.PppSession;
import org.liminix.net.DhcpOffer;
import org.liminix.net.EthernetHost;
import org.liminix.net.Ping;
import org.liminix.net.ReceivedPing;
import org.liminix.qemu.Vm;

/** Plays the scenario of {@link PppoeIT} and tells on the terminal what happens, as it happens. */
final class PppoeDemo {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final long start = System.nanoTime();

  private PppoeDemo() {}

  public static void main(String[] arguments) {
    new PppoeDemo().play();
  }

  private void play() {
    tell("image", "a router from Debian's mipsel packages (the first time takes a minute) ...");
    RouterImage image =
        RouterImage.pppoeRouter(Architecture.MIPSEL)
            .file("/etc/ppp/ip-up", 0755, "#!/bin/sh\necho \"wan up: $4\" >/dev/console\n")
            .build();
    tell("image", "%d packages, modules and files", image.manifest().entries().size());

    try (Bench bench = Bench.open()) {
      BorderNetworkGateway isp =
          bench.start(BorderNetworkGateway.account("db123@a.1", "NotReallyTheSecret").spec());
      tell("isp", "an access concentrator waits for PPPoE on the access network");
      EthernetHost server =
          bench.start(
              EthernetHost.on(WORLD)
                  .name("server")
                  .address("10.0.2.2/24")
                  .gateway("10.0.2.1")
                  .spec());
      tell("server", "a host in the world has the address 10.0.2.2");
      Vm router = bench.start(Vm.mipsel().name("router").image(image).network(LAN, ACCESS).spec());
      tell(
          "router",
          "QEMU %s boots a MIPS Malta board, process %d",
          router.qmp().version(),
          router.pid());

      // Each wait goes on behind the last one: the shell is used after what comes by itself.
      router.console().expect("BusyBox", PATIENCE);
      tell("router", "a shell starts on its console");

      IspEvent discovery = isp.awaitEvent(IspEvent.Discovery.class, PATIENCE);
      tell("isp", "%s looks for an access concentrator (PADI)", discovery.peer());
      PppSession session = isp.awaitSession(PATIENCE);
      tell(
          "isp",
          "%s has logged in and got %s, %d ms after its PADI",
          session.user(),
          session.address().getHostAddress(),
          Duration.between(discovery.at(), openedAt(isp, session)).toMillis());
      router.console().expect("wan up: ", PATIENCE);
      tell("router", "%s says:", router.shell().run("uname -mr").output());
      router
          .shell()
          .run("ip -4 address show dev ppp0")
          .lines()
          .forEach(line -> tell("", "%s", line));

      EthernetHost pc = bench.start(EthernetHost.on(LAN).name("pc").spec());
      DhcpOffer offer = pc.discover(PATIENCE);
      tell(
          "pc",
          "asked by DHCP and was offered %s by %s",
          offer.address().getHostAddress(),
          offer.serverId().getHostAddress());
      pc.request(offer, PATIENCE);
      Ping ping = pc.ping("10.0.2.2", PATIENCE);
      tell("pc", "pings the server through router and ISP: %.1f ms", millis(ping.roundTrip()));
      ReceivedPing received = server.awaitPing(any -> true, PATIENCE);
      tell("server", "saw the ping come from %s: masqueraded", received.source().getHostAddress());

      session.drop();
      tell("isp", "drops the session");
      router.console().expect(Pattern.compile("wan up: (\\S+)\n"), PATIENCE);
      tell("router", "has redialled: %s", isp.awaitSession(PATIENCE));
      tell("pc", "pings again: %.1f ms", millis(pc.ping("10.0.2.2", PATIENCE).roundTrip()));
    }
    tell("bench", "everything is closed; nothing is left");
  }

  private static Instant openedAt(BorderNetworkGateway isp, PppSession session) {
    return isp.awaitEvent(
            event -> event instanceof IspEvent.SessionOpened opened && opened.session() == session,
            PATIENCE)
        .at();
  }

  private static double millis(Duration duration) {
    return duration.toNanos() / 1e6;
  }

  @FormatMethod
  private void tell(String who, @FormatString String what, Object... values) {
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(Locale.ROOT, "%7.2f s  %-7s %s%n", seconds, who, String.format(what, values));
  }
}
