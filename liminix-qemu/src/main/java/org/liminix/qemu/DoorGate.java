package org.liminix.qemu;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Annex;
import org.liminix.net.internal.Checksum;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Reassembly;

/**
 * What passes between a segment and QEMU's user-mode network: ARP and pings of the door's own
 * address, connections to forwarded places and from them, and connections to exposed ports, which
 * are translated. Nothing else does: neither the DHCP, TFTP and DNS servers of that network are
 * seen on the segment, nor can anybody there reach this machine or what lies beyond it.
 */
final class DoorGate implements Annex.Gate {
  static final int TCP = 6;

  /** RFC 826, for Ethernet and IPv4: where the addresses of the protocol are in a message. */
  private static final int ARP_LENGTH = 28;

  private static final int ARP_SENDER = 14;
  private static final int ARP_TARGET = 24;

  /** How many conversations it remembers; a host in a test holds fewer at a time. */
  private static final int MAX_FLOWS = 16_384;

  /** A port of some computer. */
  record Place(int protocol, int address, int port) {}

  /** Between a forwarded place and a port of the door. */
  private record Flow(Place place, int port) {}

  private final int address;
  private final Map<Place, Integer> exposed; // at the door's address
  private final Map<Place, Integer> hidden = new ConcurrentHashMap<>(); // the other way
  private final Set<Place> forwarded = ConcurrentHashMap.newKeySet();
  private final Reassembly reassembly = new Reassembly(); // confined to the segment's loop

  private final Map<Flow, Boolean> flows = // guarded by itself
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Flow, Boolean> eldest) {
          return size() > MAX_FLOWS;
        }
      };

  /**
   * @param exposed the ports of this machine's loopback interface by places at the door's address
   */
  DoorGate(int address, Map<Place, Integer> exposed) {
    this.address = address;
    this.exposed = Map.copyOf(exposed);
    exposed.forEach(
        (place, port) -> hidden.put(new Place(place.protocol(), address, port), place.port()));
  }

  /** Lets connections to that place out, and what belongs to them in. */
  void forward(Place place) {
    forwarded.add(place);
  }

  @Override
  public @Nullable ByteBuffer inward(ByteBuffer frame) {
    int type = Ethernet.type(frame);
    if (type == Ethernet.ARP && arp(frame, ARP_TARGET) == address) {
      return frame;
    }
    ByteBuffer whole = type == Ethernet.IPV4 ? whole(frame) : null;
    return whole == null ? null : packetInward(whole);
  }

  /** The protocol address at that place of an ARP message, or 0. */
  private static int arp(ByteBuffer frame, int at) {
    return frame.remaining() < Ethernet.HEADER + ARP_LENGTH
        ? 0
        : frame.getInt(frame.position() + Ethernet.HEADER + at);
  }

  /** The frame with all of its packet, if it is whole, or the last fragment of one that is. */
  private @Nullable ByteBuffer whole(ByteBuffer frame) {
    ByteBuffer packet = packet(frame);
    if (packet == null || Ipv4.destination(packet) != address) {
      return null;
    }
    if (!Ipv4.isFragment(packet)) {
      return frame;
    }
    ByteBuffer all = reassembly.add(packet);
    return all == null
        ? null
        : ByteBuffer.allocate(Ethernet.HEADER + all.remaining())
            .put(frame.slice(frame.position(), Ethernet.HEADER))
            .put(all)
            .flip();
  }

  private static @Nullable ByteBuffer packet(ByteBuffer frame) {
    ByteBuffer packet = frame.duplicate();
    packet.position(frame.position() + Ethernet.HEADER);
    return Ipv4.accept(packet) ? packet : null;
  }

  private @Nullable ByteBuffer packetInward(ByteBuffer frame) {
    ByteBuffer packet = packet(frame);
    if (packet == null) {
      return null;
    }
    int protocol = Ipv4.protocol(packet);
    if (protocol == Ipv4.ICMP) {
      return frame;
    }
    if (!hasPorts(packet)) {
      return null;
    }
    int from = port(packet, 0);
    int to = port(packet, 2);
    Flow flow = new Flow(new Place(protocol, Ipv4.source(packet), from), to);
    synchronized (flows) {
      if (flows.get(flow) != null) {
        return frame;
      }
    }
    Integer local = exposed.get(new Place(protocol, address, to));
    return local == null ? null : withPort(frame, packet, 2, local);
  }

  @Override
  public @Nullable ByteBuffer outward(ByteBuffer frame) {
    int type = Ethernet.type(frame);
    if (type == Ethernet.ARP && arp(frame, ARP_SENDER) == address) {
      return frame;
    }
    return type == Ethernet.IPV4 ? packetOutward(frame) : null;
  }

  private @Nullable ByteBuffer packetOutward(ByteBuffer frame) {
    ByteBuffer packet = packet(frame);
    if (packet == null || Ipv4.source(packet) != address) {
      return null;
    }
    int protocol = Ipv4.protocol(packet);
    // A later fragment is of use only to who has the first.
    if (protocol == Ipv4.ICMP || Ipv4.fragmentOffset(packet) > 0) {
      return frame;
    }
    if (!hasPorts(packet)) {
      return null;
    }
    int from = port(packet, 0);
    Place to = new Place(protocol, Ipv4.destination(packet), port(packet, 2));
    if (forwarded.contains(to)) {
      synchronized (flows) {
        flows.put(new Flow(to, from), true);
      }
      return frame;
    }
    Integer outer = hidden.get(new Place(protocol, address, from));
    return outer == null ? null : withPort(frame, packet, 0, outer);
  }

  private static boolean hasPorts(ByteBuffer packet) {
    int length = packet.remaining() - Ipv4.headerLength(packet);
    return switch (Ipv4.protocol(packet)) {
      case TCP -> length >= 20;
      case Ipv4.UDP -> length >= 8;
      default -> false;
    };
  }

  /** TCP (RFC 9293 section 3.1) and UDP (RFC 768) both begin with the source's port. */
  private static int port(ByteBuffer packet, int at) {
    return Short.toUnsignedInt(packet.getShort(packet.position() + Ipv4.headerLength(packet) + at));
  }

  /** A copy of the frame with another port. */
  private static ByteBuffer withPort(ByteBuffer frame, ByteBuffer packet, int at, int port) {
    ByteBuffer copy = ByteBuffer.allocate(frame.remaining()).put(frame.duplicate()).flip();
    int start = packet.position() - frame.position() + Ipv4.headerLength(packet);
    boolean udp = Ipv4.protocol(packet) == Ipv4.UDP;
    int checksumAt = start + (udp ? 6 : 16);
    int old = Short.toUnsignedInt(copy.getShort(start + at));
    int checksum = Short.toUnsignedInt(copy.getShort(checksumAt));
    copy.putShort(start + at, (short) port);
    if (!udp || checksum != 0) { // which stands for none in UDP
      int updated = Checksum.updated(checksum, (~old & 0xffff) + port);
      copy.putShort(checksumAt, (short) (udp && updated == 0 ? 0xffff : updated));
    }
    return copy;
  }
}
