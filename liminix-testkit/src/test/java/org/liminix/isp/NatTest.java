package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.net.EthernetHost;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.internal.Checksum;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;

/** RFC 3022, RFC 4787, RFC 5382 and RFC 5508. */
class NatTest {
  private static final int OUTSIDE = Ipv4.parse("10.0.2.1");
  private static final int SERVER = Ipv4.parse("10.0.2.2");
  private static final int INSIDE = Ipv4.parse("192.168.100.10");
  private static final int NEIGHBOUR = Ipv4.parse("192.168.100.11");
  private static final int TCP = 6;
  private static final int SYN = 0x02;
  private static final int ACK = 0x10;
  private static final int FIN = 0x01;

  private final AtomicLong now = new AtomicLong();
  private final Nat nat = new Nat(OUTSIDE, now::get);
  private final Segments segments = Segments.isolated();

  @AfterEach
  void close() {
    segments.close();
  }

  private void pass(Duration time) {
    now.addAndGet(time.toNanos());
  }

  private static ByteBuffer udp(int from, int fromPort, int to, int toPort, int length) {
    ByteBuffer packet = ByteBuffer.allocate(Ipv4.HEADER + 8 + length);
    Ipv4.putHeader(packet, from, to, Ipv4.UDP, 1, 8 + length);
    packet.putShort((short) fromPort).putShort((short) toPort).putShort((short) (8 + length));
    for (int i = 0; i < length; i++) {
      packet.put(28 + i, (byte) i);
    }
    packet.clear();
    return sealed(packet);
  }

  private static ByteBuffer tcp(int from, int fromPort, int to, int toPort, int flags) {
    ByteBuffer packet = ByteBuffer.allocate(Ipv4.HEADER + 20);
    Ipv4.putHeader(packet, from, to, TCP, 1, 20);
    packet.putShort((short) fromPort).putShort((short) toPort);
    packet.put(32, (byte) 0x50).put(33, (byte) flags);
    packet.clear();
    return sealed(packet);
  }

  private static int checksumAt(ByteBuffer packet) {
    return packet.get(9) == TCP ? 36 : 26;
  }

  private static ByteBuffer sealed(ByteBuffer packet) {
    packet.putShort(checksumAt(packet), (short) 0);
    int checksum = transportChecksum(packet);
    return packet.putShort(checksumAt(packet), (short) (checksum == 0 ? 0xffff : checksum));
  }

  private static int transportChecksum(ByteBuffer packet) {
    return Checksum.withPseudoHeader(
        packet, 20, packet.limit(), packet.getInt(12), packet.getInt(16), packet.get(9));
  }

  private static ByteBuffer echo(int type, int from, int to, int identifier) {
    ByteBuffer packet = ByteBuffer.allocate(Ipv4.HEADER + Icmp.HEADER);
    Ipv4.putHeader(packet, from, to, Ipv4.ICMP, 1, Icmp.HEADER);
    Icmp.putEcho(packet, type, identifier, 1, ByteBuffer.allocate(0));
    return packet.clear();
  }

  /** Says what it carries, having checked every checksum. */
  private static String read(ByteBuffer packet) {
    ByteBuffer ip = packet.duplicate();
    assertThat(Ipv4.accept(ip)).isTrue();
    boolean isIcmp = packet.get(9) == Ipv4.ICMP;
    if (isIcmp) {
      assertThat(Icmp.isMessage(packet)).isTrue();
    } else {
      assertThat(transportChecksum(packet)).isZero();
    }
    return text(packet.getInt(12), isIcmp ? packet.getShort(24) : packet.getShort(20))
        + " > "
        + text(packet.getInt(16), isIcmp ? packet.getShort(24) : packet.getShort(22));
  }

  private static String text(int address, int port) {
    return Ipv4.toString(address) + ":" + (port & 0xffff);
  }

  private String out(ByteBuffer packet) {
    assertThat(nat.outbound(packet)).isTrue();
    return read(packet);
  }

  private String in(ByteBuffer packet) {
    return nat.inbound(packet) ? read(packet) : "nobody's";
  }

  @Test
  void givesPacketsItsAddressAndAnswersTheirDestination() {
    assertThat(out(udp(INSIDE, 5000, SERVER, 53, 11))).isEqualTo("10.0.2.1:5000 > 10.0.2.2:53");
    assertThat(in(udp(SERVER, 53, OUTSIDE, 5000, 12)))
        .isEqualTo("10.0.2.2:53 > 192.168.100.10:5000");
    assertThat(out(tcp(INSIDE, 5000, SERVER, 80, SYN))).isEqualTo("10.0.2.1:5000 > 10.0.2.2:80");
    assertThat(in(tcp(SERVER, 80, OUTSIDE, 5000, SYN | ACK)))
        .isEqualTo("10.0.2.2:80 > 192.168.100.10:5000");
    assertThat(out(echo(Icmp.ECHO_REQUEST, INSIDE, SERVER, 77)))
        .isEqualTo("10.0.2.1:77 > 10.0.2.2:77");
    assertThat(in(echo(Icmp.ECHO_REPLY, SERVER, OUTSIDE, 77)))
        .isEqualTo("10.0.2.2:77 > 192.168.100.10:77");
  }

  @Test
  void leavesADatagramWithoutAChecksumWithoutOne() {
    ByteBuffer packet = udp(INSIDE, 5000, SERVER, 53, 11).putShort(26, (short) 0);
    assertThat(nat.outbound(packet)).isTrue();
    assertThat(packet.getShort(26)).isZero();
  }

  @Test
  void choosesAnotherPortOfTheSameParityAndRangeWhereItsOwnIsTaken() {
    out(udp(INSIDE, 5000, SERVER, 53, 1));
    assertThat(out(udp(NEIGHBOUR, 5000, SERVER, 53, 1))).startsWith("10.0.2.1:1024 >");
    out(udp(INSIDE, 500, SERVER, 500, 1));
    assertThat(out(udp(NEIGHBOUR, 500, SERVER, 500, 1))).startsWith("10.0.2.1:2 >");
    out(udp(INSIDE, 65535, SERVER, 53, 1));
    assertThat(out(udp(NEIGHBOUR, 65535, SERVER, 53, 1))).startsWith("10.0.2.1:1025 >");
    assertThat(in(udp(SERVER, 53, OUTSIDE, 5000, 1))).endsWith("192.168.100.10:5000");
    assertThat(in(udp(SERVER, 53, OUTSIDE, 1024, 1))).endsWith("192.168.100.11:5000");
    // A port of another protocol is another port.
    assertThat(out(tcp(NEIGHBOUR, 5000, SERVER, 80, SYN))).startsWith("10.0.2.1:5000 >");
  }

  @Test
  void keepsAPortWhereverItsHostSendsTo() {
    String first = out(udp(INSIDE, 5000, SERVER, 53, 1));
    String second = out(udp(INSIDE, 5000, Ipv4.parse("10.0.2.3"), 99, 1));
    String port = first.substring(0, first.indexOf(' ') + 1);
    assertThat(second).startsWith(port);
    assertThat(in(udp(Ipv4.parse("10.0.2.4"), 1, OUTSIDE, 5000, 1))).endsWith(".10:5000");
  }

  @Test
  void usesEveryPortBeforeItGivesUp() {
    Set<String> outside = new HashSet<>();
    for (int i = 0; i < 64512; i++) {
      ByteBuffer packet = udp(0x0a640000 + i, 4444, SERVER, 53, 0);
      assertThat(nat.outbound(packet)).isTrue();
      outside.add(read(packet));
    }
    assertThat(outside).hasSize(64512);
    assertThat(nat.outbound(udp(INSIDE, 4444, SERVER, 53, 0))).isFalse();
    pass(Duration.ofMinutes(6));
    assertThat(out(udp(INSIDE, 4444, SERVER, 53, 0))).startsWith("10.0.2.1:4444 >");
  }

  @Test
  void forgetsWhatIsOverAndNothingSooner() {
    out(udp(INSIDE, 5000, SERVER, 53, 1));
    out(echo(Icmp.ECHO_REQUEST, INSIDE, SERVER, 7));
    out(tcp(INSIDE, 5001, SERVER, 80, SYN));
    out(tcp(INSIDE, 5003, SERVER, 80, SYN));
    in(tcp(SERVER, 80, OUTSIDE, 5003, SYN | ACK));
    out(tcp(INSIDE, 5005, SERVER, 80, SYN));
    in(tcp(SERVER, 80, OUTSIDE, 5005, SYN | ACK));
    in(tcp(SERVER, 80, OUTSIDE, 5005, FIN | ACK));
    out(tcp(INSIDE, 5005, SERVER, 80, ACK));
    pass(Duration.ofSeconds(59));
    assertThat(in(echo(Icmp.ECHO_REPLY, SERVER, OUTSIDE, 7))).endsWith(".10:7");
    pass(Duration.ofSeconds(61));
    assertThat(in(echo(Icmp.ECHO_REPLY, SERVER, OUTSIDE, 7))).isEqualTo("nobody's");
    assertThat(in(udp(SERVER, 53, OUTSIDE, 5000, 1))).endsWith(".10:5000");
    pass(Duration.ofSeconds(121)); // four minutes
    assertThat(in(tcp(SERVER, 80, OUTSIDE, 5001, SYN | ACK))).isEqualTo("nobody's");
    assertThat(in(tcp(SERVER, 80, OUTSIDE, 5005, ACK))).isEqualTo("nobody's");
    pass(Duration.ofSeconds(181));
    assertThat(in(udp(SERVER, 53, OUTSIDE, 5000, 1))).isEqualTo("nobody's");
    pass(Duration.ofMinutes(110));
    assertThat(in(tcp(SERVER, 80, OUTSIDE, 5003, ACK))).endsWith(".10:5003");
    pass(Duration.ofMinutes(125));
    assertThat(in(tcp(SERVER, 80, OUTSIDE, 5003, ACK))).isEqualTo("nobody's");
  }

  /** RFC 5508 section 4: outside and in the packet that is quoted, both ways. */
  @Test
  void translatesErrorsAndWhatTheyQuote() {
    ByteBuffer sent = udp(INSIDE, 5000, SERVER, 53, 40);
    out(udp(NEIGHBOUR, 5000, SERVER, 53, 1));
    out(sent);
    ByteBuffer error = ByteBuffer.allocate(600);
    Icmp.writeError(error, SERVER, Icmp.UNREACHABLE, Icmp.PORT, 0, sent);
    assertThat(nat.inbound(error)).isTrue();
    assertThat(Ipv4.destination(error)).isEqualTo(INSIDE);
    assertThat(Icmp.isMessage(error)).isTrue();
    assertThat(Ipv4.accept(error.duplicate())).isTrue();
    assertThat(read(quote(error))).isEqualTo("192.168.100.10:5000 > 10.0.2.2:53");

    ByteBuffer received = udp(SERVER, 53, OUTSIDE, 1024, 40);
    assertThat(in(received)).endsWith("192.168.100.10:5000");
    Icmp.writeError(error, INSIDE, Icmp.UNREACHABLE, Icmp.PORT, 0, received);
    assertThat(nat.outbound(error)).isTrue();
    assertThat(Ipv4.source(error)).isEqualTo(OUTSIDE);
    assertThat(Icmp.isMessage(error)).isTrue();
    assertThat(Ipv4.accept(error.duplicate())).isTrue();
    assertThat(read(quote(error))).isEqualTo("10.0.2.2:53 > 10.0.2.1:1024");
  }

  private static ByteBuffer quote(ByteBuffer error) {
    return error.duplicate().position(28).slice();
  }

  @Test
  void translatesAnErrorThatQuotesEightBytes() {
    ByteBuffer sent = tcp(INSIDE, 5000, SERVER, 80, SYN);
    out(sent);
    ByteBuffer error = ByteBuffer.allocate(600);
    Icmp.writeError(error, SERVER, Icmp.TIME_EXCEEDED, 0, 0, sent.duplicate().limit(28));
    assertThat(nat.inbound(error)).isTrue();
    assertThat(Icmp.isMessage(error)).isTrue();
    assertThat(Ipv4.accept(quote(error).putShort(2, (short) 28))).isFalse(); // it said 40
    assertThat(quote(error).getInt(12)).isEqualTo(INSIDE);
  }

  @Test
  void keepsOutWhatNobodyAskedFor() {
    assertThat(in(udp(SERVER, 53, OUTSIDE, 5000, 1))).isEqualTo("nobody's");
    out(echo(Icmp.ECHO_REQUEST, INSIDE, SERVER, 9));
    assertThat(in(echo(Icmp.ECHO_REQUEST, SERVER, OUTSIDE, 9))).isEqualTo("nobody's");
    ByteBuffer error = ByteBuffer.allocate(600);
    Icmp.writeError(
        error, SERVER, Icmp.UNREACHABLE, Icmp.PORT, 0, udp(OUTSIDE, 1234, SERVER, 53, 8));
    assertThat(nat.inbound(error)).isFalse();
  }

  @Test
  void carriesASessionToAHostThatHasNoRouteBack() throws Exception {
    FakeClient client = new FakeClient(segments);
    BorderNetworkGateway.likeLiminix().nat().start(segments);
    EthernetHost server =
        EthernetHost.on(Network.WORLD).address("10.0.2.2/24").start(segments); // no gateway
    int address = client.dial();
    client.ping(address, SERVER, 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("0/0 from 10.0.2.2");
    assertThat(server.receivedPings())
        .extracting(ping -> ping.source().getHostAddress() + " " + ping.ttl())
        .containsExactly("10.0.2.1 63");

    // Pings that need fragments, datagrams both ways, and errors of both sides.
    client.ping(address, SERVER, 64, 1400);
    assertThat(client.nextIcmp()).isEqualTo("0/0 from 10.0.2.2");
    BlockingQueue<InetSocketAddress> sources = new LinkedBlockingQueue<>();
    server.bind(
        53,
        (payload, source, endpoint) -> {
          sources.add(source);
          endpoint.send(ByteBuffer.wrap("answer".getBytes(StandardCharsets.UTF_8)), source);
        });
    client.send(Ppp.IPV4, udp(address, 5000, SERVER, 53, 10));
    assertThat(sources.poll(10, TimeUnit.SECONDS))
        .isEqualTo(new InetSocketAddress("10.0.2.1", 5000));
    ByteBuffer answer = client.next(Ppp.IPV4, 0).ppp();
    assertThat(read(answer)).isEqualTo("10.0.2.2:53 > 192.168.100.10:5000");
    assertThat(Ipv4.ttl(answer)).isEqualTo(63);
    client.send(Ppp.IPV4, udp(address, 5000, SERVER, 54, 10));
    assertThat(client.nextIcmp()).isEqualTo("3/3 from 10.0.2.2");
    client.send(Ppp.IPV4, udp(address, 5000, Ipv4.parse("10.0.2.99"), 54, 10));
    assertThat(client.nextIcmp()).isEqualTo("3/1 from 192.168.100.1");
    client.send(Ppp.IPV4, udp(address, 5000, Ipv4.parse("8.8.8.8"), 54, 10));
    assertThat(client.nextIcmp()).isEqualTo("3/0 from 192.168.100.1");
    client.ping(address, SERVER, 1, 8);
    assertThat(client.nextIcmp()).isEqualTo("11/0 from 192.168.100.1");
    // and the ISP itself is still there
    assertThat(server.ping("10.0.2.1", Duration.ofSeconds(10)).roundTrip()).isPositive();
  }

  @Test
  void carriesDatagramsThatComeInPieces() throws Exception {
    FakeClient client = new FakeClient(segments);
    BorderNetworkGateway.likeLiminix().nat().start(segments);
    EthernetHost server = EthernetHost.on(Network.WORLD).address("10.0.2.2/24").start(segments);
    int address = client.dial();
    BlockingQueue<Integer> lengths = new LinkedBlockingQueue<>();
    server.bind(
        53,
        (payload, source, endpoint) -> {
          lengths.add(payload.remaining());
          endpoint.send(payload, source);
        });
    ByteBuffer scratch = ByteBuffer.allocate(1500);
    Ipv4.fragment(
        udp(address, 5000, SERVER, 53, 4000),
        1492,
        scratch,
        part -> client.send(Ppp.IPV4, ByteBuffer.allocate(1500).put(part.duplicate()).flip()));
    assertThat(lengths.poll(10, TimeUnit.SECONDS)).isEqualTo(4000);
    int received = 0;
    while (received < 4008) {
      ByteBuffer part = client.next(Ppp.IPV4, 0).ppp();
      assertThat(Ipv4.destination(part)).isEqualTo(address);
      received += part.remaining() - Ipv4.HEADER;
    }
  }

  @Test
  void hidesTheAddressesOfSessions() throws Exception {
    FakeClient client = new FakeClient(segments);
    BorderNetworkGateway.likeLiminix().nat().start(segments);
    EthernetHost server =
        EthernetHost.on(Network.WORLD).address("10.0.2.2/24").gateway("10.0.2.1").start(segments);
    int address = client.dial();
    segments.loop().call(client::forget);
    assertThatThrownBy(() -> server.ping(Ipv4.toString(address), Duration.ofSeconds(5)))
        .hasMessageContaining("unreachable");
    assertThat(client.hasIpv4()).isFalse();
  }
}
