package org.liminix.net;

import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Prefix;

/**
 * Describes an {@link EthernetHost}. A host that is told neither {@link #address} nor {@link #dhcp}
 * starts without an address, for tests that take it through DHCP step by step.
 *
 * <pre>{@code
 * Spec<EthernetHost> pc = EthernetHost.on(LAN).name("pc").dhcp().spec();
 * }</pre>
 *
 * <p>Not thread-safe.
 */
public final class EthernetHostBuilder {
  private final Network network;
  private @Nullable String name;
  private @Nullable MacAddress mac;
  private @Nullable Ipv4Prefix address;
  private @Nullable Integer gateway;
  private boolean dhcp;

  EthernetHostBuilder(Network network) {
    this.network = network;
  }

  /** What captures, messages and the DHCP server call it; otherwise a name is made up. */
  public EthernetHostBuilder name(String name) {
    refuseOrder(this.name != null, "name \"" + this.name + "\" was given before; give one");
    refuse(name.isBlank(), "a name must not be blank");
    this.name = name;
    return this;
  }

  /** The address of its card; otherwise each start makes up another. */
  public EthernetHostBuilder mac(MacAddress mac) {
    refuseOrder(this.mac != null, "mac " + this.mac + " was given before; give one");
    refuse(mac.isMulticast(), mac + " is the address of a group; use MacAddress.random()");
    this.mac = mac;
    return this;
  }

  /** Its IPv4 address and the length of its network, as {@code 10.0.0.2/24}. */
  public EthernetHostBuilder address(String address) {
    refuseOrder(this.address != null, "address " + this.address + " was given before; give one");
    refuseOrder(dhcp, "the address comes from dhcp(); leave out one of the two");
    this.address = Ipv4Prefix.parse(address);
    return this;
  }

  /** Where packets for other networks go, as {@code 10.0.0.1}; after {@link #address}. */
  public EthernetHostBuilder gateway(String gateway) {
    refuseOrder(this.gateway != null, "a gateway was given before; give one");
    refuseOrder(dhcp, "the gateway comes from dhcp(); leave out one of the two");
    Ipv4Prefix own = address;
    refuseOrder(own == null, "give address(\"…/…\") before the gateway");
    int parsed = Ipv4.parse(gateway);
    refuse(
        own == null || !own.contains(parsed) || parsed == own.address(),
        "gateway " + gateway + " must be another address of the network of " + own);
    this.gateway = parsed;
    return this;
  }

  /** Gets address and gateway by DHCP, in the background, from the start until it has them. */
  public EthernetHostBuilder dhcp() {
    refuseOrder(dhcp, "dhcp() was called before; call it once");
    refuseOrder(address != null, "address " + address + " was given; leave out one of the two");
    this.dhcp = true;
    return this;
  }

  private static void refuse(boolean badValue, String message) {
    if (badValue) {
      throw new IllegalArgumentException("EthernetHost: " + message);
    }
  }

  private static void refuseOrder(boolean contradiction, String message) {
    if (contradiction) {
      throw new IllegalStateException("EthernetHost: " + message);
    }
  }

  /** The description as an immutable value, to be started any number of times. */
  public Spec<EthernetHost> spec() {
    return new EthernetHostSpec(network, name, mac, address, gateway, dhcp);
  }

  /** Starts it on the given networks. */
  public EthernetHost start(Segments segments) {
    return spec().start(segments);
  }

  /** Starts it on the shared networks of the multicast convention. */
  public EthernetHost start() {
    return spec().start();
  }
}
