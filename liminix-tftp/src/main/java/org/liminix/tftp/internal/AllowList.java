package org.liminix.tftp.internal;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;

/** Who may ask: addresses, networks and, where the host knows them, hardware addresses. */
public final class AllowList {
  private static final Pattern MAC =
      Pattern.compile("[0-9a-f]{2}([:-][0-9a-f]{2}){5}", Pattern.CASE_INSENSITIVE);

  private final boolean anyone;
  private final List<Network> networks = new ArrayList<>();
  private final Set<String> macs = new HashSet<>();

  private AllowList(boolean anyone) {
    this.anyone = anyone;
  }

  /** A list that everybody is on. */
  public static AllowList anyone() {
    return new AllowList(true);
  }

  /**
   * Reads a list.
   *
   * @throws IllegalArgumentException if an entry is none of the three; the message names it
   */
  public static AllowList of(List<String> entries) {
    AllowList list = new AllowList(false);
    for (String entry : entries) {
      if (MAC.matcher(entry).matches()) {
        list.macs.add(canonical(entry));
      } else {
        list.networks.add(Network.parse(entry));
      }
    }
    return list;
  }

  /** Whether hardware addresses must be known to decide. */
  public boolean needsHardwareAddresses() {
    return !macs.isEmpty();
  }

  /** Whether a client is on the list. */
  public boolean allows(
      InetAddress client, Function<InetAddress, Optional<String>> hardwareAddress) {
    if (anyone) {
      return true;
    }
    for (Network network : networks) {
      if (network.contains(client)) {
        return true;
      }
    }
    return !macs.isEmpty()
        && hardwareAddress
            .apply(client)
            .map(AllowList::canonical)
            .filter(macs::contains)
            .isPresent();
  }

  private static String canonical(String mac) {
    return mac.toLowerCase(Locale.ROOT).replace('-', ':');
  }

  private static final class Network {
    private final byte[] address;
    private final int prefix;

    private Network(byte[] address, int prefix) {
      this.address = address;
      this.prefix = prefix;
    }

    static Network parse(String entry) {
      int slash = entry.indexOf('/');
      String address = slash < 0 ? entry : entry.substring(0, slash);
      if (!InetAddresses.isInetAddress(address)) {
        throw new IllegalArgumentException(
            "\""
                + entry
                + "\" is no address, network or MAC; write 192.168.8.251, 192.168.8.0/24,"
                + " fd00::/8 or 52:54:00:12:34:56");
      }
      byte[] bytes = InetAddresses.forString(address).getAddress();
      int bits = bytes.length * 8;
      int prefix = slash < 0 ? bits : prefix(entry, entry.substring(slash + 1), bits);
      for (int bit = prefix; bit < bits; bit++) {
        if ((bytes[bit / 8] >> (7 - bit % 8) & 1) != 0) {
          throw new IllegalArgumentException(
              "\""
                  + entry
                  + "\" has bits set behind its prefix; write the network's own address,"
                  + " or the address without a prefix");
        }
      }
      return new Network(bytes, prefix);
    }

    private static int prefix(String entry, String text, int bits) {
      long prefix = text.length() > 3 ? -1 : Negotiation.number(text);
      if (prefix < 0 || prefix > bits) {
        throw new IllegalArgumentException(
            "\"" + entry + "\" needs a prefix length from 0 to " + bits + " behind the slash");
      }
      return (int) prefix;
    }

    boolean contains(InetAddress client) {
      byte[] other = client.getAddress();
      if (other.length != address.length) {
        return false;
      }
      int whole = prefix / 8;
      for (int i = 0; i < whole; i++) {
        if (other[i] != address[i]) {
          return false;
        }
      }
      int rest = prefix % 8;
      return rest == 0 || ((other[whole] ^ address[whole]) & 0xff) >> (8 - rest) == 0;
    }
  }
}
