package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.liminix.net.MacAddress;

/**
 * IPv4 on a network card: ARP (RFC 826), the choice of the next hop, fragments. What packets mean
 * is the business of its {@link Owner}, a host or a router. Confined to the loop of the segment.
 */
public final class Ipv4Interface implements EthernetCard.Handler {
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

  private static final Duration FRESH = Duration.ofSeconds(60);

  private final EthernetCard card;
  private final Owner owner;
  private final Neighbours<Integer> neighbours;
  private final ByteBuffer arp = ByteBuffer.allocateDirect(ARP_LENGTH);
  private final Map<Integer, CompletableFuture<Optional<MacAddress>>> probes = new HashMap<>();
  private final ByteBuffer fragment = ByteBuffer.allocateDirect(Ethernet.MTU);

  private @Nullable Ipv4Prefix address;
  private @Nullable Integer gateway;

  public Ipv4Interface(EthernetCard card, Owner owner) {
    this.card = card;
    this.owner = owner;
    ArpLink link = new ArpLink();
    this.neighbours = new Neighbours<>(card.loop(), FRESH, link);
    card.handle(Ethernet.ARP, link);
    card.handle(Ethernet.IPV4, this);
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

  @Override
  public void received(ByteBuffer packet, long sender) {
    if (Ipv4.accept(packet)) {
      owner.received(packet, sender);
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
    if (forUs && senderAddress != 0) {
      neighbours.heard(senderAddress, senderMac);
    }
    neighbours.answered(senderAddress, senderMac);
    if (forUs && arp.getShort(at + 6) == ARP_REQUEST && !isOwn(senderAddress)) {
      sendArp(
          ARP_REPLY, senderMac, /* spokenFor= */ target, senderMac, /* target= */ senderAddress);
    }
  }

  private void sendArp(int operation, long to, int spokenFor, long targetMac, int target) {
    arp.clear();
    arp.putInt(ETHERNET_AND_IPV4).putShort((short) 0x0604).putShort((short) operation);
    Ethernet.putMac(arp, card.mac());
    arp.putInt(spokenFor);
    Ethernet.putMac(arp, targetMac);
    arp.putInt(target);
    card.send(Ethernet.ARP, to, arp.flip());
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
        card.loop()
            .schedule(
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
    neighbours.learn(ip, mac);
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
      ByteBuffer copy = ByteBuffer.allocate(packet.remaining()).put(packet.duplicate()).flip();
      card.loop().execute(() -> owner.received(copy, card.mac()));
    } else {
      Ipv4Prefix own = address;
      Integer hop =
          own != null && own.contains(destination) ? Integer.valueOf(destination) : gateway;
      if (hop == null) {
        owner.unreachable(packet, true);
      } else {
        neighbours.send(hop, packet);
      }
    }
  }

  private void transmit(ByteBuffer packet, long to) {
    if (packet.remaining() <= Ethernet.MTU) {
      card.send(Ethernet.IPV4, to, packet);
    } else {
      Ipv4.fragment(packet, Ethernet.MTU, fragment, part -> card.send(Ethernet.IPV4, to, part));
    }
  }

  /** The card that has an address on this segment, if it has told. On the loop. */
  public Optional<MacAddress> neighbour(int ip) {
    return Optional.ofNullable(neighbours.mac(ip)).map(MacAddress::of);
  }

  /** How ARP asks, and how IPv4 sends. */
  private final class ArpLink implements Neighbours.Link<Integer>, EthernetCard.Handler {
    @Override
    public void received(ByteBuffer packet, long sender) {
      receivedArp(packet);
    }

    @Override
    public void ask(Integer ip, @Nullable Long believed) {
      Ipv4Prefix own = address;
      sendArp(ARP_REQUEST, MacAddress.BROADCAST.toLong(), own == null ? 0 : own.address(), 0, ip);
    }

    @Override
    public void transmit(ByteBuffer packet, long mac) {
      Ipv4Interface.this.transmit(packet, mac);
    }

    @Override
    public void silent(Integer ip, Iterable<ByteBuffer> unsent) {
      unsent.forEach(packet -> owner.unreachable(packet, false));
    }
  }
}
