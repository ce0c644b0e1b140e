package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.internal.Dhcpv6Message;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.EthernetCard;
import org.liminix.net.internal.Icmpv6;
import org.liminix.net.internal.Ipv6;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Prefix;

/** What clients of IPv6 say in earnest, as captured from real ones, and what none does. */
class MalformedIpv6Test {
  private static final Ipv6Address OURS = Ipv6Address.parse("fe80::2");
  private static final int[] NEXT = {0, 17, 43, 44, 58, 60, 253};

  private final Segments segments = Segments.isolated();
  private final Random random = new Random(8415);
  private final Ipv6Service.Terms terms = Ipv6Service.standard().leaseAddresses().terms;
  private final Dhcpv6Server server =
      new Dhcpv6Server(1, List.of(), Duration.ofHours(1), Duration.ofHours(2));
  private final List<ByteBuffer> sent = new ArrayList<>();

  @AfterEach
  void close() {
    segments.close();
  }

  private Dhcpv6Bindings bindings() {
    return new Dhcpv6Bindings(
        new PrefixPool(terms.delegations, terms.delegatedLength),
        Ipv6Prefix.parse("2001:db8:1::/64"),
        new Dhcpv6Bindings.Listener() {
          @Override
          public void granted(int association, Ipv6Prefix prefix, boolean renewed) {}

          @Override
          public void released(int association, Ipv6Prefix prefix) {}
        });
  }

  /** The DHCPv6 payloads of the recorded sessions, in their order. */
  private static List<ByteBuffer> captured() throws IOException {
    List<ByteBuffer> payloads = new ArrayList<>();
    int ipv6 = Ethernet.HEADER + Pppoe.HEADER + 2;
    for (ByteBuffer frame : Captures.frames("pppoe_session.pcap")) {
      if (frame.limit() > ipv6 + 48
          && Ethernet.type(frame) == Pppoe.SESSION
          && frame.getShort(ipv6 - 2) == Ppp.IPV6) {
        ByteBuffer packet = frame.position(ipv6).slice();
        if (Ipv6.accept(packet)
            && Ipv6.nextHeader(packet) == Ipv6.UDP
            && packet.getShort(40) != 0
            && Ipv6.checksum(packet, 0, 40, packet.limit(), Ipv6.UDP) == 0) {
          payloads.add(packet.position(48).slice());
        }
      }
    }
    return payloads;
  }

  /** What accel-ppp and a Debian client said to each other: ours says the same. */
  @Test
  void answersARealClientAsARealServerDid() throws IOException {
    List<Dhcpv6Message> theirs =
        captured().stream().map(payload -> Dhcpv6Message.parse(payload).orElseThrow()).toList();
    assertThat(theirs).extracting(Dhcpv6Message::type).startsWith(1, 2, 3, 7, 8);
    Dhcpv6Bindings bindings = bindings();
    for (int i = 0; i < 4; i += 2) {
      Dhcpv6Message asked = theirs.get(i);
      List<Dhcpv6Message.Option> options = new ArrayList<>(asked.options());
      options.replaceAll( // the client was talking to another server
          option ->
              option.code() == Dhcpv6Message.SERVER_ID
                  ? new Dhcpv6Message.Option(
                      option.code(),
                      server
                          .answer(theirs.get(0), bindings)
                          .orElseThrow()
                          .find(Dhcpv6Message.SERVER_ID)
                          .orElseThrow())
                  : option);
      Dhcpv6Message ours =
          server
              .answer(new Dhcpv6Message(asked.type(), asked.transaction(), options), bindings)
              .orElseThrow();
      Dhcpv6Message real = theirs.get(i + 1);
      assertThat(ours.type()).isEqualTo(real.type());
      assertThat(ours.transaction()).isEqualTo(real.transaction());
      assertThat(ours.find(Dhcpv6Message.CLIENT_ID)).isEqualTo(real.find(Dhcpv6Message.CLIENT_ID));
      assertThat(ours.associations().get(0).id()).isEqualTo(real.associations().get(0).id());
      assertThat(ours.associations().get(0).prefixes()).hasSize(1);
      assertThat(real.associations().get(0).prefixes()).hasSize(1);
      assertThat(Dhcpv6Message.parse(real.encode())).contains(real);
    }
  }

  @Test
  void noMessageBreaksTheServer() throws IOException {
    List<ByteBuffer> real = captured();
    for (int round = 0; round < 100_000; round++) {
      ByteBuffer payload = real.get(random.nextInt(real.size())).duplicate();
      byte[] bytes = new byte[random.nextInt(payload.remaining() + 1)];
      payload.get(bytes);
      for (int i = random.nextInt(4); i > 0 && bytes.length > 0; i--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      Dhcpv6Bindings bindings = bindings();
      Dhcpv6Message.parse(ByteBuffer.wrap(bytes))
          .flatMap(asked -> server.answer(asked, bindings))
          .ifPresent(answer -> assertThat(Dhcpv6Message.parse(answer.encode())).contains(answer));
    }
  }

  /** A line that is up, whose exceptions nobody catches and logs. */
  @Test
  void noPacketBreaksALine() {
    segments
        .loop()
        .call(
            () -> {
              WorldRouter.Sessions sessions =
                  new WorldRouter.Sessions() {
                    @Override
                    public void deliver(PppLink link, ByteBuffer packet) {}

                    @Override
                    public boolean swallows(ByteBuffer packet) {
                      return false;
                    }
                  };
              EthernetCard card =
                  new EthernetCard(
                      segments.get(Network.WORLD), "isp", MacAddress.parse("52:54:00:00:00:01"));
              Ipv6Router router = new Ipv6Router(segments.loop(), card, terms, sessions);
              PppLink link =
                  new PppLink(
                      1,
                      MacAddress.random(),
                      Ppp.MAX_MRU,
                      segments.loop(),
                      (IspSettings) BorderNetworkGateway.account("u", "s").spec(),
                      new Line(segments.loop(), Line.Phase.ESTABLISHING));
              Ipv6Line line =
                  new Ipv6Line(
                      segments.loop(),
                      link,
                      (protocol, packet) -> {},
                      new Recorder(),
                      router,
                      server,
                      Ipv6Prefix.parse("2001:db8:1::/64"));
              line.identifiersAgreed(1, 2);
              for (int round = 0; round < 100_000; round++) {
                ByteBuffer packet = junk();
                if (Ipv6.accept(packet)) {
                  router.receivedFrom(link, line, packet);
                }
              }
              assertThat(sent).isNotEmpty();
              line.close();
              line.close();
              router.close();
            });
  }

  private ByteBuffer junk() {
    byte[] bytes = new byte[Ipv6.HEADER + random.nextInt(100)];
    random.nextBytes(bytes);
    ByteBuffer packet = ByteBuffer.wrap(bytes);
    Ipv6Address[] to = {
      Ipv6Address.parse("fe80::1"),
      Ipv6Address.ALL_ROUTERS,
      Dhcpv6Message.ALL_SERVERS,
      Ipv6Address.parse("2001:db8::1"),
      Ipv6Address.parse("2001:db8:1::9"),
      Ipv6Address.parse("2600::1")
    };
    Ipv6Address[] from = {OURS, Ipv6Address.parse("2001:db8:1::9"), Ipv6Address.UNSPECIFIED};
    int length = bytes.length - Ipv6.HEADER;
    int next = NEXT[random.nextInt(NEXT.length)];
    Ipv6.putHeader(
        packet,
        from[random.nextInt(from.length)],
        to[random.nextInt(to.length)],
        next,
        random.nextBoolean() ? 255 : random.nextInt(3),
        length);
    if (length >= 8 && next == Ipv6.ICMP) {
      packet.put(40, (byte) (Icmpv6.ECHO_REQUEST + random.nextInt(12))).putShort(42, (short) 0);
      packet.putShort(42, (short) Ipv6.checksum(packet, 0, 40, bytes.length, next));
    } else if (length >= 12 && next == Ipv6.UDP) {
      packet.putShort(42, (short) Dhcpv6Message.SERVER_PORT).putShort(44, (short) length);
      packet.put(48, (byte) random.nextInt(13)).putShort(46, (short) 0);
      packet.putShort(46, (short) Ipv6.checksum(packet, 0, 40, bytes.length, next));
    } else if (length >= 2) {
      packet.put(40, (byte) NEXT[random.nextInt(NEXT.length)]).put(41, (byte) random.nextInt(4));
    }
    return packet.clear();
  }

  private final class Recorder implements Ipv6Line.Host {
    @Override
    public void sendIpv6(ByteBuffer packet) {
      assertThat(Ipv6.accept(packet.duplicate())).isTrue();
      if (sent.size() < 100) {
        sent.add(packet.duplicate());
      }
    }

    @Override
    public void networkOpened(NetworkControl network) {}

    @Override
    public void networkFinished(NetworkControl network, String why, boolean byPeer) {}

    @Override
    public void record(IspEvent event) {}
  }
}
