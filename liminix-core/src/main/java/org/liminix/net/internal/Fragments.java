package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Puts what was cut into fragments together again (RFC 815). It holds few unfinished packets and
 * lets the oldest go for a new one, so it needs no clock. Confined to the loop.
 *
 * @param <K> what fragments of one packet have in common
 */
final class Fragments<K> {
  private static final int MAX_UNFINISHED = 16;
  private static final int MAX_DATA = 0xffff;

  private static final class Unfinished {
    final ByteBuffer bytes;

    /** Which blocks of eight bytes have come. */
    final BitSet blocks = new BitSet();

    int length = -1; // unknown until the last fragment

    Unfinished(int room) {
      bytes = ByteBuffer.allocate(room + MAX_DATA);
    }
  }

  private final int header;
  private final int maxPacket;
  private final boolean mayOverlap;
  private final Map<K, Unfinished> unfinished =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, Unfinished> eldest) {
          return size() > MAX_UNFINISHED;
        }
      };

  /**
   * @param header how much room to leave in front of the data of a whole packet
   * @param maxPacket the longest whole packet with its header
   * @param mayOverlap whether fragments may repeat bytes; a packet is dropped otherwise
   */
  Fragments(int header, int maxPacket, boolean mayOverlap) {
    this.header = header;
    this.maxPacket = maxPacket;
    this.mayOverlap = mayOverlap;
  }

  /**
   * Takes the data of a fragment between two indexes.
   *
   * @param offset where it belongs in the whole data
   * @return the packet it completes, with room for a header in front of the data, or null
   */
  @Nullable ByteBuffer add(K key, int offset, boolean last, ByteBuffer data, int from, int to) {
    int length = to - from;
    if (header + offset + length > maxPacket || (!last && length % 8 != 0)) {
      return null;
    }
    Unfinished packet = unfinished.computeIfAbsent(key, k -> new Unfinished(header));
    int block = offset / 8;
    int end = (offset + length + 7) / 8;
    if (!mayOverlap && packet.blocks.get(block, end).cardinality() > 0) {
      unfinished.remove(key);
      return null;
    }
    packet.bytes.put(header + offset, data, from, length);
    packet.blocks.set(block, end);
    if (last) {
      packet.length = offset + length;
    }
    if (packet.length < 0 || packet.blocks.nextClearBit(0) < (packet.length + 7) / 8) {
      return null;
    }
    unfinished.remove(key);
    return packet.bytes.position(0).limit(header + packet.length);
  }
}
