package org.liminix.net.internal;

/**
 * An address and the network it is in, written {@code 10.0.0.2/24}.
 *
 * @param address the address with its host part
 * @param length of the network part, 0 to 32 bits
 */
public record Ipv4Prefix(int address, int length) {
  public static Ipv4Prefix parse(String text) {
    int slash = text.indexOf('/');
    if (slash > 0 && text.substring(slash + 1).matches("[12]?\\d|3[012]")) {
      return new Ipv4Prefix(
          Ipv4.parse(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)));
    }
    throw new IllegalArgumentException(
        "\""
            + text
            + "\" is no address with the length of its network; write one like 10.0.0.2/24");
  }

  public boolean contains(int other) {
    return ((other ^ address) & Ipv4.mask(length)) == 0;
  }

  /** The address of everybody in the network, which networks of one or two addresses lack. */
  public boolean isBroadcast(int other) {
    return length < 31 && other == (address | ~Ipv4.mask(length));
  }

  @Override
  public String toString() {
    return Ipv4.toString(address) + "/" + length;
  }
}
