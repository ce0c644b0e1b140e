package org.liminix.isp;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.internal.Checksum;
import org.liminix.net.internal.Dhcpv6Message;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv6Prefix;

/**
 * Whatever clients and the world send, it ends with an answer or with nothing; run with {@code
 * JAZZER_FUZZ=1} to search, otherwise the known inputs are tried.
 */
class IspFuzzTest {
  private static final int OUTSIDE = Ipv4.parse("10.0.2.1");
  private static final int INSIDE = Ipv4.parse("192.168.100.10");

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  @FuzzTest(maxDuration = "2m")
  void readsAnyTags(byte[] bytes) {
    ByteBuffer packet = ByteBuffer.allocate(Pppoe.HEADER + bytes.length);
    Pppoe.putHeader(packet, Pppoe.PADI, 0, bytes.length);
    packet.put(bytes).flip();
    if (Pppoe.accept(packet)) {
      List<Tag> tags = Pppoe.tags(packet).orElse(List.of());
      check(Pppoe.length(tags) <= bytes.length, "tags longer than their packet");
      ByteBuffer again = ByteBuffer.allocate(Pppoe.HEADER + Pppoe.length(tags));
      Pppoe.putHeader(again, Pppoe.PADO, 0, Pppoe.length(tags));
      Pppoe.putTags(again, tags);
      check(Pppoe.tags(again.flip()).orElseThrow().equals(tags), "tags do not survive");
    }
  }

  @FuzzTest(maxDuration = "2m")
  void readsAnyOptions(byte[] bytes) {
    PppOption.parse(ByteBuffer.wrap(bytes))
        .ifPresent(
            options -> {
              ByteBuffer again = ByteBuffer.allocate(bytes.length);
              PppOption.putAll(again, options);
              check(again.flip().equals(ByteBuffer.wrap(bytes)), "options do not survive");
            });
  }

  /** Packets of PPP, one after the other, at a link that has come so far. */
  @FuzzTest(maxDuration = "2m")
  void bearsAnyPacketsOfAClient(FuzzedDataProvider data) {
    try (Segments segments = Segments.isolated()) {
      segments.loop().call(() -> play(data, segments));
    }
  }

  private static void play(FuzzedDataProvider data, Segments segments) {
    Line line = new Line(segments.loop(), data.pickValue(Line.Phase.values()));
    int[] protocols = {Ppp.LCP, Ppp.PAP, Ppp.CHAP, Ppp.IPCP, Ppp.IPV4, 0x8057, 0x0057, 0x80fd};
    while (data.remainingBytes() > 0) {
      int protocol = data.pickValue(protocols);
      int code = data.consumeByte();
      int identifier = data.consumeByte();
      byte[] content = data.consumeBytes(data.consumeInt(0, 60));
      ByteBuffer packet = ByteBuffer.allocate(Short.BYTES + Ppp.HEADER + content.length);
      packet.putShort((short) protocol).put((byte) code).put((byte) identifier);
      packet.putShort((short) (Ppp.HEADER + content.length)).put(content);
      line.link().received(packet.flip());
    }
    line.link().drop();
  }

  /** Whole frames at a concentrator, from a client it knows. */
  @FuzzTest(maxDuration = "2m")
  void bearsAnyFrames(FuzzedDataProvider data) {
    try (Segments segments = Segments.isolated()) {
      IspSettings settings = (IspSettings) BorderNetworkGateway.account("u", "s").spec();
      segments
          .loop()
          .call(
              () -> {
                Line owner = new Line(segments.loop(), Line.Phase.ESTABLISHING);
                AccessConcentrator concentrator =
                    new AccessConcentrator(
                        segments.get(Network.ACCESS),
                        settings,
                        new AccessConcentrator.LinkFactory() {
                          @Override
                          public PppLink create(int sessionId, MacAddress peer, int maxMru) {
                            return new PppLink(
                                sessionId, peer, maxMru, segments.loop(), settings, owner);
                          }

                          @Override
                          public void record(IspEvent event) {}
                        },
                        new Misbehaviour(segments.loop(), IspFaults.none()));
                while (data.remainingBytes() > 0) {
                  concentrator.received(frame(data, concentrator.mac()));
                }
                concentrator.close();
              });
    }
  }

  private static ByteBuffer frame(FuzzedDataProvider data, MacAddress concentrator) {
    boolean forAll = data.consumeBoolean();
    int type = data.consumeBoolean() ? Pppoe.DISCOVERY : Pppoe.SESSION;
    int[] codes = {Pppoe.SESSION_DATA, Pppoe.PADI, Pppoe.PADR, Pppoe.PADT, 1};
    int code = data.pickValue(codes);
    int id = data.consumeInt(0, 3);
    byte[] content = data.consumeBytes(data.consumeInt(0, 100));
    ByteBuffer frame = ByteBuffer.allocate(Ethernet.HEADER + Pppoe.HEADER + content.length);
    long to = (forAll ? MacAddress.BROADCAST : concentrator).toLong();
    Ethernet.putHeader(frame, to, 0x0200_0000_0001L, type);
    Pppoe.putHeader(frame, code, id, content.length - (data.consumeBoolean() ? 1 : 0));
    return frame.put(content).flip();
  }

  /** Messages of DHCPv6, one after the other, from a client that knows the server. */
  @FuzzTest(maxDuration = "2m")
  void answersAnyMessageOfDhcpv6(FuzzedDataProvider data) {
    Ipv6Service.Terms terms = Ipv6Service.standard().leaseAddresses().terms;
    Dhcpv6Server server = new Dhcpv6Server(1, List.of(), Duration.ofHours(1), Duration.ofHours(2));
    Dhcpv6Bindings bindings =
        new Dhcpv6Bindings(
            new PrefixPool(terms.delegations, terms.delegatedLength),
            Ipv6Prefix.parse("2001:db8:1::/64"),
            new Dhcpv6Bindings.Listener() {
              @Override
              public void granted(int association, Ipv6Prefix prefix, boolean renewed) {}

              @Override
              public void released(int association, Ipv6Prefix prefix) {}
            });
    List<Dhcpv6Message.Option> known = new ArrayList<>();
    known.add(Dhcpv6Message.Option.of(Dhcpv6Message.CLIENT_ID, (byte) 1));
    while (data.remainingBytes() > 0) {
      int type = data.consumeInt(1, 13);
      List<Dhcpv6Message.Option> options = data.consumeBoolean() ? known : List.of();
      ByteBuffer bytes = new Dhcpv6Message(type, 1, options).encode();
      byte[] rest = data.consumeBytes(data.consumeInt(0, 80));
      ByteBuffer message = ByteBuffer.allocate(bytes.remaining() + rest.length);
      Dhcpv6Message.parse(message.put(bytes).put(rest).flip())
          .flatMap(asked -> server.answer(asked, bindings))
          .ifPresent(
              answer -> {
                Dhcpv6Message again = Dhcpv6Message.parse(answer.encode()).orElseThrow();
                check(again.equals(answer), "an answer does not survive");
                if (known.size() == 1) {
                  answer
                      .find(Dhcpv6Message.SERVER_ID)
                      .ifPresent(
                          id -> known.add(new Dhcpv6Message.Option(Dhcpv6Message.SERVER_ID, id)));
                }
              });
    }
  }

  /** Packets both ways through a translation that knows some of their ports. */
  @FuzzTest(maxDuration = "2m")
  void translatesAnyPackets(FuzzedDataProvider data) {
    Nat nat = new Nat(OUTSIDE, () -> 0);
    while (data.remainingBytes() > 0) {
      boolean out = data.consumeBoolean();
      int protocol = data.pickValue(new int[] {Ipv4.ICMP, 6, Ipv4.UDP, 47});
      byte[] content = data.consumeBytes(data.consumeInt(0, 80));
      ByteBuffer packet = ByteBuffer.allocate(Ipv4.HEADER + content.length);
      int stranger = data.consumeInt();
      Ipv4.putHeader(
          packet, out ? INSIDE : stranger, out ? stranger : OUTSIDE, protocol, 1, content.length);
      packet.put(content).flip();
      boolean translated = out ? nat.outbound(packet) : nat.inbound(packet);
      check(Checksum.of(packet, 0, Ipv4.HEADER) == 0, "the header is not whole");
      int address = out ? Ipv4.source(packet) : Ipv4.destination(packet);
      check(!translated || address == (out ? OUTSIDE : INSIDE), "translated to another address");
    }
  }
}
