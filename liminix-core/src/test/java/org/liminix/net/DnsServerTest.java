package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.net.internal.DnsMessage;
import org.liminix.process.WaitTimeoutException;

/** What no resolver asks, in messages made by hand; dig and others are in the integration tests. */
class DnsServerTest {
  private static final Duration LONG = Duration.ofSeconds(10);
  private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

  private final EventLoop loop = EventLoop.start("dns");
  private final UdpHost machine = UdpHost.at(LOOPBACK, loop);

  @AfterEach
  void close() {
    loop.close();
  }

  private static DnsMessage ask(DnsServer dns, ByteBuffer question) throws IOException {
    try (DatagramSocket socket = new DatagramSocket(0, LOOPBACK)) {
      socket.setSoTimeout(10_000);
      byte[] bytes = new byte[question.remaining()];
      question.get(bytes);
      socket.send(new DatagramPacket(bytes, bytes.length, dns.address()));
      DatagramPacket answer = new DatagramPacket(new byte[65_535], 65_535);
      socket.receive(answer);
      return DnsMessage.parse(ByteBuffer.wrap(answer.getData(), 0, answer.getLength()))
          .orElseThrow();
    }
  }

  private static ByteBuffer question(
      int flags, String name, int type, int klass, DnsMessage.Resource... additional) {
    return new DnsMessage(
            4711,
            flags,
            List.of(new DnsMessage.Question(name, type, klass)),
            List.of(),
            List.of(),
            List.of(additional))
        .encode(512)
        .orElseThrow();
  }

  private static DnsMessage ask(DnsServer dns, String name, int type) throws IOException {
    return ask(dns, question(DnsMessage.RECURSION_DESIRED, name, type, DnsMessage.IN));
  }

  private static DnsMessage.Resource opt(int size, int versionAndFlags) {
    return new DnsMessage.Resource(
        "", DnsMessage.OPT, size, versionAndFlags, new byte[] {0, 10, 0, 0});
  }

  private static int code(DnsMessage answer) {
    return answer.flags() & 0xf;
  }

  @Test
  void keepsTheCaseInWhichItWasAsked() throws IOException {
    try (DnsServer dns =
        DnsServer.on(machine).port(0).address("www.Example.org", "10.0.2.2").start()) {
      DnsMessage answer = ask(dns, "wWw.eXAMPLE.oRG", DnsRecord.A);
      assertThat(answer.id()).isEqualTo(4711);
      assertThat(answer.flags()).isEqualTo(0x8580);
      assertThat(answer.questions().get(0).name()).isEqualTo("wWw.eXAMPLE.oRG");
      assertThat(answer.answers())
          .singleElement()
          .satisfies(record -> assertThat(record.name()).isEqualTo("wWw.eXAMPLE.oRG"))
          .satisfies(record -> assertThat(record.ttl()).isEqualTo(60))
          .satisfies(record -> assertThat(record.data()).containsExactly(10, 0, 2, 2));
      DnsQuery query = dns.awaitQuery("www.example.org.", LONG);
      assertThat(query.question()).hasToString("wWw.eXAMPLE.oRG A");
      assertThat(query.answer()).hasToString("[A 10.0.2.2]");
      assertThat(query.client().getAddress()).isEqualTo(LOOPBACK);
    }
  }

  @Test
  void tellsWhatIsNotThereFromWhatHasNoSuchRecord() throws IOException {
    try (DnsServer dns =
        DnsServer.on(machine)
            .port(0)
            .zone("example.org")
            .ttl(Duration.ofSeconds(7))
            .address("a.b.example.org", "10.0.2.2")
            .address("*.lab.example.org", "10.0.2.9")
            .record("host.lab.example.org", DnsRecord.text("here"))
            .start()) {
      DnsMessage none = ask(dns, "nobody.example.org", DnsRecord.A);
      assertThat(code(none)).isEqualTo(3);
      assertThat(none.authorities())
          .singleElement()
          .satisfies(soa -> assertThat(soa.name()).isEqualTo("example.org"))
          .satisfies(soa -> assertThat(soa.type()).isEqualTo(DnsRecord.SOA))
          .satisfies(soa -> assertThat(ByteBuffer.wrap(soa.data()).getInt(18)).isEqualTo(7));
      for (String name :
          new String[] {"a.b.example.org", "b.example.org", "host.lab.example.org"}) {
        DnsMessage empty = ask(dns, name, DnsRecord.AAAA);
        assertThat(code(empty)).as(name).isZero();
        assertThat(empty.answers()).as(name).isEmpty();
        assertThat(empty.authorities()).as(name).hasSize(1);
      }
      assertThat(ask(dns, "x.y.lab.example.org", DnsRecord.A).answers()).hasSize(1);
      // RFC 4592: a name that is there hides the wildcard, for what is below it, too.
      assertThat(ask(dns, "host.lab.example.org", DnsRecord.A).answers()).isEmpty();
      assertThat(code(ask(dns, "x.host.lab.example.org", DnsRecord.A))).isEqualTo(3);
      assertThat(code(ask(dns, "example.com", DnsRecord.A))).isEqualTo(5);
      assertThat(code(ask(dns, "badexample.org", DnsRecord.A))).isEqualTo(5);
    }
  }

  @Test
  void followsAliasesButNotForEver() throws IOException {
    try (DnsServer dns =
        DnsServer.on(machine)
            .port(0)
            .alias("one.example", "two.example")
            .alias("two.example", "three.example")
            .address("three.example", "10.0.0.3", "fd00::3")
            .alias("chicken.example", "egg.example")
            .alias("egg.example", "chicken.example")
            .start()) {
      DnsMessage answer = ask(dns, "one.example", DnsRecord.AAAA);
      assertThat(answer.answers())
          .extracting(DnsMessage.Resource::name)
          .containsExactly("one.example", "two.example", "three.example");
      assertThat(ask(dns, "one.example", DnsRecord.CNAME).answers()).hasSize(1);
      assertThat(ask(dns, "one.example", DnsRecord.ANY).answers()).hasSize(1);
      assertThat(ask(dns, "three.example", DnsRecord.ANY).answers()).hasSize(2);
      assertThat(ask(dns, "egg.example", DnsRecord.A).answers()).hasSize(16);
    }
  }

  @Test
  void namesTheAddressesItKnows() throws IOException {
    try (DnsServer dns =
        DnsServer.on(machine)
            .port(0)
            .address("first.example", "10.0.0.3", "fd00::a3")
            .address("second.example", "10.0.0.3")
            .start()) {
      assertThat(ask(dns, "3.0.0.10.in-addr.arpa", DnsRecord.PTR).answers().get(0).data())
          .asString()
          .isEqualTo("\5first\7example\0");
      String nibbles = "3.a" + ".0".repeat(26) + ".0.0.d.f.ip6.arpa";
      assertThat(ask(dns, nibbles, DnsRecord.PTR).answers()).hasSize(1);
    }
  }

  @Test
  void marksWhatIsTooLongAsTruncatedUnlessTheClientTakesMore() throws IOException {
    String[] more = new String[39];
    for (int i = 0; i < more.length; i++) {
      more[i] = "10.0.1." + i;
    }
    try (DnsServer dns =
        DnsServer.on(machine).port(0).address("many.example", "10.0.0.1", more).start()) {
      DnsMessage cut = ask(dns, "many.example", DnsRecord.A);
      assertThat(cut.flags() & DnsMessage.TRUNCATED).isNotZero();
      assertThat(cut.answers()).isEmpty();
      ByteBuffer roomy = question(0, "many.example", DnsRecord.A, DnsMessage.IN, opt(1232, 0));
      DnsMessage whole = ask(dns, roomy);
      assertThat(whole.flags() & DnsMessage.TRUNCATED).isZero();
      assertThat(whole.answers()).hasSize(40);
      assertThat(whole.additional())
          .singleElement()
          .satisfies(opt -> assertThat(opt.type()).isEqualTo(DnsMessage.OPT));
      // RFC 6891 section 6.2.3: less than 512 means 512.
      ByteBuffer small = question(0, "many.example", DnsRecord.A, DnsMessage.IN, opt(100, 0));
      DnsMessage cutAgain = ask(dns, small);
      assertThat(cutAgain.flags() & DnsMessage.TRUNCATED).isNotZero();
      assertThat(cutAgain.additional()).hasSize(1);
    }
  }

  @Test
  void saysWhatItDoesNotUnderstand() throws IOException {
    try (DnsServer dns = DnsServer.on(machine).port(0).address("a.example", "10.0.0.1").start()) {
      assertThat(code(ask(dns, question(0x2000, "a.example", DnsRecord.A, 1)))).isEqualTo(4);
      assertThat(code(ask(dns, question(0, "a.example", DnsRecord.A, 3)))).isEqualTo(5);
      DnsMessage version = ask(dns, question(0, "a.example", DnsRecord.A, 1, opt(1232, 1 << 16)));
      assertThat(code(version)).isZero();
      assertThat(version.additional().get(0).ttl() >>> 24).isEqualTo(1); // of BADVERS, 16
      assertThat(code(ask(dns, question(0, "a.example", DnsRecord.A, 1, opt(512, 0), opt(512, 0)))))
          .isEqualTo(1);
      ByteBuffer loop = question(0, "a.example", DnsRecord.A, 1);
      loop.putShort(12, (short) 0xc00c); // a name that begins with itself
      assertThat(code(ask(dns, loop))).isEqualTo(1);
      assertThat(code(ask(dns, question(0, "a.example", DnsRecord.A, 1).limit(20)))).isEqualTo(1);
      assertThat(dns.queries()).isEmpty();
    }
  }

  @Test
  void answersWhatAFunctionMakesOfAQuestion() throws IOException {
    try (DnsServer dns =
        DnsServer.on(machine)
            .port(0)
            .address("known.example", "10.0.0.1")
            .answer(
                question ->
                    switch (question.name()) {
                      case "refused.example" -> Optional.of(DnsAnswer.refused());
                      case "broken.example" -> Optional.of(DnsAnswer.serverFailure());
                      case "gone.example" -> Optional.of(DnsAnswer.noSuchName());
                      case "bare.example" -> Optional.of(DnsAnswer.noData());
                      case "long.example" -> Optional.of(DnsAnswer.truncated());
                      case "silent.example" -> Optional.of(DnsAnswer.silence());
                      case "two.example" -> Optional.of(DnsAnswer.address("10.0.0.7", "fd00::7"));
                      case "bug.example" -> throw new IllegalStateException("on purpose");
                      default -> Optional.empty();
                    })
            .start()) {
      assertThat(code(ask(dns, "refused.example", DnsRecord.A))).isEqualTo(5);
      assertThat(code(ask(dns, "broken.example", DnsRecord.A))).isEqualTo(2);
      assertThat(code(ask(dns, "bug.example", DnsRecord.A))).isEqualTo(2);
      assertThat(code(ask(dns, "gone.example", DnsRecord.A))).isEqualTo(3);
      assertThat(code(ask(dns, "bare.example", DnsRecord.A))).isZero();
      assertThat(ask(dns, "long.example", DnsRecord.A).flags() & DnsMessage.TRUNCATED).isNotZero();
      assertThat(ask(dns, "two.example", DnsRecord.AAAA).answers()).hasSize(1);
      assertThat(ask(dns, "known.example", DnsRecord.A).answers()).hasSize(1);
      try (DatagramSocket socket = new DatagramSocket(0, LOOPBACK)) {
        byte[] bytes = new byte[100];
        ByteBuffer silent = question(0, "silent.example", DnsRecord.A, 1);
        silent.get(bytes, 0, silent.limit());
        socket.send(new DatagramPacket(bytes, silent.limit(), dns.address()));
        assertThat(dns.awaitQuery("silent.example", LONG).answer()).hasToString("silence");
        assertThat(ask(dns, "known.example", DnsRecord.A).answers()).hasSize(1);
        socket.setSoTimeout(1);
        assertThatThrownBy(() -> socket.receive(new DatagramPacket(bytes, 100)))
            .isInstanceOf(java.net.SocketTimeoutException.class);
      }
    }
  }

  @Test
  void livesOnAHostOfASegment() {
    try (Segments segments = Segments.isolated()) {
      EthernetHost host = EthernetHost.on(LAN).address("10.0.0.53/24").start(segments);
      EthernetHost pc = EthernetHost.on(LAN).address("10.0.0.1/24").start(segments);
      try (DnsServer dns = DnsServer.on(host).address("pc.lan", "10.0.0.1").start();
          FrameLog log = segments.get(LAN).log()) {
        assertThat(dns.address().getPort()).isEqualTo(53);
        pc.bind(0, (payload, source, port) -> {})
            .send(question(0, "pc.lan", DnsRecord.A, DnsMessage.IN), dns.address());
        dns.awaitQuery(query -> query.question().type() == DnsRecord.A, LONG);
        Frame answer = log.await(f -> f.dns().filter(Frame.Dns::response).isPresent(), LONG);
        assertThat(answer.dns().orElseThrow().name()).isEqualTo("pc.lan");
        assertThatThrownBy(() -> dns.awaitQuery("nobody.lan", Duration.ofMillis(20)))
            .isInstanceOf(WaitTimeoutException.class)
            .hasMessageContainingAll("nobody.lan", "pc.lan A");
      }
    }
  }

  @Test
  void refusesWhatIsNoName() {
    DnsServerBuilder builder = DnsServer.on(machine).port(0).alias("one.example", "two.example");
    assertThatIllegalStateException()
        .isThrownBy(() -> builder.address("ONE.example", "10.0.0.1"))
        .withMessageContaining("an alias and have records");
    assertThatIllegalStateException().isThrownBy(() -> builder.port(1));
    for (String bad : new String[] {"a..b", ".a", "x".repeat(64), "a.".repeat(128)}) {
      assertThatIllegalArgumentException()
          .as(bad)
          .isThrownBy(() -> builder.address(bad, "10.0.0.1"))
          .withMessageContaining("is no domain name");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.address("a", "10.0.0.256"))
        .withMessageContaining("10.0.0.256");
    assertThatIllegalArgumentException().isThrownBy(() -> DnsRecord.text("x".repeat(256)));
  }
}
