package org.liminix.net;

import java.net.InetSocketAddress;

/**
 * A private {@link Segment} joined to a group of the multicast convention, so that a machine
 * started by hand takes part.
 *
 * <pre>{@code
 * try (Bridge bridge = segments.get(LAN).bridge(LAN)) {
 *   // qemu-system-mips … -netdev socket,id=lan,mcast=230.0.0.1:1235,localaddr=127.0.0.1
 *   pc.ping("192.168.19.1", Duration.ofMinutes(5));
 * }
 * }</pre>
 *
 * <p>The switch learns which stations are behind it, as behind any port: what two of this segment
 * say to each other stays here. Frames do not come back from the group to where they came from, and
 * a second way between the same two is refused, as far as this JVM can see. Cables, captures and
 * statistics know it by {@link #station}.
 *
 * <p>Thread-safe. Whoever made it closes it; closing the segments does so too.
 */
public final class Bridge implements AutoCloseable {
  private final MulticastPort port;

  Bridge(MulticastPort port) {
    this.port = port;
  }

  /** The group it leads to. */
  public InetSocketAddress group() {
    return port.group();
  }

  /** What its segment calls it. */
  public String station() {
    return port.name();
  }

  /** How many frames to the group were dropped because this machine was too slow. */
  public long dropped() {
    return port.dropped();
  }

  /** Separates the two. Idempotent. */
  @Override
  public void close() {
    port.close();
  }

  @Override
  public String toString() {
    return "Bridge[" + port.segment.network() + " to " + station() + "]";
  }
}
