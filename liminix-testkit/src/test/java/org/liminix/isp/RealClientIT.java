package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.console.CommandResult;
import org.liminix.isp.IspEvent.AuthenticationFailed;
import org.liminix.isp.IspEvent.Reason;
import org.liminix.isp.IspEvent.SessionTerminated;
import org.liminix.net.EthernetHost;
import org.liminix.net.Spec;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmSpec;
import org.liminix.testkit.Architecture;
import org.liminix.testkit.RouterImage;
import org.liminix.testkit.junit.Part;
import org.liminix.testkit.junit.Testbench;

/** Debian's pppd in a MIPS guest, with the kernel's PPPoE and with the user-mode client. */
@Testbench
class RealClientIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String USER = "db123@a.1";
  private static final String SECRET = "NotReallyTheSecret";

  /** The session of the router itself, beside which the tests make others. */
  private static final String OTHER =
      "pppd noauth noipdefault nodefaultroute updetach maxfail 1 unit 9 mtu 1492 mru 1492 ";

  private static final String KERNEL_MODE = "plugin pppoe.so nic-eth1 ";
  private static final String ONLY_PAP = "refuse-chap refuse-mschap-v2 ";
  private static final String ONLY_MS_CHAP = "refuse-chap refuse-pap ";
  private static final String USER_MODE = "pty 'pppoe -I eth1' ";

  @Part
  static final Spec<BorderNetworkGateway> isp =
      BorderNetworkGateway.likeLiminix()
          .dns("10.0.2.53", "10.0.2.54")
          .echo(Duration.ofMillis(500), 10)
          .spec();

  @Part
  static final Spec<EthernetHost> server =
      EthernetHost.on(WORLD).name("server").address("10.0.2.2/24").gateway("10.0.2.1").spec();

  @Part static final VmSpec router = router();

  private static VmSpec router() {
    RouterImage image =
        RouterImage.pppoeRouter(Architecture.MIPSEL)
            .packages("pppoe")
            .modules("ppp_async") // for a client in user mode
            .build();
    return Vm.mipsel().name("router").image(image).network(LAN, ACCESS).spec();
  }

  private PppSession first;

  @BeforeEach
  void dialled(BorderNetworkGateway isp, Vm router) {
    router.shell();
    first = isp.awaitSession(PATIENCE);
  }

  private static String run(Vm router, String command) {
    return router.shell().run(command, PATIENCE).output();
  }

  private static SessionTerminated end(BorderNetworkGateway isp, int sessionId) {
    return (SessionTerminated)
        isp.awaitEvent(
            event -> event instanceof SessionTerminated end && end.sessionId() == sessionId,
            PATIENCE);
  }

  @Test
  void givesTheRouterAnAddressAndNameServers(Vm router, EthernetHost server) {
    assertThat(first.user()).isEqualTo(USER);
    server.ping(first.address(), PATIENCE); // its interface is up
    assertThat(run(router, "ip -4 address show dev ppp0"))
        .contains(
            "inet " + first.address().getHostAddress() + " peer 192.168.100.1/32", "mtu 1492");
    assertThat(run(router, "cat /etc/resolv.conf")).contains("10.0.2.53", "10.0.2.54");
  }

  @Test
  void routesBetweenTheRouterAndTheWorld(Vm router, EthernetHost server) {
    assertThat(server.ping(first.address(), PATIENCE).ttl()).isEqualTo(63);
    assertThat(router.shell().run("ping -c 1 -w 10 10.0.2.2").status()).isZero();
    assertThat(server.receivedPings())
        .last() // those before are of other tests
        .satisfies(
            ping -> {
              assertThat(ping.source()).isEqualTo(first.address());
              assertThat(ping.ttl()).isEqualTo(63);
            });
    assertThat(router.shell().run("ping -c 1 -w 10 192.168.100.1").status()).isZero();
    assertThat(router.shell().run("ping -c 1 -w 10 10.0.2.1").status()).isZero();
  }

  @Test
  void carriesPacketsThatAreLongerThanTheLine(Vm router, EthernetHost server) {
    server.ping(first.address(), PATIENCE);
    assertThat(router.shell().run("ping -c 1 -w 10 -s 4000 10.0.2.2").status()).isZero();
  }

  @Test
  void isTheFirstHopOfARoute(Vm router, EthernetHost server) {
    server.ping(first.address(), PATIENCE);
    assertThat(run(router, "traceroute -n -q 1 -w 2 10.0.2.2 2>&1"))
        .containsPattern(" 1 +192\\.168\\.100\\.1 ")
        .containsPattern(" 2 +10\\.0\\.2\\.2 ");
  }

  @Test
  void theRouterDialsAgainWhenItsSessionIsDropped(BorderNetworkGateway isp) {
    first.drop();
    assertThat(first.state()).isEqualTo(PppSession.State.CLOSED);
    assertThat(isp.sessions()).doesNotContain(first);
    PppSession next = isp.awaitSession(PATIENCE);
    assertThat(next.id()).isNotEqualTo(first.id());
    assertThat(end(isp, first.id()).reason()).isEqualTo(Reason.ISP);
  }

  @Test
  void theRouterDialsAgainWhenItsSessionIsTerminated(BorderNetworkGateway isp) {
    first.terminate();
    assertThat(isp.sessions()).doesNotContain(first);
    PppSession next = isp.awaitSession(PATIENCE);
    assertThat(next.id()).isNotEqualTo(first.id());
    assertThat(end(isp, first.id()).reason()).isEqualTo(Reason.ISP);
  }

  @ParameterizedTest
  @EnumSource(AuthMethod.class)
  void refusesAWrongSecret(AuthMethod method, BorderNetworkGateway isp, Vm router) {
    String choice =
        switch (method) {
          case PAP -> ONLY_PAP;
          case CHAP_MD5 -> "refuse-pap refuse-mschap-v2 ";
          case MS_CHAP_V2 -> ONLY_MS_CHAP;
        };
    String user = "user " + USER + " password wrong-" + method;
    CommandResult result = router.shell().run(OTHER + KERNEL_MODE + choice + user, PATIENCE);
    assertThat(result.status()).as(result.output()).isEqualTo(19); // pppd: failed to authenticate
    AuthenticationFailed failure = lastFailure(isp);
    assertThat(failure.user()).isEqualTo(USER);
    assertThat(failure.reason()).isEqualTo("wrong secret");
    assertThat(end(isp, failure.sessionId()).reason()).isEqualTo(Reason.AUTHENTICATION);
  }

  @Test
  void refusesAnUnknownUser(BorderNetworkGateway isp, Vm router) {
    router.shell().run(OTHER + KERNEL_MODE + "user mallory password " + SECRET, PATIENCE);
    assertThat(lastFailure(isp).user()).isEqualTo("mallory");
    assertThat(lastFailure(isp).reason()).isEqualTo("unknown user");
  }

  private static AuthenticationFailed lastFailure(BorderNetworkGateway isp) {
    List<IspEvent> failures =
        isp.events().stream().filter(AuthenticationFailed.class::isInstance).toList();
    return (AuthenticationFailed) failures.get(failures.size() - 1);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {KERNEL_MODE, USER_MODE, KERNEL_MODE + ONLY_PAP, KERNEL_MODE + ONLY_MS_CHAP})
  void servesASecondSessionOfTheSameClientUntilItHangsUp(
      String mode, BorderNetworkGateway isp, Vm router) {
    CommandResult result =
        router
            .shell()
            .run(
                OTHER + mode + "user " + USER + " password " + SECRET + " >/run/log/other",
                PATIENCE);
    assertThat(result.status()).as(run(router, "cat /run/log/other")).isZero();
    PppSession second = isp.sessions().get(1);
    assertThat(second.address()).isNotEqualTo(first.address());
    assertThat(run(router, "ip -4 address show dev ppp9"))
        .contains("inet " + second.address().getHostAddress() + " peer 192.168.100.1/32");
    run(router, "kill $(cat /run/ppp9.pid)");
    assertThat(end(isp, second.id()).reason()).isEqualTo(Reason.CLIENT);
    assertThat(isp.sessions()).containsExactly(first);
  }

  /** RFC 4638: an Ethernet of 1508 bytes has room for PPPoE's 8 and PPP's 1500. */
  @Test
  void carriesWholePacketsOfAnEthernetForAClientWhoseCardTakesMore(
      BorderNetworkGateway isp, Vm router) {
    run(router, "ip link set dev eth1 mtu 1508");
    String dial = OTHER.replace("1492", "1500") + KERNEL_MODE;
    CommandResult result =
        router
            .shell()
            .run(dial + "user " + USER + " password " + SECRET + " >/run/log/other 2>&1", PATIENCE);
    assertThat(result.status()).as(run(router, "cat /run/log/other")).isZero();
    PppSession second = isp.sessions().get(1);
    assertThat(run(router, "ip link show dev ppp9")).contains("mtu 1500 ");
    run(router, "kill $(cat /run/ppp9.pid)");
    assertThat(end(isp, second.id()).reason()).isEqualTo(Reason.CLIENT);
  }

  @Test
  void endsTheSessionOfAClientThatFellSilent(BorderNetworkGateway isp, Vm router) {
    run(router, "kill -STOP $(cat /run/ppp0.pid)");
    assertThat(end(isp, first.id()).reason()).isEqualTo(Reason.SILENCE);
    run(router, "kill -CONT $(cat /run/ppp0.pid)");
    assertThat(isp.awaitSession(PATIENCE).id()).isNotEqualTo(first.id());
  }
}
