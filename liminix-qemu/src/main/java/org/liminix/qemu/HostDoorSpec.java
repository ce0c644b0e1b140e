package org.liminix.qemu;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.net.internal.SharedStart;

/** An immutable description of a door. */
record HostDoorSpec(
    Network network,
    @Nullable String chosenName,
    Ipv4Prefix address,
    List<DoorGate.Place> forwards,
    Map<DoorGate.Place, Integer> exposed)
    implements Spec<HostDoor> {

  private static final AtomicInteger COUNT = new AtomicInteger();

  /** In the network of the user-mode stack that the door has for itself, see {@link #netdev}. */
  private static final int STACK_PREFIX = 16;

  HostDoorSpec {
    forwards = List.copyOf(forwards);
    exposed = Map.copyOf(exposed);
  }

  String name() {
    return chosenName == null ? network + "-door-" + COUNT.incrementAndGet() : chosenName;
  }

  /**
   * QEMU's user-mode network. The addresses of its servers are never seen, and so they need not fit
   * the segment: its network is larger than most, for they must differ from the door's, which is
   * that of "the host" in it. Without exposed ports it is told to connect nobody to this machine.
   */
  String netdev(String id) {
    int own = address.address();
    int network = own & Ipv4.mask(STACK_PREFIX);
    return "user,id=%s,ipv6=off,restrict=%s,net=%s/%d,host=%s,dns=%s,dhcpstart=%s"
        .formatted(
            id,
            exposed.isEmpty() ? "on" : "off",
            Ipv4.toString(network),
            STACK_PREFIX,
            Ipv4.toString(own),
            Ipv4.toString(own ^ 0x100),
            Ipv4.toString(own ^ 0x200));
  }

  @Override
  public HostDoor start(Segments segments) {
    return HostDoor.start(this, segments, () -> {});
  }

  @Override
  public HostDoor start() {
    return SharedStart.of((segments, onClose) -> HostDoor.start(this, segments, onClose));
  }
}
