package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.console.CommandResult;
import org.liminix.isp.IspEvent.Reason;
import org.liminix.isp.IspEvent.SessionRefused;
import org.liminix.isp.IspEvent.SessionRenumbered;
import org.liminix.isp.IspEvent.SessionTerminated;
import org.liminix.isp.IspFaults.Refusal;
import org.liminix.isp.IspFaults.Stage;
import org.liminix.net.EthernetHost;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmSpec;
import org.liminix.testkit.Architecture;
import org.liminix.testkit.RouterImage;
import org.liminix.testkit.junit.Part;
import org.liminix.testkit.junit.Testbench;

/** What Debian's pppd makes of an ISP that misbehaves, and of accounts with terms. */
@Testbench
@Timeout(240)
class IspFaultsIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String SECRET = "NotReallyTheSecret";
  private static final IspFaults GOOD = IspFaults.none();

  /** Without IPv6, lest pppd says that it is up before it has an address. */
  private static final String DIAL =
      "pppd plugin pppoe.so pppoe-padi-timeout 1 pppoe-padi-attempts 2 nic-eth1 noipdefault"
          + " nodefaultroute updetach noipv6 mtu 1492 mru 1492 noccp lcp-restart 1"
          + " lcp-max-configure 3 lcp-echo-interval 1 lcp-echo-failure 2 debug password "
          + SECRET;

  @Part
  static final Spec<BorderNetworkGateway> isp =
      BorderNetworkGateway.account(Account.of("db123@a.1", SECRET))
          .account(Account.of("fixed", SECRET).address("10.77.7.7").limit(1))
          .account(Account.of("old", SECRET).sessionTimeout(Duration.ofSeconds(1)))
          .account(Account.of("idle", SECRET).idleTimeout(Duration.ofSeconds(1)))
          .rechallenge(Duration.ofMillis(500))
          .nat()
          .spec();

  /** To which nobody has told a way back. */
  @Part
  static final Spec<EthernetHost> server =
      EthernetHost.on(WORLD).name("server").address("10.0.2.2/24").spec();

  @Part static final VmSpec router = router();

  private static int unit = 10;

  private BorderNetworkGateway gateway;
  private Vm vm;
  private final List<AutoCloseable> others = new ArrayList<>();

  private static VmSpec router() {
    RouterImage image =
        RouterImage.pppoeRouter(Architecture.MIPSEL)
            .file("/etc/rc.d/30-wan", "mkdir -p /run/ppp\n") // the tests dial
            .build();
    return Vm.mipsel().name("router").image(image).network(LAN, ACCESS).spec();
  }

  @BeforeEach
  void remember(BorderNetworkGateway isp, Vm router) {
    gateway = isp;
    vm = router;
    run("ip link set dev eth1 up");
  }

  @AfterEach
  void hangUp() throws Exception {
    gateway.misbehave(GOOD);
    run("kill $(cat /run/ppp" + unit + ".pid); true");
    gateway.sessions().forEach(PppSession::drop);
    for (AutoCloseable other : others) {
      other.close();
    }
  }

  private String run(String command) {
    return vm.shell().run(command, PATIENCE).output();
  }

  private CommandResult dial(String options) {
    unit++;
    return vm.shell()
        .run(DIAL + " unit " + unit + " logfile " + logFile() + " " + options, PATIENCE);
  }

  private CommandResult dialAsUsual(String options) {
    return dial("user db123@a.1 maxfail 1 " + options);
  }

  private static String logFile() {
    return "/run/log/dial" + unit;
  }

  private String log() {
    return run("cat " + logFile());
  }

  private void dials(String options) {
    assertThat(dialAsUsual(options).status()).as(log()).isZero();
  }

  private void fails(String options, String why) {
    assertThat(dialAsUsual(options).status()).as(log()).isNotZero();
    assertThat(log()).contains(why);
  }

  private SessionTerminated end(int sessionId) {
    return (SessionTerminated)
        gateway.awaitEvent(
            event -> event instanceof SessionTerminated end && end.sessionId() == sessionId,
            PATIENCE);
  }

  private void carries(String from) {
    assertThat(run("ping -c 1 -w 20 -I " + from + " 10.0.2.2")).contains("bytes from 10.0.2.2");
  }

  private void routeToTheWorld() {
    run("ip route replace 10.0.2.0/24 dev ppp" + unit);
  }

  @ParameterizedTest
  @CsvSource({"PADI, waiting for PADO", "PADR, waiting for PADS", "LCP, timeout sending Config"})
  void givesUpOnAnIspThatIsSilent(Stage stage, String why) {
    gateway.misbehave(GOOD.silent(stage));
    fails("", why);
  }

  @Test
  void waitsForAnIspThatIsSlow() {
    gateway.misbehave(
        GOOD.delay(Stage.PADI, Duration.ofMillis(1300)) // pppd has asked again by then
            .delay(Stage.PADR, Duration.ofMillis(500))
            .delay(Stage.LCP, Duration.ofMillis(300))
            .delay(Stage.AUTHENTICATION, Duration.ofMillis(500))
            .delay(Stage.NETWORK, Duration.ofMillis(500)));
    dials("");
    assertThat(gateway.sessions()).hasSize(1);
  }

  @Test
  void doesNotTakeAnOfferOfAnotherService() {
    gateway.misbehave(GOOD.offerOnly("telephone"));
    fails("rp_pppoe_service internet", "waiting for PADO");
    gateway.misbehave(GOOD);
    dials("rp_pppoe_service internet");
  }

  @ParameterizedTest
  @CsvSource({
    "SERVICE_NAME, Service-Name-Error",
    "AC_SYSTEM, System-Error",
    "GENERIC, Generic-Error"
  })
  void saysWhyItGotNoSession(Refusal refusal, String words) {
    gateway.misbehave(GOOD.refuseSessions(refusal, "not today"));
    fails("", words);
    assertThat(log()).contains("not today");
  }

  @Test
  void saysThatItWasRefused() {
    gateway.misbehave(GOOD.refuseAuthentication());
    assertThat(dialAsUsual("").status()).isEqualTo(19); // pppd: failed to authenticate
  }

  @Test
  void saysThatTheIspHasNoAddress() {
    gateway.misbehave(GOOD.noAddresses());
    fails("", "No address free");
  }

  @Test
  void noticesThatItsEchoesAreNotAnswered() {
    dials("");
    int session = gateway.awaitSession(PATIENCE).id();
    gateway.misbehave(GOOD.silent(Stage.ECHO));
    assertThat(end(session).reason()).isEqualTo(Reason.CLIENT);
    assertThat(log()).contains("No response to 2 echo-requests");
  }

  @Test
  void losesLongPacketsInABlackHole() {
    dials("");
    routeToTheWorld();
    gateway.misbehave(GOOD.blackHole(1400));
    carries("ppp" + unit);
    assertThat(run("ping -c 1 -w 1 -s 1373 10.0.2.2")).contains("100% packet loss");
    assertThat(run("ping -c 1 -w 20 -s 1372 10.0.2.2")).contains("1380 bytes from");
  }

  @Test
  void dialsAgainWhenTheIspHangsUpAndWhenItsLineComesBack() {
    gateway.misbehave(GOOD.hangUp(Duration.ofMillis(300)));
    assertThat(dial("user db123@a.1 maxfail 0 persist holdoff 1").status()).as(log()).isZero();
    gateway.awaitEvent(
        event ->
            event instanceof SessionTerminated end
                && end.reason() == Reason.ISP
                && !end.duration().isZero(),
        PATIENCE);
    gateway.misbehave(GOOD);
    int second = gateway.awaitSession(PATIENCE).id();
    gateway.misbehave(GOOD.flapping(Duration.ofMillis(100), Duration.ofSeconds(5)));
    end(second);
    gateway.misbehave(GOOD);
    assertThat(gateway.awaitSession(PATIENCE).id()).isNotEqualTo(second);
  }

  @Test
  void choosesOneOfTwoConcentrators(Segments segments) {
    BorderNetworkGateway other =
        BorderNetworkGateway.account("db123@a.1", SECRET)
            .acName("other")
            .worldAddress("10.0.2.254/24")
            .localAddress("172.16.0.1")
            .pool("172.16.0.10", "172.16.0.20")
            .withoutIpv6()
            .start(segments);
    others.add(other);
    assertThat(run("pppoe-discovery -I eth1 2>&1")).contains("liminix", "other");
    dials("rp_pppoe_ac other");
    assertThat(other.sessions()).hasSize(1);
    assertThat(gateway.sessions()).isEmpty();
    assertThat(run("ip -4 address show dev ppp" + unit)).contains("peer 172.16.0.1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "refuse-chap "})
  void provesAgainAndAgainWhoItIs(String method) {
    dials(method);
    PppSession session = gateway.awaitSession(PATIENCE);
    routeToTheWorld();
    // A challenge every 500 ms: the fourth comes after three were met.
    assertThat(
            run(
                "n=0; while [ $(grep -c 'rcvd .CHAP Success' "
                    + logFile()
                    + ") -lt 4 ]; do"
                    + " n=$((n+1)); [ $n -gt 400 ] && break; usleep 50000; done; cat "
                    + logFile()))
        .containsPattern("(?s)(rcvd .CHAP Challenge.*rcvd .CHAP Success.*){4}");
    carries("ppp" + unit);
    assertThat(session.state()).isEqualTo(PppSession.State.OPEN);
  }

  @Test
  void takesAnotherAddressInMidSession() {
    dials("");
    PppSession session = gateway.awaitSession(PATIENCE);
    session.renumber("192.168.100.90");
    gateway.awaitEvent(
        event -> event instanceof SessionRenumbered to && to.session().equals(session), PATIENCE);
    assertThat(gateway.sessions()).containsExactly(session);
    routeWhenUp("192.168.100.90");
    carries("ppp" + unit);
    assertThat(run("ip -4 address show dev ppp" + unit)).contains("inet 192.168.100.90 ");
  }

  /** The guest is slower than the ISP to say that it has an address. */
  private void routeWhenUp(String address) {
    run(
        "n=0; until ip -4 address show dev ppp%d | grep -q %s; do n=$((n+1)); [ $n -gt 400 ] && break; usleep 50000; done"
            .formatted(unit, address));
    routeToTheWorld();
  }

  @Test
  void getsTheAddressOfItsAccountAndNoSecondSession() {
    assertThat(dial("user fixed maxfail 1").status()).as(log()).isZero();
    assertThat(run("ip -4 address show dev ppp" + unit)).contains("inet 10.77.7.7 ");
    assertThat(dial("user fixed maxfail 1").status()).as(log()).isEqualTo(19);
    assertThat(gateway.awaitEvent(SessionRefused.class, PATIENCE).limit())
        .isEqualTo(IspEvent.Limit.ACCOUNT);
  }

  @ParameterizedTest
  @CsvSource({
    "old, SESSION_TIMEOUT, Session timeout after 1 s",
    "idle, IDLE, Idle timeout after 1 s"
  })
  void isDisconnectedWhenItsTimeIsUp(String user, Reason reason, String words) {
    assertThat(dial("maxfail 1 user " + user).status()).as(log()).isZero();
    SessionTerminated end =
        (SessionTerminated)
            gateway.awaitEvent(
                event -> event instanceof SessionTerminated e && e.reason() == reason, PATIENCE);
    assertThat(end.user()).isEqualTo(user);
    assertThat(log()).contains(words);
  }
}
