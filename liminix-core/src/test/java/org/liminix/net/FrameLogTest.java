package org.liminix.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.liminix.net.Frames.frame;
import static org.liminix.net.Network.LAN;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HexFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.process.WaitTimeoutException;

class FrameLogTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final MacAddress A = MacAddress.parse("02:00:00:00:00:0a");
  private static final MacAddress B = MacAddress.parse("02:00:00:00:00:0b");

  /** From b to a. */
  private static final String ETHERNET = "02000000000a 02000000000b ";

  private final Segments segments = Segments.isolated();
  private final Segment lan = segments.get(LAN);

  @AfterEach
  void close() {
    segments.close();
  }

  private static Frame parsed(String hex) {
    return Frame.of(
        "b", "", ByteBuffer.wrap(HexFormat.of().parseHex((ETHERNET + hex).replace(" ", ""))));
  }

  @Test
  void waitsForAFrameAndTellsAfterwardsWhatPassed() {
    try (FrameLog log = lan.log()) {
      EthernetHost ann = EthernetHost.on(LAN).name("ann").address("10.0.0.1/24").start(segments);
      EthernetHost.on(LAN).name("bob").address("10.0.0.2/24").start(segments);
      ann.ping("10.0.0.2", PATIENCE);

      Frame question =
          log.await(
              frame ->
                  frame.sender().equals("ann")
                      && frame
                          .arp()
                          .filter(arp -> arp.targetAddress().getHostAddress().equals("10.0.0.2"))
                          .isPresent(),
              PATIENCE);
      assertThat(question.destination()).isEqualTo(MacAddress.BROADCAST);
      assertThat(question.arp().orElseThrow().operation()).isEqualTo(1);
      assertThat(question.toString()).contains("ann", "ARP who has 10.0.0.2");

      Frame reply =
          log.await(frame -> frame.icmp().filter(i -> i.type() == 0).isPresent(), PATIENCE);
      assertThat(reply.ip().orElseThrow().source().getHostAddress()).isEqualTo("10.0.0.2");
      assertThat(reply.destination()).isEqualTo(question.source());
      assertThat(log.frames(frame -> frame.icmp().isPresent() && frame.etherType() == 0x0800))
          .hasSize(2);
      assertThat(log.frames(frame -> frame.tcp().isPresent())).isEmpty();
    }
  }

  @Test
  void saysWhatPassedInsteadOfWhatIsAwaited() {
    try (FrameLog log = lan.log()) {
      lan.inject(frame(B, A, "hello"));
      assertThatThrownBy(() -> log.await(frame -> frame.udp().isPresent(), Duration.ofMillis(50)))
          .isInstanceOf(WaitTimeoutException.class)
          .hasMessageContainingAll("No such frame on lan within 50 ms", "injected", "0x88b5");
    }
  }

  @Test
  void holdsWhatWasLostAndSaysSo() throws InterruptedException {
    Frames heard = new Frames();
    lan.attach("b", heard);
    lan.cable("b").impair(Impairment.none().mtu(10));
    try (FrameLog log = lan.log()) {
      lan.inject(frame(B, A, "a long text"));
      lan.inject(frame(B, A, "a short"));
      assertThat(heard.next()).isEqualTo("a short");
      assertThat(log.frames())
          .extracting(Frame::note)
          .containsExactly("to b: lost: 11 bytes, more than 10", "");
      log.close();
      lan.inject(frame(B, A, "unseen"));
      assertThat(heard.next()).isEqualTo("unseen");
      assertThat(log.frames()).hasSize(2);
    }
  }

  @Test
  void seesIpv6ThroughItsExtensions() {
    Frame frame =
        parsed(
            "86dd 60000000 0010 00 ff fe800000000000000000000000000001 ff020000000000000000000000000002"
                + " 3a00050200000000 85000000 00000000");
    Frame.Ip ip = frame.ip().orElseThrow();
    assertThat(ip.version()).isEqualTo(6);
    assertThat(ip.protocol()).isEqualTo(58);
    assertThat(frame.icmp().orElseThrow().type()).isEqualTo(133);
    assertThat(frame.toString()).contains("ICMP type 133", "fe80:0:0:0:0:0:0:1");
  }

  @Test
  void seesTcpInAPppoeSession() {
    Frame frame =
        parsed(
            "8864 1100 0007 002c 0021 4500002a000040004006 0000 0a000001 0a000002"
                + " 0050 1f90 00000001 ffffffff 5012 ffff 0000 0000 6869");
    assertThat(frame.pppoe().orElseThrow().session()).isEqualTo(7);
    assertThat(frame.ppp().orElseThrow().protocol()).isEqualTo(0x0021);
    Frame.Tcp tcp = frame.tcp().orElseThrow();
    assertThat(tcp.source().getPort()).isEqualTo(80);
    assertThat(tcp.destination().toString()).isEqualTo("/10.0.0.2:8080");
    assertThat(tcp.acknowledgement()).isEqualTo(0xffff_ffffL);
    assertThat(tcp.flags()).isEqualTo(0x12);
    assertThat(tcp.payload().remaining()).isEqualTo(2);
  }

  @Test
  void readsTheNameInAQuestion() {
    Frame frame =
        parsed(
            "0800 45000039000000004011 0000 0a000001 0a000002 c000 0035 0025 0000"
                + " 1234 0100 0001 0000 0000 0000 07 6c696d696e6978 03 6f7267 00 001c 0001");
    assertThat(frame.dns().orElseThrow())
        .isEqualTo(new Frame.Dns(0x1234, false, 0, "liminix.org", 28));
    assertThat(frame.toString()).contains("DNS question for liminix.org");
  }

  @Test
  void readsPppoeDiscovery() {
    Frame frame = parsed("8863 1109 0000 0004 0101 0000 0000 0000");
    assertThat(frame.pppoe().orElseThrow().code()).isEqualTo(0x09);
    assertThat(frame.pppoe().orElseThrow().payload().remaining()).isEqualTo(4);
    assertThat(frame.ppp()).isEmpty();
  }

  @Test
  void seesNothingWhereLengthsDoNotFit() {
    assertThat(parsed("0800 4500ffff 0000").ip()).isEmpty();
    assertThat(parsed("8864 1100 0007 00ff 0021").pppoe()).isEmpty();
    assertThat(parsed("86dd 60000000 0008 00 ff " + "00".repeat(32) + " 3aff000000000000").ip())
        .isEmpty();
    assertThat(parsed("0806").arp()).isEmpty();
  }

  @Test
  void takesAnyBytes() {
    SplittableRandom random = new SplittableRandom(1);
    String[] beginnings = {
      "0800 45000040 00000000 4011",
      "0800 45000040 00000000 4006",
      "86dd 60000000 0030 2c40",
      "8864 1100 0001 0040 0021",
      "8863 1109",
      "0806 0001 0800 0604",
      "0800 46"
    };
    for (int i = 0; i < 100_000; i++) {
      byte[] junk = new byte[random.nextInt(120)];
      random.nextBytes(junk);
      Frame frame = parsed(beginnings[i % beginnings.length] + HexFormat.of().formatHex(junk));
      assertThat(frame.toString()).isNotEmpty();
      frame.dhcp();
      frame.dns();
      frame.tcp();
    }
  }
}
