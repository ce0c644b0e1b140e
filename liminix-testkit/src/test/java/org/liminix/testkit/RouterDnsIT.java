package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.isp.BorderNetworkGateway;
import org.liminix.isp.PppSession;
import org.liminix.net.DnsRecord;
import org.liminix.net.DnsServer;
import org.liminix.net.EthernetHost;
import org.liminix.net.internal.DnsMessage;
import org.liminix.process.Deadline;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.Tools;

/** A real router's forwarder between the LAN and a name server in the world. */
@Timeout(400)
class RouterDnsIT {
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final int REFUSED = 5;

  @Test
  void dnsmasqOnAMipsRouterAsksTheServerThatTheIspNames() throws Exception {
    Tools.requireImageBuilding();
    RouterImage image = RouterImage.pppoeRouter(Architecture.MIPSEL).build();
    try (Bench bench = Bench.open()) {
      BorderNetworkGateway isp =
          bench.start(
              BorderNetworkGateway.account("db123@a.1", "NotReallyTheSecret")
                  .dns("10.0.2.53")
                  .spec());
      EthernetHost world =
          bench.start(EthernetHost.on(WORLD).address("10.0.2.53/24").gateway("10.0.2.1").spec());
      Vm router = bench.start(Vm.mipsel().image(image).network(LAN, ACCESS).spec());
      EthernetHost pc = bench.start(EthernetHost.on(LAN).address("192.168.19.77/24").spec());
      try (DnsServer dns =
          DnsServer.on(world)
              .zone("example.org")
              .address("www.example.org", "10.0.2.80", "fd00::80")
              .start()) {
        router.console().expect("router: ready", PATIENCE);
        PppSession session = isp.awaitSession(PATIENCE);

        Deadline deadline = Deadline.after(PATIENCE);
        DnsMessage answer;
        do { // until pppd has told dnsmasq whom to ask
          answer = ask(pc, "192.168.19.1", "WWW.example.ORG", DnsRecord.AAAA);
        } while ((answer.flags() & 0xf) == REFUSED && deadline.remainingNanos() > 0);

        assertThat(answer.flags() & 0xf).isZero();
        assertThat(answer.questions().get(0).name()).isEqualTo("WWW.example.ORG");
        assertThat(answer.answers()).hasSize(1);
        assertThat(answer.answers().get(0).data()).hasSize(16).startsWith(0xfd).endsWith(0x80);
        assertThat(dns.awaitQuery("www.example.org", PATIENCE).client().getAddress())
            .isEqualTo(session.address());
        assertThat(ask(pc, "192.168.19.1", "www.elsewhere.org", DnsRecord.A).flags() & 0xf)
            .isEqualTo(REFUSED);
        assertThat(router.shell().run("nslookup www.example.org 127.0.0.1").output())
            .contains("10.0.2.80");
      }
    }
  }

  /** Asks until there is an answer. */
  private static DnsMessage ask(EthernetHost pc, String server, String name, int type)
      throws InterruptedException {
    BlockingQueue<DnsMessage> answers = new LinkedBlockingQueue<>();
    try (var port =
        pc.bind(0, (payload, source, here) -> DnsMessage.parse(payload).ifPresent(answers::add))) {
      DnsMessage question =
          new DnsMessage(
              1,
              DnsMessage.RECURSION_DESIRED,
              List.of(new DnsMessage.Question(name, type, DnsMessage.IN)),
              List.of(),
              List.of(),
              List.of());
      ByteBuffer datagram = question.encode(512).orElseThrow();
      Deadline deadline = Deadline.after(PATIENCE);
      DnsMessage answer = null;
      while (answer == null && deadline.remainingNanos() > 0) { // as every resolver does
        port.send(datagram.duplicate(), new InetSocketAddress(server, 53));
        answer = answers.poll(2, TimeUnit.SECONDS);
      }
      return Optional.ofNullable(answer).orElseThrow();
    }
  }
}
