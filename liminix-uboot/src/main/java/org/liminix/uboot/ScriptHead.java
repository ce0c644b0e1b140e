package org.liminix.uboot;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** What both kinds of script begin with: who serves the files, who asks, and where they go. */
final class ScriptHead {
  private final Setting<String> serverIp = new Setting<>("serverIp");
  private final Setting<String> ipAddress = new Setting<>("ipAddress");
  private final Setting<Long> loadAddress = new Setting<>("loadAddress");

  void serverIp(String address) {
    serverIp.set(checked("serverIp", address));
  }

  void ipAddress(String address) {
    ipAddress.set(checked("ipAddress", address));
  }

  void loadAddress(long address) {
    if (address < 0) {
      throw new IllegalArgumentException("loadAddress 0x%x is beyond 63 bits".formatted(address));
    }
    loadAddress.set(address);
  }

  long loadAddress() {
    return loadAddress.require("U-Boot must be told where to load to");
  }

  List<String> lines() {
    return new ArrayList<>(
        List.of(
            "setenv serverip " + serverIp.require("U-Boot must be told whom to ask for files"),
            "setenv ipaddr " + ipAddress.require("U-Boot must be told its own address")));
  }

  private static String checked(String setter, String address) {
    try {
      // Digits and dots only, or the name would be looked up.
      if (address.matches("[0-9.]+")
          && InetAddress.getByName(address) instanceof Inet4Address parsed
          && address.equals(parsed.getHostAddress())) {
        return address;
      }
    } catch (UnknownHostException e) {
      // falls through: it is no address
    }
    throw new IllegalArgumentException(
        setter + " must be an IPv4 address such as 10.0.0.1, not " + address);
  }
}
