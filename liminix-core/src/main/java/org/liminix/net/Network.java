package org.liminix.net;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The name of an emulated Ethernet, by which machines, hosts and the ISP say where they are
 * connected. Which frames it carries is decided by the {@link Segments} it is looked up in.
 *
 * <pre>{@code
 * Network dmz = Network.named("dmz");
 * EthernetHost.on(dmz).address("10.9.0.2/24").start(segments);
 * }</pre>
 *
 * <p>An immutable value.
 */
public final class Network {
  /** Between a router and its ISP: 230.0.0.1:1234 in the multicast convention of Liminix. */
  public static final Network ACCESS = liminix("access", 1234);

  /** The home network behind a router: 230.0.0.1:1235 in the multicast convention of Liminix. */
  public static final Network LAN = liminix("lan", 1235);

  /** What lies behind the ISP: 230.0.0.1:1236 in the multicast convention of Liminix. */
  public static final Network WORLD = liminix("world", 1236);

  private final String name;
  private final @Nullable InetSocketAddress group;

  private Network(String name, @Nullable InetSocketAddress group) {
    if (name.isBlank()) {
      throw new IllegalArgumentException("A network needs a name, for example \"dmz\"");
    }
    this.name = name;
    this.group = group;
  }

  /** A network that exists only as a private segment, see {@link Segments#isolated()}. */
  public static Network named(String name) {
    return new Network(name, null);
  }

  /**
   * A network that is also a multicast group, as QEMU's {@code -netdev socket,mcast=} has it.
   *
   * @param group an IPv4 multicast address and a port
   * @throws IllegalArgumentException if the address is not one of a group
   */
  public static Network multicast(String name, InetSocketAddress group) {
    requireGroup(name, group);
    return new Network(name, group);
  }

  static void requireGroup(String name, InetSocketAddress group) {
    if (group.isUnresolved()
        || group.getAddress().getAddress().length != 4
        || !group.getAddress().isMulticastAddress()
        || group.getPort() == 0) {
      throw new IllegalArgumentException(
          group
              + " is no IPv4 multicast group with a port; use one like 230.0.0.1:1234"
              + " or Network.named(\""
              + name
              + "\") for a private segment");
    }
  }

  private static Network liminix(String name, int port) {
    try {
      InetAddress group = InetAddress.getByAddress(new byte[] {(byte) 230, 0, 0, 1});
      return new Network(name, new InetSocketAddress(group, port));
    } catch (UnknownHostException e) {
      throw new AssertionError("four bytes are an address", e);
    }
  }

  /** What reports, captures and error messages call it. */
  public String name() {
    return name;
  }

  /** The multicast group it has in {@link Segments#multicast()}, if any. */
  public Optional<InetSocketAddress> group() {
    return Optional.ofNullable(group);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Network that && name.equals(that.name) && group().equals(that.group());
  }

  @Override
  public int hashCode() {
    return name.hashCode();
  }

  @Override
  public String toString() {
    return name;
  }
}
