package org.liminix.tftp;

import java.net.InetAddress;
import java.util.HashMap;
import java.util.Map;

/**
 * The memory for windows. An address may take half of what the others leave, so there is something
 * for each further one, however much the first would like. Used on one event loop only.
 */
final class WindowMemory {
  private final long most;
  private final Map<InetAddress, Long> taken = new HashMap<>();
  private long total;

  WindowMemory(long most) {
    this.most = most;
  }

  /** How many bytes more an address may take. */
  long shareOf(InetAddress client) {
    long own = taken.getOrDefault(client, 0L);
    return Math.max(0, (most - (total - own)) / 2 - own);
  }

  /** Takes bytes, or gives them back if negative. */
  void take(InetAddress client, long bytes) {
    total += bytes;
    taken.merge(client, bytes, (before, more) -> before + more == 0 ? null : before + more);
  }
}
