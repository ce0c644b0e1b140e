package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
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

  private static ByteBuffer copy(ByteBuffer frame, int length) {
    return ByteBuffer.allocate(length).put(frame.duplicate().limit(length)).flip();
  }

  private ByteBuffer junk(int length) {
    byte[] bytes = new byte[length];
    random.nextBytes(bytes);
    return ByteBuffer.wrap(bytes);
  }

  /** Real frames, cut off at every length, sent by a stranger in the middle of a session. */
  @ParameterizedTest
  @ValueSource(strings = {"pppoe_session.pcap", "l2tp_session.pcap"})
  void aSessionSurvivesTruncatedFramesOfStrangers(String capture) throws Exception {
    List<ByteBuffer> frames = Captures.frames(capture);
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
  @EnumSource(Line.Phase.class)
  void noPacketOfARealSessionCutOffAnywhereBreaksALink(Line.Phase phase) throws IOException {
    List<ByteBuffer> frames = Captures.frames("pppoe_session.pcap");
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
                      Line line = new Line(segments.loop(), phase);
                      ByteBuffer packet = copy(frame, end).position(start);
                      // Both as it was cut, and with a length that hides the cut.
                      line.link().received(packet.duplicate());
                      if (end >= start + 2 + Ppp.HEADER) {
                        packet.putShort(start + 4, (short) (end - start - 2));
                        line.link().received(packet);
                      }
                      line.link().drop();
                      count += line.forwarded();
                    }
                  }
                  return count;
                });
    // Whole pings pass where packets may flow, which shows that the link is where it should be.
    assertThat(forwarded > 0).isEqualTo(phase == Line.Phase.NETWORK);
  }

  @ParameterizedTest
  @EnumSource(Line.Phase.class)
  void noJunkBreaksALink(Line.Phase phase) {
    int[] protocols = {Ppp.LCP, Ppp.CHAP, Ppp.PAP, Ppp.IPCP, Ppp.IPV4};
    segments
        .loop()
        .call(
            () -> {
              for (int round = 0; round < 20_000; round++) {
                Line line = new Line(segments.loop(), phase);
                for (int i = 0; i < 5; i++) {
                  ByteBuffer packet = junk(2 + random.nextInt(60));
                  packet.putShort(0, (short) protocols[random.nextInt(protocols.length)]);
                  if (packet.limit() >= 6) {
                    packet.put(2, (byte) random.nextInt(14));
                    packet.put(3, (byte) random.nextInt(3));
                    packet.putShort(4, (short) (packet.limit() - 2 - random.nextInt(2)));
                  }
                  line.link().received(packet);
                }
                line.link().drop();
              }
            });
  }

  /** From strangers whatever they like, from the client itself only what means nothing. */
  @Test
  void aSessionCarriesPacketsWhileJunkPoursIn() throws Exception {
    BorderNetworkGateway isp = BorderNetworkGateway.likeLiminix().start(segments);
    FakeClient client = new FakeClient(segments);
    FakeClient stranger = new FakeClient(segments);
    int address = client.dial();
    for (int ping = 0; ping < 200; ping++) {
      for (int i = 0; i < 50; i++) {
        ByteBuffer frame = junk(14 + random.nextInt(100));
        Ethernet.putHeader(
            frame,
            random.nextInt(8) == 0 ? MacAddress.BROADCAST.toLong() : client.isp.toLong(),
            stranger.mac.toLong(),
            random.nextBoolean() ? Pppoe.DISCOVERY : Pppoe.SESSION);
        if (frame.remaining() >= Pppoe.HEADER) {
          int[] codes = {0, Pppoe.PADI, Pppoe.PADR, Pppoe.PADS, Pppoe.PADT, random.nextInt(256)};
          int length = frame.remaining() - Pppoe.HEADER;
          Pppoe.putHeader(
              frame,
              codes[random.nextInt(codes.length)],
              random.nextBoolean() ? client.sessionId : random.nextInt(3),
              Math.max(0, length - random.nextInt(2)));
        }
        stranger.raw(frame.clear());
        ByteBuffer tooLong = junk(4 + random.nextInt(60)).putShort(2, (short) 5000);
        client.send(random.nextInt(3) == 0 ? Ppp.LCP : random.nextInt(0x8000), tooLong);
      }
      client.ping(address, LOCAL, 64, ping);
      assertThat(client.nextIcmp()).isEqualTo("0/0 from 192.168.100.1");
    }
    assertThat(isp.sessions()).hasSize(1);
    assertThat(isp.sessions().get(0).traffic().packetsOut()).isEqualTo(200);
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
