package org.liminix.testkit;

import java.net.InetAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;

/** One network card of a {@link LinuxHost}. Immutable. */
record LinuxCard(
    Network network,
    @Nullable MacAddress mac,
    @Nullable Integer mtu,
    List<HostAddress> addresses,
    List<InetAddress> gateways,
    boolean dhcp) {

  LinuxCard {
    addresses = List.copyOf(addresses);
    gateways = List.copyOf(gateways);
  }

  /** What has {@code ip -batch} make the card, which the kernel calls by that name, what it is. */
  String commands(String name, MacAddress address) {
    StringBuilder lines = new StringBuilder();
    lines.append("link set dev %s address %s".formatted(name, address));
    if (mtu != null) {
      lines.append(" mtu ").append(mtu);
    }
    lines.append("\nlink set dev ").append(name).append(" up\n");
    for (HostAddress own : addresses) {
      lines.append("address add %s dev %s%s\n".formatted(own, name, own.isIpv6() ? " nodad" : ""));
    }
    for (InetAddress gateway : gateways) {
      lines.append("route add default via %s dev %s\n".formatted(HostAddress.text(gateway), name));
    }
    return lines.toString();
  }
}
