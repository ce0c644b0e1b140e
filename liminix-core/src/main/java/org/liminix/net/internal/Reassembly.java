package org.liminix.net.internal;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Puts fragments of IPv4 packets together again (RFC 791 section 3.2). Confined to the loop. */
public final class Reassembly {
  private record Key(int source, int destination, int protocol, int identification) {}

  private final Fragments<Key> fragments = new Fragments<>(Ipv4.HEADER, Ipv4.MAX_PACKET, true);

  /** Takes a fragment and returns the packet it completes, or null. */
  public @Nullable ByteBuffer add(ByteBuffer fragment) {
    Key key =
        new Key(
            Ipv4.source(fragment),
            Ipv4.destination(fragment),
            Ipv4.protocol(fragment),
            Ipv4.identification(fragment));
    ByteBuffer packet =
        fragments.add(
            key,
            Ipv4.fragmentOffset(fragment),
            !Ipv4.moreFragments(fragment),
            fragment,
            fragment.position() + Ipv4.headerLength(fragment),
            fragment.limit());
    if (packet == null) {
      return null;
    }
    Ipv4.putHeader(
        packet,
        key.source(),
        key.destination(),
        key.protocol(),
        key.identification(),
        packet.limit() - Ipv4.HEADER);
    packet.position(0);
    Ipv4.setTtl(packet, Ipv4.ttl(fragment));
    return packet;
  }
}
