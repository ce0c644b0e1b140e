package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.liminix.isp.PppdClient.KERNEL_MODE;
import static org.liminix.isp.PppdClient.USER_MODE;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.WORLD;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.liminix.net.EthernetHost;
import org.liminix.net.Spec;
import org.liminix.testkit.Architecture;
import org.liminix.testkit.Bench;
import org.liminix.testkit.internal.Tools;

/** The same scenarios with every ISP there is, dialled by Debian's pppd in a MIPS guest. */
@Timeout(600)
class GatewaysIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Duration SIGN_OF_LIFE = Duration.ofSeconds(1);
  private static final String USER = "db123@a.1";
  private static final String SECRET = "NotReallyTheSecret";

  @Nested
  class Embedded extends Scenarios {
    @Override
    Spec<? extends Isp> isp() {
      return BorderNetworkGateway.likeLiminix().dns("10.0.2.53").echo(SIGN_OF_LIFE, 3).spec();
    }
  }

  @Nested
  class OfRpPppoe extends Scenarios {
    @Override
    Spec<? extends Isp> isp() {
      return RpPppoe.likeLiminix().dns("10.0.2.53").echo(SIGN_OF_LIFE, 3).spec();
    }
  }

  /** With the disk that the environment names, which does not come with this library. */
  @Nested
  class OfRouterOs extends Scenarios {
    @Override
    Spec<? extends Isp> isp() {
      String image = System.getenv("LIMINIX_ROUTEROS_IMAGE");
      assumeTrue(
          image != null, "LIMINIX_ROUTEROS_IMAGE names no disk of RouterOS's Cloud Hosted Router");
      return RouterOs.image(Path.of(image)).likeLiminix().dns("10.0.2.53").spec();
    }
  }

  @TestInstance(TestInstance.Lifecycle.PER_CLASS)
  abstract static class Scenarios {
    private Bench bench;
    private Isp isp;
    private EthernetHost server;
    private PppdClient client;
    private boolean dialled;

    abstract Spec<? extends Isp> isp();

    @BeforeAll
    void start() {
      Tools.requireImageBuilding();
      Tools.require("qemu-system-mipsel", "qemu-system-mips");
      Spec<? extends Isp> spec = isp();
      bench = Bench.open();
      isp = bench.start(spec);
      server =
          bench.start(
              EthernetHost.on(WORLD)
                  .name("server")
                  .address("10.0.2.2/24")
                  .gateway(isp.worldAddress().getHostAddress())
                  .spec());
      client = PppdClient.start(Architecture.MIPSEL, bench.segments());
    }

    @AfterAll
    void end() {
      if (client != null) {
        client.close();
      }
      if (bench != null) {
        bench.close();
      }
    }

    @AfterEach
    void hangUp() {
      if (dialled) {
        dialled = false;
        client.hangUp();
      }
      isp.sessions().forEach(session -> session.awaitEnd(PATIENCE));
    }

    private IspSession dial(String mode) {
      assertThat(client.dial(mode, USER, SECRET)).as(client.log()).isEqualTo("up");
      dialled = true;
      return isp.awaitSession(PATIENCE);
    }

    @Test
    void givesAClientAnAddressAndNameServers() {
      IspSession session = dial(KERNEL_MODE);
      assertThat(isp.accounts()).containsEntry(session.user(), SECRET);
      assertThat(session.peer()).isEqualTo(client.mac());
      assertThat(isp.sessions()).hasSize(1);
      assertThat(client.run("ip address show dev ppp0"))
          .contains(
              "inet %s peer %s/32"
                  .formatted(
                      session.address().getHostAddress(), isp.localAddress().getHostAddress()))
          .contains("mtu 1492");
      assertThat(client.run("cat /etc/ppp/resolv.conf")).contains("nameserver 10.0.2.53");
    }

    @Test
    void carriesPacketsBothWaysAndLongOnesInFragments() {
      IspSession session = dial(KERNEL_MODE);
      assertThat(server.ping(session.address(), PATIENCE).ttl()).isEqualTo(63);
      for (String ping :
          new String[] {
            "10.0.2.2", "-s 1464 10.0.2.2", "-s 4000 10.0.2.2", isp.localAddress().getHostAddress()
          }) {
        assertThat(client.result("ping -c 1 -w 60 " + ping).status()).as(ping).isZero();
      }
    }

    @Test
    void refusesAWrongSecretAndAnUnknownUser() {
      assertThat(client.dial(KERNEL_MODE, USER, "wrong")).isEqualTo("ended 19"); // authentication
      String pap = KERNEL_MODE + "refuse-chap refuse-mschap-v2 ";
      assertThat(client.dial(pap, USER, "wrong")).isEqualTo("ended 19");
      assertThat(client.dial(KERNEL_MODE, "mallory", SECRET)).isEqualTo("ended 19");
      assertThat(isp.sessions()).isEmpty();
    }

    @Test
    void authenticatesWithPap() {
      dial(KERNEL_MODE + "refuse-chap refuse-mschap-v2 ");
      assertThat(client.log()).contains("PAP authentication succeeded");
    }

    @Test
    void terminatesASessionAndIsDialledAgain() {
      IspSession first = dial(KERNEL_MODE);
      first.terminate();
      first.awaitEnd(PATIENCE);
      assertThat(client.awaitEnd()).startsWith("ended");
      dialled = false;
      assertThat(client.log()).containsAnyOf("rcvd [LCP TermReq", "Modem hangup"); // or a PADT
      assertThat(isp.sessions()).isEmpty();
      IspSession second = dial(KERNEL_MODE);
      assertThat(second.id()).isNotEqualTo(first.id());
      assertThat(first.isOpen()).isFalse();
      server.ping(second.address(), PATIENCE);
    }

    /** The kernel's client ends with a Terminate-Request, the other one with a PADT. */
    @Test
    void noticesThatAClientHangsUp() {
      for (String mode : new String[] {KERNEL_MODE, USER_MODE}) {
        IspSession session = dial(mode);
        client.hangUp();
        dialled = false;
        session.awaitEnd(PATIENCE);
        assertThat(isp.sessions()).as(mode).isEmpty();
      }
    }

    @Test
    void noticesThatAClientHasDisappeared() {
      IspSession session = dial(KERNEL_MODE);
      client.vm().link(ACCESS).down();
      try {
        session.awaitEnd(PATIENCE);
        assertThat(isp.sessions()).isEmpty();
      } finally {
        client.vm().link(ACCESS).up();
      }
    }
  }
}
