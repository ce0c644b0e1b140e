package org.liminix.net;

import com.google.common.io.ByteArrayDataOutput;
import com.google.common.io.ByteStreams;
import com.google.common.primitives.Ints;
import java.time.Duration;
import java.util.List;
import org.liminix.net.internal.Ipv4Prefix;

/** Values of options as RFC 2132 and RFC 3442 have them. */
final class DhcpOptions {
  private DhcpOptions() {}

  /** A way to a network. */
  record Route(Ipv4Prefix network, int router) {}

  static byte[] addresses(int... addresses) {
    ByteArrayDataOutput out = ByteStreams.newDataOutput();
    for (int address : addresses) {
      out.writeInt(address);
    }
    return out.toByteArray();
  }

  /** A time, of which all bits set mean forever. */
  static byte[] seconds(Duration time) {
    return Ints.toByteArray((int) time.toSeconds());
  }

  /** RFC 3442: of each network only the bytes that its prefix reaches into. */
  static byte[] routes(List<Route> routes) {
    ByteArrayDataOutput out = ByteStreams.newDataOutput();
    for (Route route : routes) {
      int length = route.network().length();
      out.writeByte(length);
      out.write(Ints.toByteArray(route.network().address()), 0, (length + 7) / 8);
      out.writeInt(route.router());
    }
    return out.toByteArray();
  }
}
