package org.liminix.net;

import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.net.internal.Ipv6Address;
import org.liminix.net.internal.Ipv6Prefix;

/**
 * Describes an {@link EthernetHost}. A host that is told neither {@link #address} nor {@link #dhcp}
 * starts without an IPv4 address, for tests that take it through DHCP step by step.
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
  private @Nullable Ipv6Prefix ipv6Address;
  private @Nullable Ipv6Address ipv6Gateway;
  private boolean withoutIpv6;
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

  /**
   * Its address and the length of its network, as {@code 10.0.0.2/24} or {@code 2001:db8::2/64};
   * one of each kind. With an IPv6 address it does not make itself others.
   */
  public EthernetHostBuilder address(String address) {
    if (address.indexOf(':') >= 0) {
      return ipv6Address(Ipv6Prefix.parse(address));
    }
    refuseOrder(this.address != null, "address " + this.address + " was given before; give one");
    refuseOrder(dhcp, "the address comes from dhcp(); leave out one of the two");
    this.address = Ipv4Prefix.parse(address);
    return this;
  }

  private EthernetHostBuilder ipv6Address(Ipv6Prefix address) {
    refuseOrder(
        ipv6Address != null, "address " + ipv6Address + " was given before; give one of each kind");
    refuseOrder(withoutIpv6, "it is withoutIpv6(); leave out one of the two");
    Ipv6Address own = address.address();
    refuse(
        own.isMulticast() || own.isUnspecified() || own.isLoopback(),
        own + " is no host's address; give one like 2001:db8::2/64");
    this.ipv6Address = address;
    return this;
  }

  /**
   * Where packets for other networks go, as {@code 10.0.0.1}, {@code 2001:db8::1} or {@code
   * fe80::1}; after the {@link #address} of its kind.
   */
  public EthernetHostBuilder gateway(String gateway) {
    if (gateway.indexOf(':') >= 0) {
      return ipv6Gateway(Ipv6Address.parse(gateway));
    }
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

  private EthernetHostBuilder ipv6Gateway(Ipv6Address gateway) {
    refuseOrder(ipv6Gateway != null, "an IPv6 gateway was given before; give one");
    Ipv6Prefix own = ipv6Address;
    refuseOrder(
        own == null,
        "give an IPv6 address(\"…/…\") before the gateway; without one, routers advertise themselves");
    refuse(
        own == null
            || gateway.equals(own.address())
            || !(gateway.isLinkLocal() || own.contains(gateway)),
        "gateway %s must be another address of the network of %s, or one of the link as fe80::1"
            .formatted(gateway, own));
    this.ipv6Gateway = gateway;
    return this;
  }

  /** Leaves it without IPv6, as old hosts are. */
  public EthernetHostBuilder withoutIpv6() {
    refuseOrder(withoutIpv6, "withoutIpv6() was called before; call it once");
    refuseOrder(
        ipv6Address != null, "address " + ipv6Address + " was given; leave out one of the two");
    this.withoutIpv6 = true;
    return this;
  }

  /**
   * Gets its IPv4 address and gateway by DHCP, in the background, from the start until it has them.
   */
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
    return new EthernetHostSpec(
        network, name, mac, address, gateway, dhcp, !withoutIpv6, ipv6Address, ipv6Gateway);
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
