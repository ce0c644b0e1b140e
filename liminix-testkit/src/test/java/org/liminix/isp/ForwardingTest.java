package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.isp.FakeClient.Heard;
import org.liminix.net.Segments;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;

/** Packets that are too long on either side (RFC 1191), and what evidence says of an ISP. */
class ForwardingTest {
  private static final int SERVER = Ipv4.parse("10.0.2.2");
  private static final int DONT_FRAGMENT = 0x4000;

  private final Segments segments = Segments.isolated();
  private final FakeClient client = new FakeClient(segments);
  private final BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().start(segments);

  @AfterEach
  void close() {
    segments.close();
  }

  private static ByteBuffer packet(int from, int to, int length, int flags) {
    ByteBuffer packet = ByteBuffer.allocate(length);
    Ipv4.putHeader(packet, from, to, Ipv4.UDP, 1, length - Ipv4.HEADER);
    packet.clear().putShort(6, (short) flags);
    Ipv4.setTtl(packet, 64); // and the checksum
    return packet;
  }

  private static void assertTooLong(ByteBuffer error, int mtu) {
    assertThat(error.get(20)).isEqualTo((byte) Icmp.UNREACHABLE);
    assertThat(error.get(21)).isEqualTo((byte) Icmp.FRAGMENTATION_NEEDED);
    assertThat(error.getShort(26)).isEqualTo((short) mtu);
    assertThat(Ipv4.toString(Ipv4.source(error))).isEqualTo("192.168.100.1");
  }

  @Test
  void saysThatAPacketIsTooLongForTheWorld() throws Exception {
    int address = client.dial();
    client.send(Ppp.IPV4, packet(address, SERVER, 1501, DONT_FRAGMENT));
    assertTooLong(client.next(Ppp.IPV4, 0).ppp(), 1500);
  }

  @Test
  void saysThatAPacketIsTooLongForAClientOrCutsIt() throws Exception {
    FakeClient small = new FakeClient(segments);
    small.connect();
    Heard request = small.next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    small.send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1, PppOption.ofShort(Lcp.MRU, 1000));
    small.acknowledge(request);
    small.respond("db123@a.1", "NotReallyTheSecret");
    small.next(Ppp.CHAP, 3);
    int to = small.openIpcp();
    int from = client.dial();
    client.send(Ppp.IPV4, packet(from, to, 1001, DONT_FRAGMENT));
    assertTooLong(client.next(Ppp.IPV4, 0).ppp(), 1000);
    assertThat(small.peek()).isNull();
    client.send(Ppp.IPV4, packet(from, to, 1000, DONT_FRAGMENT));
    assertThat(small.next(Ppp.IPV4, 0).ppp().remaining()).isEqualTo(1000);
    client.send(Ppp.IPV4, packet(from, to, 1001, 0));
    assertThat(small.next(Ppp.IPV4, 0).ppp().remaining()).isEqualTo(996);
    assertThat(small.next(Ppp.IPV4, 0).ppp().remaining()).isEqualTo(25);
  }

  @Test
  void saysInItsEvidenceThatItMisbehaves() {
    assertThat(isp.summary()).doesNotContain("IspFaults");
    isp.misbehave(IspFaults.none().hangUp(Duration.ofDays(1)));
    assertThat(isp.summary()).contains("IspFaults[hangs up after PT24H]");
    isp.misbehave(IspFaults.none());
    assertThat(isp.summary()).doesNotContain("IspFaults");
  }
}
