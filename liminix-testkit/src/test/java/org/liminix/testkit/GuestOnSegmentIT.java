package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.net.EthernetHost;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.qemu.Vm;

/** A real Linux on both kinds of segment. */
class GuestOnSegmentIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** A group of our own, so that tests may run beside each other and beside a real bench. */
  private final Network net =
      Network.multicast(
          "net",
          new InetSocketAddress(
              "239.7.%d.%d".formatted(random(0, 255), random(1, 255)), random(20_000, 30_000)));

  private static int random(int from, int to) {
    return ThreadLocalRandom.current().nextInt(from, to);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aGuestAndHostsOfTwoProgramsReachEachOther(boolean shared) {
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .modules("virtio_pci", "virtio_net")
            .file(
                "/etc/rc.d/10-net",
                "ip address add 10.0.0.9/24 dev eth0\nip link set dev eth0 up\n")
            .build();
    try (Segments here = shared ? Segments.multicast() : Segments.isolated();
        Segments elsewhere = shared ? Segments.multicast() : null;
        EthernetHost one = EthernetHost.on(net).address("10.0.0.1/24").start(here);
        EthernetHost two =
            EthernetHost.on(net)
                .address("10.0.0.2/24")
                .start(elsewhere == null ? here : elsewhere);
        Vm guest = Vm.mipsel().name("guest").image(image).network(net).spec().start(here)) {
      guest.shell();
      for (EthernetHost host : new EthernetHost[] {one, two}) {
        assertThat(host.ping("10.0.0.9", PATIENCE).ttl()).isEqualTo(64);
        String address = host.address().orElseThrow().getHostAddress();
        assertThat(guest.shell().run("ping -c 3 -i 0.2 -s 9000 -w 20 " + address).output())
            .contains("3 packets received");
        assertThat(host.receivedPings())
            .allSatisfy(ping -> assertThat(ping.source()).hasToString("/10.0.0.9"))
            .isNotEmpty();
      }
    }
  }
}
