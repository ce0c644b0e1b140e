package org.liminix.qemu;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Prefix;

/**
 * Describes a {@link HostDoor}.
 *
 * <pre>{@code
 * Spec<HostDoor> door = HostDoor.on(LAN).address("192.168.1.250/24").forward("192.168.1.1", 80).spec();
 * }</pre>
 *
 * <p>Not thread-safe.
 */
public final class HostDoorBuilder {
  private final Network network;
  private @Nullable String name;
  private @Nullable Ipv4Prefix address;
  private final List<DoorGate.Place> forwards = new ArrayList<>();
  private final Map<DoorGate.Place, Integer> exposed = new LinkedHashMap<>();

  HostDoorBuilder(Network network) {
    this.network = network;
  }

  /** What captures and messages call it; otherwise a name is made up. */
  public HostDoorBuilder name(String name) {
    refuseOrder(this.name != null, "name \"" + this.name + "\" was given before; give one");
    refuse(name.isBlank(), "a name must not be blank");
    this.name = name;
    return this;
  }

  /** The address that it has on the network, which nobody else has, as {@code 192.168.1.250/24}. */
  public HostDoorBuilder address(String address) {
    refuseOrder(this.address != null, "address " + this.address + " was given before; give one");
    this.address = Ipv4Prefix.parse(address);
    return this;
  }

  /**
   * Makes a TCP port of a computer on the network reachable from this machine, see {@link
   * HostDoor#port}; after {@link #address}.
   *
   * @param host an IPv4 address of the same network; names are not looked up
   */
  public HostDoorBuilder forward(String host, int port) {
    return forward(DoorGate.TCP, host, port);
  }

  /** As {@link #forward}, for UDP, see {@link HostDoor#udpPort}. */
  public HostDoorBuilder forwardUdp(String host, int port) {
    return forward(Ipv4.UDP, host, port);
  }

  private HostDoorBuilder forward(int protocol, String host, int port) {
    DoorGate.Place place = place(own(), protocol, host, port);
    refuseOrder(forwards.contains(place), host + " port " + port + " was given before");
    forwards.add(place);
    return this;
  }

  /** What is forwarded, checked. */
  static DoorGate.Place place(Ipv4Prefix own, int protocol, String host, int port) {
    int address = Ipv4.parse(host);
    refuse(
        !own.contains(address) || own.address() == address,
        host
            + " must be another address of the network of "
            + own
            + ", for the door has no gateway");
    refusePort(port);
    return new DoorGate.Place(protocol, address, port);
  }

  /**
   * Makes a TCP server of this machine, in this JVM perhaps, reachable from the network at the
   * door's address; after {@link #address}.
   *
   * @param port at the door's address
   * @param localPort on which the server listens at 127.0.0.1, or everywhere
   */
  public HostDoorBuilder expose(int port, int localPort) {
    return expose(DoorGate.TCP, port, localPort);
  }

  /** As {@link #expose}, for UDP. */
  public HostDoorBuilder exposeUdp(int port, int localPort) {
    return expose(Ipv4.UDP, port, localPort);
  }

  private HostDoorBuilder expose(int protocol, int port, int localPort) {
    refusePort(port);
    refusePort(localPort);
    DoorGate.Place place = new DoorGate.Place(protocol, own().address(), port);
    refuseOrder(exposed.containsKey(place), "port " + port + " was exposed before");
    refuseOrder(
        exposed.entrySet().stream()
            .anyMatch(
                other -> other.getKey().protocol() == protocol && other.getValue() == localPort),
        "local port " + localPort + " was exposed before; one is exposed once");
    exposed.put(place, localPort);
    return this;
  }

  private Ipv4Prefix own() {
    Ipv4Prefix own = address;
    if (own == null) {
      throw new IllegalStateException("HostDoor: give address(\"…/…\") first");
    }
    return own;
  }

  private static void refusePort(int port) {
    refuse(port < 1 || port > 65_535, port + " is no port; they are 1 to 65535");
  }

  private static void refuse(boolean badValue, String message) {
    if (badValue) {
      throw new IllegalArgumentException("HostDoor: " + message);
    }
  }

  private static void refuseOrder(boolean contradiction, String message) {
    if (contradiction) {
      throw new IllegalStateException("HostDoor: " + message);
    }
  }

  /** The description as an immutable value, to be started any number of times. */
  public Spec<HostDoor> spec() {
    return new HostDoorSpec(network, name, own(), forwards, exposed);
  }

  /** Opens it on the given networks. */
  public HostDoor start(Segments segments) {
    return spec().start(segments);
  }

  /** Opens it on the shared networks of the multicast convention. */
  public HostDoor start() {
    return spec().start();
  }
}
