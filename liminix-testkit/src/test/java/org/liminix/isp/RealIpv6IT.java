package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import java.net.Inet6Address;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.liminix.isp.IspEvent.PrefixDelegated;
import org.liminix.isp.IspEvent.PrefixReleased;
import org.liminix.net.EthernetHost;
import org.liminix.net.Frame;
import org.liminix.net.FrameLog;
import org.liminix.net.Ipv6Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmSpec;
import org.liminix.testkit.Architecture;
import org.liminix.testkit.RouterImage;
import org.liminix.testkit.junit.Part;
import org.liminix.testkit.junit.Testbench;

/** A MIPS router with Debian's pppd, dhcp6c and dnsmasq between a PC and the world. */
@Testbench
class RealIpv6IT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Ipv6Network DELEGATED = Ipv6Network.parse("2001:db8:100::/56");

  @Part
  static final Spec<BorderNetworkGateway> isp =
      BorderNetworkGateway.likeLiminix()
          .ipv6(
              Ipv6Service.standard()
                  .dns("2001:db8::2")
                  .lifetimes(Duration.ofSeconds(24), Duration.ofMinutes(10)))
          .spec();

  @Part
  static final Spec<EthernetHost> server =
      EthernetHost.on(WORLD)
          .name("server")
          .address("10.0.2.2/24")
          .gateway("10.0.2.1")
          .address("2001:db8::2/64")
          .gateway("2001:db8::1")
          .spec();

  @Part
  static final VmSpec router =
      Vm.mipsel()
          .name("router")
          .image(RouterImage.dualStackRouter(Architecture.MIPSEL).build())
          .network(LAN, ACCESS)
          .spec();

  @Part static final Spec<EthernetHost> pc = EthernetHost.on(LAN).name("pc").spec();

  private PppSession session;

  @BeforeEach
  void dialled(BorderNetworkGateway isp) {
    session = isp.awaitSession(PATIENCE);
    session.awaitDelegation(PATIENCE);
  }

  private static String run(Vm router, String command) {
    return router.shell().run(command, PATIENCE).output();
  }

  private static Inet6Address addressOf(EthernetHost pc) {
    return pc.awaitIpv6Address(DELEGATED::contains, PATIENCE);
  }

  @Test
  void carriesIpv6BetweenThePcAndTheWorld(EthernetHost pc, EthernetHost server) {
    assertThat(session.delegatedPrefixes()).containsExactly(DELEGATED);
    Inet6Address address = addressOf(pc);
    assertThat(Ipv6Network.parse("2001:db8:100::/64").contains(address)).isTrue();
    assertThat(pc.ping("2001:db8::2", PATIENCE).ttl()).isEqualTo(62);
    assertThat(server.awaitPing(ping -> ping.source().equals(address), PATIENCE).ttl())
        .isEqualTo(62);
    assertThat(server.ping(address, PATIENCE).ttl()).isEqualTo(62);
  }

  @Test
  void tellsTheRouterItsAddressAndWay(Vm router) {
    Inet6Address line = session.awaitIpv6(PATIENCE);
    run(router, "ping -6 -c 1 -w 20 2001:db8::2");
    assertThat(run(router, "ip -6 address show dev ppp0"))
        .contains("inet6 2001:db8:1:", Ipv6Address.of(line) + "/");
    assertThat(run(router, "ip -6 route")).contains("default via fe80::1 dev ppp0");
    assertThat(run(router, "ip -6 address show dev eth0")).contains("inet6 2001:db8:100:");
    assertThat(run(router, "ping -6 -c 1 -w 20 -s 1400 2001:db8::2")).contains(" 0% packet loss");
    // The first answer is too long for the line and lost, which the server learns (RFC 8201).
    assertThat(run(router, "ping -6 -c 3 -w 20 -s 4000 2001:db8::2"))
        .containsPattern("[23] packets received");
  }

  @Test
  void isRenewedInTime(BorderNetworkGateway isp) {
    PrefixDelegated renewed =
        (PrefixDelegated)
            isp.awaitEvent(
                event -> event instanceof PrefixDelegated again && again.renewed(), PATIENCE);
    assertThat(renewed.prefix()).isEqualTo(DELEGATED);
  }

  @Test
  void cutsDatagramsToWhatTheLineCarries(EthernetHost pc, EthernetHost server) throws Exception {
    InetSocketAddress to = new InetSocketAddress(addressOf(pc), 9);
    pc.ping("2001:db8::2", PATIENCE);
    BlockingQueue<Integer> lengths = new LinkedBlockingQueue<>();
    try (var sink = pc.bind(9, (payload, source, port) -> lengths.add(payload.remaining()));
        var source = server.bind(0, (payload, from, port) -> {})) {
      source.send(ByteBuffer.allocate(1452), to); // 1500 bytes, and the line has 1492
      server.ping("2001:db8::1", PATIENCE); // the ISP's report has come by then
      source.send(ByteBuffer.allocate(1451), to);
      assertThat(lengths.poll(20, TimeUnit.SECONDS)).isEqualTo(1451);
    }
  }

  /** The lifetime in a router advertisement; -1 if the frame is none. */
  private static int routerLifetime(Frame frame) {
    return frame
        .icmp()
        .filter(icmp -> icmp.type() == 134 && frame.etherType() == 0x86dd)
        .map(icmp -> Short.toUnsignedInt(icmp.body().getShort(2)))
        .orElse(-1);
  }

  @Test
  void givesTheRouterItsPrefixAgainWhenItDialsAgain(
      Segments segments, BorderNetworkGateway isp, EthernetHost pc, Vm router) {
    addressOf(pc);
    try (FrameLog lan = segments.get(LAN).log()) {
      session.drop();
      assertThat(isp.awaitEvent(PrefixReleased.class, PATIENCE).prefix()).isEqualTo(DELEGATED);
      assertThat(session.delegatedPrefixes()).isEmpty();
      // The router tells the LAN that it has no way out, and that it has one again.
      Frame resigned = lan.await(frame -> routerLifetime(frame) == 0, PATIENCE);
      PppSession next = isp.awaitSession(PATIENCE);
      assertThat(next.id()).isNotEqualTo(session.id());
      assertThat(next.awaitDelegation(PATIENCE)).isEqualTo(DELEGATED);
      // A client left over from the last session would take the answers of the new one.
      assertThat(run(router, "pidof dhcp6c")).isEqualTo(run(router, "cat /run/dhcp6c.pid"));
      lan.await(
          frame -> routerLifetime(frame) > 0 && frame.time().isAfter(resigned.time()), PATIENCE);
      pc.ping("2001:db8::2", PATIENCE);
    }
  }
}
