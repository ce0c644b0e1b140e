package org.liminix.net.internal;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Whatever the network sends, parsing ends and stays within the packet; run with {@code
 * JAZZER_FUZZ=1} to search, otherwise the known inputs are tried.
 */
class Ipv6ParserFuzzTest {
  private static final int[] NEXT = {0, 43, 44, 58, 60, 17, 59};

  private final Ipv6Reassembly reassembly = new Ipv6Reassembly();
  private final ByteBuffer out = ByteBuffer.allocate(Ipv6.MAX_PACKET);

  @FuzzTest(maxDuration = "2m")
  void readsAnyPacket(byte[] bytes) {
    read(ByteBuffer.wrap(bytes));
  }

  @FuzzTest(maxDuration = "2m")
  void readsAnyMessageOfNeighbourDiscovery(byte[] bytes) {
    read(message(bytes));
  }

  /** A valid packet with that message in it, whose checksum is right. */
  private static ByteBuffer message(byte[] bytes) {
    ByteBuffer packet = ByteBuffer.allocate(Ipv6.HEADER + bytes.length);
    Ipv6Address router = Ipv6Address.parse("fe80::1");
    Ipv6.putHeader(packet, router, Ipv6Address.ALL_NODES, Ipv6.ICMP, 255, bytes.length);
    packet.put(bytes).flip();
    if (bytes.length >= Icmpv6.HEADER) {
      packet.putShort(Ipv6.HEADER + 2, (short) 0);
      int checksum = Ipv6.checksum(packet, 0, Ipv6.HEADER, packet.limit(), Ipv6.ICMP);
      packet.putShort(Ipv6.HEADER + 2, (short) checksum);
    }
    return packet;
  }

  private void read(ByteBuffer packet) {
    int room = packet.remaining();
    if (!Ipv6.accept(packet)) {
      return;
    }
    check(packet.remaining() <= room, "accepts more than there is");
    Ipv6.Payload payload = Ipv6.payload(packet);
    check(payload.start() <= packet.limit(), "begins behind the end " + payload);
    boolean reported =
        Icmpv6.writeError(out, Ipv6Address.ALL_ROUTERS, Icmpv6.TIME_EXCEEDED, 0, 0, packet);
    check(!reported || out.limit() <= Ipv6.MIN_MTU, "reports too much");
    if (!payload.isGood()) {
      return;
    }
    if (payload.protocol() == Ipv6.FRAGMENT) {
      ByteBuffer whole = reassembly.add(packet, payload.start());
      check(whole == null || Ipv6.accept(whole), "a packet that is none");
    } else if (payload.protocol() == Ipv6.ICMP
        && Icmpv6.isMessage(packet, payload.start())
        && Ndp.isValid(packet, payload.start())) {
      discovery(packet, payload.start());
    }
  }

  private void discovery(ByteBuffer packet, int at) {
    switch (Icmpv6.type(packet, at)) {
      case Icmpv6.ROUTER_ADVERTISEMENT -> {
        Ndp.routerLinkLayer(packet, at);
        Ndp.routerAdvertisement(packet, at)
            .ifPresent(
                news -> {
                  // What was read and is written again says the same.
                  ByteBuffer again =
                      Ndp.writeRouterAdvertisement(out, Ipv6Address.ALL_NODES, news, null);
                  check(
                      Ndp.routerAdvertisement(again, Ipv6.HEADER).orElseThrow().equals(news),
                      "says something else: " + news);
                });
      }
      case Icmpv6.NEIGHBOUR_SOLICITATION, Icmpv6.NEIGHBOUR_ADVERTISEMENT -> {
        Ndp.target(packet, at);
        Ndp.linkLayer(packet, at + Ndp.SOLICITATION_OPTIONS, Ndp.TARGET_LINK_LAYER);
      }
      case Icmpv6.ROUTER_SOLICITATION ->
          Ndp.linkLayer(packet, at + Ndp.ROUTER_SOLICITATION_OPTIONS, Ndp.SOURCE_LINK_LAYER);
      default -> {} // nothing to read
    }
  }

  @Test
  void readsJunk() {
    Random random = new Random(8200);
    for (int round = 0; round < 300_000; round++) {
      byte[] bytes = new byte[random.nextInt(120)];
      random.nextBytes(bytes);
      ByteBuffer packet = ByteBuffer.wrap(bytes);
      if (bytes.length >= Ipv6.HEADER) {
        packet.put(0, (byte) 0x60).putShort(4, (short) (bytes.length - Ipv6.HEADER));
        packet.put(6, (byte) NEXT[random.nextInt(NEXT.length)]);
        if (bytes.length > Ipv6.HEADER + 1) {
          packet.put(Ipv6.HEADER, (byte) NEXT[random.nextInt(NEXT.length)]);
          packet.put(Ipv6.HEADER + 1, (byte) random.nextInt(4));
        }
      }
      read(packet);
      if (bytes.length > 20) {
        bytes[0] = (byte) (Icmpv6.ROUTER_SOLICITATION + random.nextInt(5));
        bytes[1] = 0;
        bytes[16] = (byte) (1 + random.nextInt(5));
        bytes[17] = (byte) random.nextInt(5);
      }
      read(message(bytes));
    }
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
