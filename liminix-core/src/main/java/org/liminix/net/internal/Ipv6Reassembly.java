package org.liminix.net.internal;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** Puts fragments of IPv6 packets together again (RFC 8200 section 4.5). Confined to the loop. */
public final class Ipv6Reassembly {
  private static final int FRAGMENT_HEADER = 8;

  private record Key(Ipv6Address source, Ipv6Address destination, int identification) {}

  private final Fragments<Key> fragments = new Fragments<>(Ipv6.HEADER, Ipv6.MAX_PACKET, false);

  /**
   * Takes a fragment and returns the packet it completes, without the extension headers in front of
   * the data, or null.
   *
   * @param at where its fragment header begins
   */
  public @Nullable ByteBuffer add(ByteBuffer fragment, int at) {
    int from = at + FRAGMENT_HEADER;
    if (from > fragment.limit()) {
      return null;
    }
    int offset = Ipv6.fragmentOffset(fragment, at);
    boolean last = !Ipv6.moreFragments(fragment, at);
    ByteBuffer packet;
    if (offset == 0 && last) { // RFC 6946: whole already, and none of anything else
      packet = ByteBuffer.allocate(Ipv6.HEADER + fragment.limit() - from);
      packet.put(Ipv6.HEADER, fragment, from, fragment.limit() - from);
    } else {
      Key key = new Key(Ipv6.source(fragment), Ipv6.destination(fragment), fragment.getInt(at + 4));
      packet = fragments.add(key, offset, last, fragment, from, fragment.limit());
    }
    if (packet == null) {
      return null;
    }
    Ipv6.putHeader(
        packet,
        Ipv6.source(fragment),
        Ipv6.destination(fragment),
        Byte.toUnsignedInt(fragment.get(at)),
        Ipv6.hopLimit(fragment),
        packet.limit() - Ipv6.HEADER);
    return packet.position(0);
  }
}
