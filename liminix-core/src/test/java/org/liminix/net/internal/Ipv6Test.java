package org.liminix.net.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Ipv6Test {
  private static final Ipv6Address A = Ipv6Address.parse("2001:db8::a");
  private static final Ipv6Address B = Ipv6Address.parse("2001:db8::b");

  @Test
  void writesAddressesAsRfc5952Wants() {
    for (String text : List.of("::", "::1", "2001:db8::1", "fe80::5054:ff:fe12:3456", "ff02::2")) {
      assertThat(Ipv6Address.parse(text)).hasToString(text);
    }
    assertThatThrownBy(() -> Ipv6Address.parse("10.0.0.1")).hasMessageContaining("2001:db8::2");
    assertThatThrownBy(() -> Ipv6Address.parse("::ffff:10.0.0.1")).hasMessageContaining("no IPv6");
  }

  @Test
  void derivesAddressesFromACard() {
    long card = 0x5254_0012_3456L;
    Ipv6Address own = Ipv6Address.linkLocal(Ipv6Address.interfaceId(card));
    assertThat(own).hasToString("fe80::5054:ff:fe12:3456");
    assertThat(own.solicitedNode()).hasToString("ff02::1:ff12:3456");
    assertThat(own.solicitedNode().multicastMac()).isEqualTo(0x3333_ff12_3456L);
    assertThat(own.isLinkLocal()).isTrue();
    assertThat(own.isConfined()).isTrue();
    assertThat(A.isGlobal()).isTrue();
    assertThat(Ipv6Address.parse("ff0e::1").isConfined()).isFalse();
  }

  @Test
  void dividesAPrefix() {
    Ipv6Prefix pool = Ipv6Prefix.parse("2001:db8:f000::/36");
    assertThat(pool.subnet(56, 0)).hasToString("2001:db8:f000::/56");
    assertThat(pool.subnet(56, 0x123)).hasToString("2001:db8:f001:2300::/56");
    assertThat(pool.subnet(64, 0xf_ffff)).hasToString("2001:db8:f00f:ffff::/64");
    assertThat(Ipv6Prefix.parse("2001:db8::/32").subnet(96, 3)).hasToString("2001:db8::3:0:0/96");
    assertThat(Ipv6Prefix.parse("2001:db8::/32").subnet(80, 0x1_0001))
        .hasToString("2001:db8:0:1:1::/80");
    assertThat(pool.contains(Ipv6Address.parse("2001:db8:ffff::1"))).isTrue();
    assertThat(pool.contains(Ipv6Address.parse("2001:db8:efff::1"))).isFalse();
    assertThat(Ipv6Prefix.parse("::/0").contains(A)).isTrue();
    assertThat(pool.isNetwork()).isTrue();
    assertThatThrownBy(() -> Ipv6Prefix.parse("2001:db8::/129")).hasMessageContaining("/64");
  }

  private static ByteBuffer packet(int length) {
    ByteBuffer packet = ByteBuffer.allocate(Ipv6.HEADER + length);
    Ipv6.putHeader(packet, A, B, Ipv6.UDP, 60, length);
    byte[] data = new byte[length];
    new Random(length).nextBytes(data);
    return packet.put(data).flip();
  }

  private static List<ByteBuffer> fragments(ByteBuffer packet, int mtu) {
    List<ByteBuffer> fragments = new ArrayList<>();
    Ipv6.fragment(
        packet,
        mtu,
        7,
        ByteBuffer.allocate(mtu),
        part -> fragments.add(ByteBuffer.allocate(part.remaining()).put(part).flip()));
    return fragments;
  }

  @Test
  void joinsItsOwnFragmentsInAnyOrder() {
    for (int length : new int[] {1441, 5000, 65_535}) {
      ByteBuffer whole = packet(length);
      List<ByteBuffer> fragments = fragments(whole, 1280);
      assertThat(fragments).allMatch(part -> part.remaining() <= 1280 && Ipv6.accept(part));
      Collections.shuffle(fragments, new Random(1));
      Ipv6Reassembly reassembly = new Ipv6Reassembly();
      ByteBuffer joined = null;
      for (ByteBuffer fragment : fragments) {
        assertThat(joined).isNull();
        Ipv6.Payload payload = Ipv6.payload(fragment);
        assertThat(payload.protocol()).isEqualTo(Ipv6.FRAGMENT);
        joined = reassembly.add(fragment, payload.start());
      }
      assertThat(joined).isEqualTo(whole);
    }
  }

  /** RFC 5722. */
  @Test
  void dropsAPacketWhoseFragmentsOverlap() {
    List<ByteBuffer> fragments = fragments(packet(3000), 1280);
    Ipv6Reassembly reassembly = new Ipv6Reassembly();
    assertThat(reassembly.add(fragments.get(0), 40)).isNull();
    assertThat(reassembly.add(fragments.get(0), 40)).isNull();
    assertThat(reassembly.add(fragments.get(1), 40)).isNull();
    assertThat(reassembly.add(fragments.get(2), 40)).isNull();
  }

  /** RFC 4443 section 2.4 e. */
  @Test
  void reportsNoErrorWhereItCouldAddToTheTrouble() {
    ByteBuffer out = ByteBuffer.allocate(1500);
    ByteBuffer aboutAnything = packet(2000);
    assertThat(Icmpv6.writeError(out, B, Icmpv6.TIME_EXCEEDED, 0, 0, aboutAnything)).isTrue();
    assertThat(out.remaining()).isEqualTo(Ipv6.MIN_MTU);
    assertThat(Icmpv6.isMessage(out, Ipv6.HEADER)).isTrue();
    ByteBuffer error = ByteBuffer.allocate(1500).put(out).flip();
    assertThat(Icmpv6.writeError(out, B, Icmpv6.TIME_EXCEEDED, 0, 0, error)).isFalse();
    ByteBuffer toAll = packet(8);
    Ipv6Address.ALL_NODES.put(toAll.position(24));
    toAll.rewind();
    assertThat(Icmpv6.writeError(out, B, Icmpv6.UNREACHABLE, Icmpv6.PORT, 0, toAll)).isFalse();
    assertThat(Icmpv6.writeError(out, B, Icmpv6.TOO_BIG, 0, 1280, toAll)).isTrue();
    ByteBuffer fromNobody = packet(8);
    Ipv6Address.UNSPECIFIED.put(fromNobody.position(8));
    fromNobody.rewind();
    assertThat(Icmpv6.writeError(out, B, Icmpv6.TOO_BIG, 0, 1280, fromNobody)).isFalse();
  }
}
