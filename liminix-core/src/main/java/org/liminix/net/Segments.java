package org.liminix.net;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;

/**
 * The Ethernets of one bench, by name, and the loop on which they run.
 *
 * <pre>{@code
 * try (Segments segments = Segments.isolated();
 *     EthernetHost pc = EthernetHost.on(LAN).dhcp().start(segments);
 *     Vm router = Vm.mips().kernel(vmlinux).rootfs(squashfs).network(LAN, ACCESS).start(segments)) {
 *   pc.ping("192.168.8.1", Duration.ofSeconds(10));
 * }
 * }</pre>
 *
 * <p>Thread-safe. Close it after everything that was started on it.
 */
public final class Segments implements AutoCloseable {
  private final boolean shared;
  private final EventLoop loop;
  private final Map<String, Segment> segments = new LinkedHashMap<>();
  private boolean closed;

  private Segments(boolean shared) {
    this.shared = shared;
    this.loop = EventLoop.start(shared ? "segments-shared" : "segments");
  }

  /**
   * The networks of the multicast convention, which all programs on this machine share: those of
   * Liminix's scripts, VMs started by hand, other JVMs.
   */
  public static Segments multicast() {
    return new Segments(true);
  }

  /**
   * Networks of this bench alone: private switches in this JVM, made when they are first asked for.
   * Any number of benches run side by side without noticing each other.
   */
  public static Segments isolated() {
    return new Segments(false);
  }

  /**
   * The segment of that name; it is made if this is the first to ask.
   *
   * @throws NetworkException if these are the shared networks and this one has no group or cannot
   *     be joined
   * @throws IllegalArgumentException if another network of the same name is in use
   */
  public Segment get(Network network) {
    synchronized (segments) {
      if (closed) {
        throw new NetworkException(
            "These segments are closed; close them after what runs on them, " + network);
      }
      Segment known = segments.get(network.name());
      if (known == null) {
        Optional<java.net.InetSocketAddress> group = shared ? network.group() : Optional.empty();
        if (shared && group.isEmpty()) {
          throw new NetworkException(
              "Network %s has no multicast group: use Network.multicast(\"%s\", group), or Segments.isolated()"
                  .formatted(network, network));
        }
        known = Segment.open(network, loop, group);
        segments.put(network.name(), known);
      } else if (!known.network().equals(network)) {
        throw new IllegalArgumentException(
            "Two networks are called %s, with groups %s and %s: rename one of them"
                .formatted(network, known.network().group(), network.group()));
      }
      return known;
    }
  }

  /** Every segment asked for so far, in that order. */
  public Collection<Segment> all() {
    synchronized (segments) {
      return List.copyOf(segments.values());
    }
  }

  /** The loop that the segments share with the hosts and servers on them. */
  public EventLoop loop() {
    return loop;
  }

  /** Disconnects everything and ends the loop. Idempotent. */
  @Override
  public void close() {
    Collection<Segment> all;
    synchronized (segments) {
      closed = true;
      all = all();
    }
    try {
      loop.execute(() -> all.forEach(Segment::close));
    } catch (RejectedExecutionException e) {
      return; // closed before
    }
    loop.close();
  }

  @Override
  public String toString() {
    return "Segments[" + (shared ? "multicast" : "isolated") + "]";
  }
}
