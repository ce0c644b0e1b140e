package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.net.MacAddress;
import org.liminix.net.Segments;
import org.liminix.net.internal.DhcpMessage;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Reassembly;

/** What no client sends on purpose. */
class MalformedFramesTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int LOCAL = Ipv4.parse("192.168.100.1");

  private final Segments segments = Segments.isolated();
  private final Random random = new Random(20221);

  @AfterEach
  void close() {
    segments.close();
  }

  /** The frames of a classic pcap file. */
  private static List<ByteBuffer> frames(String name) throws IOException {
    Path file = Path.of("../../shared/captures", name);
    assumeTrue(Files.exists(file), "There are no captures at " + file);
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.position(24);
    List<ByteBuffer> frames = new ArrayList<>();
    while (bytes.hasRemaining()) {
      int length = bytes.getInt(bytes.position() + 8);
      frames.add(bytes.slice(bytes.position() + 16, length));
      bytes.position(bytes.position() + 16 + length);
    }
    assertThat(frames).hasSizeGreaterThan(100);
    return frames;
  }

  private static ByteBuffer copy(ByteBuffer frame, int length) {
    return ByteBuffer.allocate(length).put(frame.duplicate().limit(length)).flip();
  }

  private ByteBuffer junk(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return ByteBuffer.wrap(bytes);
  }

  /** How far a link has come. */
  private enum Phase {
    ESTABLISHING,
    CHAP,
    PAP,
    NETWORK
  }

  /** A link whose exceptions nobody catches and logs. */
  private final class Line implements PppLink.Owner {
    private final PppLink link;
    private @Nullable ByteBuffer request;
    private int forwarded;

    Line(Phase phase) {
      AuthMethod method = phase == Phase.CHAP ? AuthMethod.CHAP_MD5 : AuthMethod.PAP;
      IspSettings settings =
          (IspSettings) BorderNetworkGateway.account("u", "s").authentication(method).spec();
      link = new PppLink(1, MacAddress.random(), Ppp.MAX_MRU, segments.loop(), settings, this);
      link.start();
      if (phase != Phase.ESTABLISHING) {
        agree(Ppp.LCP);
      }
      if (phase == Phase.NETWORK) {
        receive(Ppp.PAP, ByteBuffer.wrap(new byte[] {1, 1, 0, 8, 1, 'u', 1, 's'}));
        agree(Ppp.IPCP);
      }
    }

    private void agree(int protocol) {
      ByteBuffer wishes = request;
      assertThat(wishes).isNotNull();
      receive(
          protocol,
          Ppp.packet(Negotiation.CONFIGURE_ACK, Ppp.identifier(wishes), Ppp.data(wishes)));
      ByteBuffer ours = Ppp.begin(Negotiation.CONFIGURE_REQUEST, 1, 6);
      if (protocol == Ppp.IPCP) {
        PppOption.putAll(
            ours, List.of(PppOption.ofInt(Ipcp.IP_ADDRESS, Ipv4.parse("192.168.100.10"))));
      }
      receive(protocol, Ppp.finish(ours));
    }

    private void receive(int protocol, ByteBuffer packet) {
      ByteBuffer frame = ByteBuffer.allocate(2 + packet.remaining());
      link.received(frame.putShort((short) protocol).put(packet).flip());
    }

    @Override
    public void send(PppLink from, int protocol, ByteBuffer packet) {
      if (Ppp.code(packet) == Negotiation.CONFIGURE_REQUEST
          && (protocol == Ppp.LCP || protocol == Ppp.IPCP)) {
        request = copy(packet, packet.limit());
      }
    }

    @Override
    public Integer allocateAddress(String user) {
      return Ipv4.parse("192.168.100.10");
    }

    @Override
    public boolean takeAddress(int address) {
      return true;
    }

    @Override
    public void releaseAddress(int address) {}

    @Override
    public @Nullable String secretOf(String user) {
      return user.equals("u") ? "s" : null;
    }

    @Override
    public Optional<Refusal> refusalOf(String user) {
      return Optional.empty();
    }

    @Override
    public Account.Terms terms(String user) {
      return Account.of("u", "s").terms;
    }

    @Override
    public void opened(PppLink opened, PppSession session) {}

    @Override
    public void closed(PppLink closed, PppSession session) {}

    @Override
    public void ended(PppLink ended, boolean tellClient) {}

    @Override
    public void forward(PppLink from, ByteBuffer packet) {
      forwarded++;
    }

    @Override
    public void record(IspEvent event) {}
  }

  /** Real frames, cut off at every length, sent by a stranger in the middle of a session. */
  @ParameterizedTest
  @ValueSource(strings = {"pppoe_session.pcap", "l2tp_session.pcap"})
  void aSessionSurvivesTruncatedFramesOfStrangers(String capture) throws Exception {
    List<ByteBuffer> frames = frames(capture);
    BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().start(segments);
    FakeClient client = new FakeClient(segments);
    FakeClient stranger = new FakeClient(segments);
    int address = client.dial();
    for (ByteBuffer original : frames) {
      for (int length = 0; length <= original.remaining(); length++) {
        ByteBuffer frame = copy(original, length);
        if (length >= Ethernet.HEADER) {
          Ethernet.putMac(frame, client.isp.toLong());
          Ethernet.putMac(frame, stranger.mac.toLong());
          frame.rewind();
        }
        stranger.raw(frame);
      }
      segments.loop().call(() -> {}); // no faster than the segment carries
    }
    client.ping(address, LOCAL, 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("0/0 from 192.168.100.1");
    assertThat(isp.sessions()).hasSize(1);
  }

  @Test
  void aSessionSurvivesPacketsThatAreNone() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().start(segments);
    FakeClient client = new FakeClient(segments);
    int address = client.dial();
    for (int round = 0; round < 20; round++) {
      for (int protocol : new int[] {Ppp.LCP, Ppp.CHAP, Ppp.PAP, Ppp.IPCP, Ppp.IPV4, 0, 0xffff}) {
        for (int length = 0; length < Ppp.HEADER; length++) {
          client.send(protocol, junk(length));
        }
        ByteBuffer tooLong = junk(40);
        client.send(protocol, tooLong.putShort(2, (short) 1000));
      }
      segments.loop().call(client::forget);
    }
    client.ping(address, LOCAL, 64, 8);
    assertThat(client.nextIcmp()).isEqualTo("0/0 from 192.168.100.1");
    assertThat(isp.awaitSession(PATIENCE).state()).isEqualTo(PppSession.State.OPEN);
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void noPacketOfARealSessionCutOffAnywhereBreaksALink(Phase phase) throws IOException {
    List<ByteBuffer> frames = frames("pppoe_session.pcap");
    int start = Ethernet.HEADER + Pppoe.HEADER;
    int forwarded =
        segments
            .loop()
            .compute(
                () -> {
                  int count = 0;
                  for (ByteBuffer frame : frames) {
                    if (Ethernet.type(frame) != Pppoe.SESSION) {
                      continue;
                    }
                    for (int end = start; end <= frame.limit(); end++) {
                      Line line = new Line(phase);
                      ByteBuffer packet = copy(frame, end).position(start);
                      // Both as it was cut, and with a length that hides the cut.
                      line.link.received(packet.duplicate());
                      if (end >= start + 2 + Ppp.HEADER) {
                        packet.putShort(start + 4, (short) (end - start - 2));
                        line.link.received(packet);
                      }
                      line.link.drop();
                      count += line.forwarded;
                    }
                  }
                  return count;
                });
    // Whole pings pass where packets may flow, which shows that the link is where it should be.
    assertThat(forwarded > 0).isEqualTo(phase == Phase.NETWORK);
  }

  @ParameterizedTest
  @EnumSource(Phase.class)
  void noJunkBreaksALink(Phase phase) {
    int[] protocols = {Ppp.LCP, Ppp.CHAP, Ppp.PAP, Ppp.IPCP, Ppp.IPV4};
    segments
        .loop()
        .call(
            () -> {
              for (int round = 0; round < 20_000; round++) {
                Line line = new Line(phase);
                for (int i = 0; i < 5; i++) {
                  ByteBuffer packet = junk(2 + random.nextInt(60));
                  packet.putShort(0, (short) protocols[random.nextInt(protocols.length)]);
                  if (packet.limit() >= 6) {
                    packet.put(2, (byte) random.nextInt(14));
                    packet.put(3, (byte) random.nextInt(3));
                    packet.putShort(4, (short) (packet.limit() - 2 - random.nextInt(2)));
                  }
                  line.link.received(packet);
                }
                line.link.drop();
              }
            });
  }

  @Test
  void noJunkBreaksAParser() {
    Reassembly reassembly = new Reassembly();
    for (int round = 0; round < 200_000; round++) {
      ByteBuffer packet = junk(random.nextInt(80));
      assertThatCode(() -> parse(packet, reassembly)).doesNotThrowAnyException();
    }
  }

  private void parse(ByteBuffer junk, Reassembly reassembly) {
    @Nullable ByteBuffer packet = junk;
    if (Pppoe.accept(prefixed(packet, (byte) 0x11))) {
      Pppoe.tags(packet.position(0));
    }
    PppOption.parse(packet.clear());
    ByteBuffer ip = prefixed(packet, (byte) 0x45);
    if (ip.limit() >= Ipv4.HEADER) {
      ip.putShort(2, (short) ip.limit());
      Ipv4.setTtl(ip, 64); // and a checksum that is right
      if (Ipv4.accept(ip)) {
        Icmp.isMessage(ip);
        reassembly.add(ip);
      }
    }
    ByteBuffer dhcp = ByteBuffer.allocate(240 + packet.clear().remaining());
    dhcp.put(0, (byte) 2).putInt(236, 0x6382_5363).position(240);
    DhcpMessage.parse(dhcp.put(packet).position(0));
  }

  private static ByteBuffer prefixed(ByteBuffer packet, byte first) {
    packet.clear();
    if (packet.hasRemaining()) {
      packet.put(0, first);
    }
    return packet;
  }
}
