package org.liminix.tftp;

import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Remembers which clients lose packets in large windows, to offer them smaller ones next time: a
 * network chip with eight receive buffers will not have more tomorrow. Used on one event loop only.
 */
final class LossMemory {
  /** Clients remembered, the least recently seen forgotten first. */
  private static final int CLIENTS = 1024;

  /** A lost packet in a long transfer is no sign of a small buffer. */
  private static final int TOLERATED = 3;

  private final Map<InetAddress, Integer> windows =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<InetAddress, Integer> eldest) {
          return size() > CLIENTS;
        }
      };

  /** The largest window to offer. */
  int windowFor(InetAddress client, int most) {
    return Math.min(most, windows.getOrDefault(client, most));
  }

  /**
   * Learns from a transfer that is over.
   *
   * @param borne how many blocks at once the client bore: a window of as many needs no pauses, and
   *     is faster by far than a large one with a pause behind every block
   */
  void learn(InetAddress client, int window, int losses, int borne) {
    if (window > 1 && losses > TOLERATED) {
      windows.put(client, Math.max(1, Math.min(borne, window / 2)));
    } else if (losses == 0 && windows.containsKey(client)) {
      windows.compute(client, (key, known) -> known == null || known >= 1024 ? null : known + 1);
    }
  }
}
