package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.net.MacAddress;
import org.liminix.net.Segment;
import org.liminix.net.Station;

/**
 * A network card with IPv4 on it: ARP (RFC 826), the choice of the next hop, fragments. What
 * packets mean is the business of its {@link Owner}, a host or a router. Confined to the loop of
 * the segment.
 */
public final class Ipv4Interface {
  /** Who owns the card. */
  public interface Owner {
    /**
     * A valid packet came for this card, whatever address it bears.
     *
     * @param packet valid during the call
     * @param sender the card it came from
     */
    void received(ByteBuffer packet, long sender);

    /** Whether to answer for an address besides the card's own (RFC 1027). */
    default boolean proxies(int address) {
      return false;
    }

    /** A packet cannot be sent, for there is no next hop or it does not answer. */
    void unreachable(ByteBuffer packet, boolean noRoute);
  }

  private static final int ARP_LENGTH = 28;
  private static final int ARP_REQUEST = 1;
  private static final int ARP_REPLY = 2;
  private static final int ETHERNET_AND_IPV4 = 0x0001_0800;

  /** A question is asked after 0, 100, 300, 700 and 1500 ms and given up after 3100. */
  private static final Duration FIRST_PATIENCE = Duration.ofMillis(100);

  private static final int MAX_QUESTIONS = 5;

  /** What waits for an answer; more would be a burst nobody resolves. */
  private static final int MAX_WAITING = 64;

  private static final long STALE_NANOS = Duration.ofSeconds(60).toNanos();
  private static final int MAX_NEIGHBOURS = 4096;

  private final EventLoop loop;
  private final long mac;
  private final Owner owner;
  private final Station station;
  private final Map<Integer, Neighbour> neighbours = new HashMap<>();
  private final Map<Integer, CompletableFuture<Optional<MacAddress>>> probes = new HashMap<>();
  private final ByteBuffer frame = ByteBuffer.allocateDirect(Ethernet.HEADER + Ethernet.MTU);
  private final ByteBuffer fragment = ByteBuffer.allocateDirect(Ethernet.MTU);

  private @Nullable Ipv4Prefix address;
  private @Nullable Integer gateway;

  public Ipv4Interface(Segment segment, String name, MacAddress mac, Owner owner) {
    this.loop = segment.loop();
    this.mac = mac.toLong();
    this.owner = owner;
    this.station = segment.attach(name, this::received);
  }

  /** Gives the card an address and, if packets can leave the network, a gateway. */
  public void configure(Ipv4Prefix address, @Nullable Integer gateway) {
    this.address = address;
    this.gateway = gateway;
    announce(address.address());
  }

  public void unconfigure() {
    address = null;
    gateway = null;
  }

  public @Nullable Ipv4Prefix address() {
    return address;
  }

  public @Nullable Integer gateway() {
    return gateway;
  }

  /** Whether packets to this address are for the owner itself. */
  public boolean isOwn(int destination) {
    Ipv4Prefix own = address;
    return own != null && own.address() == destination;
  }

  public boolean isBroadcast(int destination) {
    Ipv4Prefix own = address;
    return destination == Ipv4.BROADCAST || (own != null && own.isBroadcast(destination));
  }

  /** Takes the card off the segment. From any thread. */
  public void close() {
    station.close();
  }

  private void received(ByteBuffer frame) {
    long destination = Ethernet.destination(frame);
    boolean group = (destination >> 40 & 1) != 0;
    if (destination != mac && !group) {
      return;
    }
    int type = Ethernet.type(frame);
    long sender = Ethernet.source(frame);
    frame.position(frame.position() + Ethernet.HEADER);
    if (type == Ethernet.ARP) {
      receivedArp(frame);
    } else if (type == Ethernet.IPV4 && Ipv4.accept(frame)) {
      owner.received(frame, sender);
    }
  }

  private void receivedArp(ByteBuffer arp) {
    int at = arp.position();
    if (arp.remaining() < ARP_LENGTH
        || arp.getInt(at) != ETHERNET_AND_IPV4
        || arp.getShort(at + 4) != 0x0604) {
      return;
    }
    long senderMac = Ethernet.mac(arp, at + 8);
    int senderAddress = arp.getInt(at + 14);
    int target = arp.getInt(at + 24);
    CompletableFuture<Optional<MacAddress>> probe = probes.remove(senderAddress);
    if (probe != null) {
      probe.complete(Optional.of(MacAddress.of(senderMac)));
    }
    boolean forUs = isOwn(target) || owner.proxies(target);
    // RFC 826: refresh what is known, and learn who talks to us.
    Neighbour neighbour = neighbours.get(senderAddress);
    if (neighbour != null) {
      neighbour.found(senderMac);
    } else if (forUs && senderAddress != 0 && neighbours.size() < MAX_NEIGHBOURS) {
      neighbour = new Neighbour(senderAddress);
      neighbours.put(senderAddress, neighbour);
      neighbour.found(senderMac);
    }
    if (forUs && arp.getShort(at + 6) == ARP_REQUEST && !isOwn(senderAddress)) {
      sendArp(
          ARP_REPLY, senderMac, /* spokenFor= */ target, senderMac, /* target= */ senderAddress);
    }
  }

  private void sendArp(int operation, long to, int spokenFor, long targetMac, int target) {
    frame.clear();
    Ethernet.putHeader(frame, to, mac, Ethernet.ARP);
    frame.putInt(ETHERNET_AND_IPV4).putShort((short) 0x0604).putShort((short) operation);
    Ethernet.putMac(frame, mac);
    frame.putInt(spokenFor);
    Ethernet.putMac(frame, targetMac);
    frame.putInt(target);
    station.send(frame.flip());
  }

  /** Tells everybody who knew another card under this address (RFC 5227 section 3). */
  private void announce(int own) {
    sendArp(ARP_REQUEST, MacAddress.BROADCAST.toLong(), own, 0, own);
  }

  /**
   * Asks whether a card on this segment has an address, and waits so long for it to say so (RFC
   * 5227). On the loop.
   *
   * @return the card that has it, or nothing if none says so in time
   */
  public CompletableFuture<Optional<MacAddress>> probe(int ip, Duration patience) {
    CompletableFuture<Optional<MacAddress>> probe =
        probes.computeIfAbsent(ip, asked -> new CompletableFuture<>());
    Ipv4Prefix own = address;
    sendArp(ARP_REQUEST, MacAddress.BROADCAST.toLong(), own == null ? 0 : own.address(), 0, ip);
    var unused =
        loop.schedule(
            patience,
            () -> {
              probes.remove(ip, probe);
              probe.complete(Optional.empty());
            });
    return probe;
  }

  /**
   * Takes for granted which card has an address, until ARP tells otherwise: a DHCP client hears
   * what is sent to its future address before it answers for it. On the loop.
   */
  public void learn(int ip, long mac) {
    neighbours.computeIfAbsent(ip, Neighbour::new).found(mac);
  }

  /**
   * Sends a packet to its next hop, in fragments if it is too long.
   *
   * @param packet complete, from position to limit; copied before this returns
   */
  public void send(ByteBuffer packet) {
    int destination = Ipv4.destination(packet);
    if (isBroadcast(destination)) {
      transmit(packet, MacAddress.BROADCAST.toLong());
    } else if (Ipv4.isMulticast(destination)) {
      transmit(packet, 0x0100_5e00_0000L | (destination & 0x7f_ffff)); // RFC 1112 section 6.4
    } else if (isOwn(destination)) {
      ByteBuffer copy = copy(packet);
      loop.execute(() -> owner.received(copy, mac));
    } else {
      Ipv4Prefix own = address;
      Integer hop =
          own != null && own.contains(destination) ? Integer.valueOf(destination) : gateway;
      if (hop == null) {
        owner.unreachable(packet, true);
      } else {
        neighbours.computeIfAbsent(hop, Neighbour::new).send(packet);
      }
    }
  }

  private void transmit(ByteBuffer packet, long to) {
    if (packet.remaining() <= Ethernet.MTU) {
      transmitFrame(packet, to);
    } else {
      Ipv4.fragment(packet, Ethernet.MTU, fragment, part -> transmitFrame(part, to));
    }
  }

  private void transmitFrame(ByteBuffer packet, long to) {
    frame.clear();
    Ethernet.putHeader(frame, to, mac, Ethernet.IPV4);
    frame.put(packet.duplicate());
    station.send(frame.flip());
  }

  private static ByteBuffer copy(ByteBuffer packet) {
    return ByteBuffer.allocate(packet.remaining()).put(packet.duplicate()).flip();
  }

  /** The card that has an address on this segment, if it has told. On the loop. */
  public Optional<MacAddress> neighbour(int ip) {
    Neighbour neighbour = neighbours.get(ip);
    return neighbour != null && neighbour.known
        ? Optional.of(MacAddress.of(neighbour.foundMac))
        : Optional.empty();
  }

  /** Another card on this segment: where it is, or the question where it is. */
  private final class Neighbour {
    private final int ip;
    private final Queue<ByteBuffer> waiting = new ArrayDeque<>();
    private boolean known;
    private long foundMac;
    private long foundNanos;
    private int questions;
    private EventLoop.@Nullable Timer patience;

    Neighbour(int ip) {
      this.ip = ip;
    }

    void send(ByteBuffer packet) {
      if (known) {
        transmit(packet, foundMac);
        if (patience == null && System.nanoTime() - foundNanos > STALE_NANOS) {
          ask(); // and go on using what is known meanwhile
        }
      } else {
        if (waiting.size() < MAX_WAITING) {
          waiting.add(copy(packet));
        }
        if (patience == null) {
          ask();
        }
      }
    }

    private void ask() {
      if (questions == MAX_QUESTIONS) {
        giveUp();
        return;
      }
      Ipv4Prefix own = address;
      sendArp(ARP_REQUEST, MacAddress.BROADCAST.toLong(), own == null ? 0 : own.address(), 0, ip);
      patience = loop.schedule(FIRST_PATIENCE.multipliedBy(1L << questions), this::ask);
      questions++;
    }

    private void giveUp() {
      neighbours.remove(ip);
      waiting.forEach(packet -> owner.unreachable(packet, false));
    }

    void found(long mac) {
      known = true;
      foundMac = mac;
      foundNanos = System.nanoTime();
      questions = 0;
      if (patience != null) {
        patience.cancel();
        patience = null;
      }
      for (ByteBuffer packet = waiting.poll(); packet != null; packet = waiting.poll()) {
        transmit(packet, mac);
      }
    }
  }
}
