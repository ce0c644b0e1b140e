package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import java.net.Inet4Address;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.isp.BorderNetworkGateway;
import org.liminix.isp.IspEvent;
import org.liminix.isp.PppSession;
import org.liminix.net.DhcpOffer;
import org.liminix.net.EthernetHost;
import org.liminix.net.Ping;
import org.liminix.net.Spec;
import org.liminix.qemu.Vm;
import org.liminix.testkit.junit.Part;
import org.liminix.testkit.junit.Testbench;

/**
 * Liminix's own test {@code pppoe}: a router of MIPS dials its ISP over PPPoE, serves its LAN and
 * carries packets between the two.
 */
@Testbench
@Timeout(180)
class PppoeIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Tells on the console what pppd has done; its fourth argument is the router's address. */
  private static final RouterImage IMAGE =
      RouterImage.pppoeRouter(Architecture.MIPSEL)
          .file("/etc/ppp/ip-up", 0755, "#!/bin/sh\necho \"wan up: $4\" >/dev/console\n")
          .file("/etc/ppp/ip-down", 0755, "#!/bin/sh\necho \"wan down\" >/dev/console\n")
          .build();

  @Part
  static final Spec<BorderNetworkGateway> isp =
      BorderNetworkGateway.account("db123@a.1", "NotReallyTheSecret").spec();

  @Part
  static final Spec<EthernetHost> server =
      EthernetHost.on(WORLD).name("server").address("10.0.2.2/24").gateway("10.0.2.1").spec();

  @Part
  static final Spec<Vm> router =
      Vm.mipsel().name("router").image(IMAGE).network(LAN, ACCESS).spec();

  @Part final Spec<EthernetHost> pc = EthernetHost.on(LAN).name("pc").spec();

  @BeforeAll
  static void theRouterHasDialled(Vm router) {
    router.console().expect("wan up: ", PATIENCE);
  }

  @Test
  void theRouterGetsAnAddressOfThePool(BorderNetworkGateway isp, Vm router) {
    PppSession session = isp.awaitSession(PATIENCE);
    assertThat(session.user()).isEqualTo("db123@a.1");
    assertThat(session.address().getHostAddress()).matches("192\\.168\\.100\\.(1\\d|[2-9]\\d)");

    assertThat(router.shell().run("ip -4 address show dev ppp0").orThrow().output())
        .contains("inet " + session.address().getHostAddress() + " peer 192.168.100.1/32");
    assertThat(router.shell().run("ip route show default").orThrow().output()).contains("dev ppp0");
  }

  @Test
  void itsLanOffersALease(@Part("pc") EthernetHost pc) {
    DhcpOffer offer = pc.discover(PATIENCE);
    assertThat(offer.router()).map(Inet4Address::getHostAddress).contains("192.168.19.1");
    assertThat(offer.serverId().getHostAddress()).isEqualTo("192.168.19.1");
    assertThat(offer.address().getHostAddress()).startsWith("192.168.19.");
  }

  @Test
  void packetsGoThroughAndCarryTheRoutersAddress(
      BorderNetworkGateway isp, @Part("pc") EthernetHost pc, @Part("server") EthernetHost server) {
    PppSession session = isp.awaitSession(PATIENCE);
    assertThat(pc.dhcp(PATIENCE).router()).isPresent();

    Ping ping = pc.ping("10.0.2.2", PATIENCE);

    assertThat(ping.roundTrip()).isPositive();
    assertThat(server.receivedPings())
        .isNotEmpty()
        .allSatisfy(received -> assertThat(received.source()).isEqualTo(session.address()));
  }

  @Test
  void theRouterRedialsWhenTheIspDropsTheSession(BorderNetworkGateway isp, Vm router) {
    PppSession dropped = isp.awaitSession(PATIENCE);

    dropped.drop();

    router.console().expect("wan down", PATIENCE);
    String address =
        router.console().expect(Pattern.compile("wan up: (\\S+)\n"), PATIENCE).group(1);
    PppSession redialed = isp.awaitSession(PATIENCE);
    assertThat(redialed).isNotSameAs(dropped);
    assertThat(redialed.address().getHostAddress()).isEqualTo(address);
  }

  @Nested
  @Testbench
  class WithAPasswordTheIspDoesNotKnow {
    @Part
    final Spec<BorderNetworkGateway> strictIsp =
        BorderNetworkGateway.account("db123@a.1", "AnotherSecret").spec();

    @Part
    final Spec<Vm> refused = Vm.mipsel().name("refused").image(IMAGE).network(LAN, ACCESS).spec();

    @Test
    void theRouterGetsNoAddress(BorderNetworkGateway isp, Vm router) {
      IspEvent.AuthenticationFailed failure =
          isp.awaitEvent(IspEvent.AuthenticationFailed.class, PATIENCE);
      assertThat(failure.user()).isEqualTo("db123@a.1");
      assertThat(failure.reason()).contains("wrong secret");

      assertThat(router.shell().run("ip -4 address show dev ppp0").output())
          .doesNotContain("inet ");
      assertThat(router.shell().run("cat /run/log/pppd").output())
          .contains("authentication failed");
      assertThat(isp.sessions()).isEmpty();
    }
  }
}
