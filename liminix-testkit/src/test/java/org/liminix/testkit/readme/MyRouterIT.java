package org.liminix.testkit.readme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.liminix.isp.BorderNetworkGateway;
import org.liminix.isp.PppSession;
import org.liminix.net.EthernetHost;
import org.liminix.net.Spec;
import org.liminix.qemu.Vm;
import org.liminix.testkit.Architecture;
import org.liminix.testkit.RouterImage;
import org.liminix.testkit.junit.Part;
import org.liminix.testkit.junit.Testbench;

@Testbench
class MyRouterIT {
  static final RouterImage IMAGE = RouterImage.pppoeRouter(Architecture.MIPSEL).build();

  @Part final Spec<BorderNetworkGateway> isp = BorderNetworkGateway.likeLiminix().spec();

  @Part
  final Spec<EthernetHost> server =
      EthernetHost.on(WORLD).address("10.0.2.2/24").gateway("10.0.2.1").spec();

  @Part final Spec<Vm> router = Vm.mipsel().image(IMAGE).network(LAN, ACCESS).spec();
  @Part final Spec<EthernetHost> pc = EthernetHost.on(LAN).spec();

  @Test
  void carriesPacketsToTheWorld(BorderNetworkGateway isp, Vm router, EthernetHost pc) {
    PppSession session = isp.awaitSession(Duration.ofSeconds(60));
    assertThat(session.user()).isEqualTo("db123@a.1");
    assertThat(pc.dhcp(Duration.ofSeconds(60)).router()).isPresent();
    pc.ping("10.0.2.2", Duration.ofSeconds(10));
    assertThat(router.shell().run("ip route show default").output()).contains("ppp0");
  }
}
