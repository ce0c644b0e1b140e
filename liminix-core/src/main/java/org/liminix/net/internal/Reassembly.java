package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Puts fragments of IPv4 packets together again (RFC 815). It holds few unfinished packets and lets
 * the oldest go for a new one, so it needs no clock. Confined to the loop.
 */
public final class Reassembly {
  private static final int MAX_UNFINISHED = 16;

  private record Key(int source, int destination, int protocol, int identification) {}

  private static final class Unfinished {
    final ByteBuffer bytes = ByteBuffer.allocate(Ipv4.MAX_PACKET);

    /** Which blocks of eight bytes have come. */
    final BitSet blocks = new BitSet();

    int length = -1; // unknown until the last fragment
  }

  private final Map<Key, Unfinished> unfinished =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Key, Unfinished> eldest) {
          return size() > MAX_UNFINISHED;
        }
      };

  /** Takes a fragment and returns the packet it completes, or null. */
  public @Nullable ByteBuffer add(ByteBuffer fragment) {
    int headerLength = Ipv4.headerLength(fragment);
    int offset = Ipv4.fragmentOffset(fragment);
    int length = fragment.remaining() - headerLength;
    boolean last = !Ipv4.moreFragments(fragment);
    if (Ipv4.HEADER + offset + length > Ipv4.MAX_PACKET || (!last && length % 8 != 0)) {
      return null;
    }
    Key key =
        new Key(
            Ipv4.source(fragment),
            Ipv4.destination(fragment),
            Ipv4.protocol(fragment),
            Ipv4.identification(fragment));
    Unfinished packet = unfinished.computeIfAbsent(key, k -> new Unfinished());
    packet.bytes.put(Ipv4.HEADER + offset, fragment, fragment.position() + headerLength, length);
    packet.blocks.set(offset / 8, (offset + length + 7) / 8);
    if (last) {
      packet.length = offset + length;
    }
    if (packet.length < 0 || packet.blocks.nextClearBit(0) < (packet.length + 7) / 8) {
      return null;
    }
    unfinished.remove(key);
    packet.bytes.clear();
    Ipv4.putHeader(
        packet.bytes,
        key.source(),
        key.destination(),
        key.protocol(),
        key.identification(),
        packet.length);
    return packet.bytes.position(0).limit(Ipv4.HEADER + packet.length);
  }
}
