package org.liminix.isp;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.liminix.net.FrameHandler;
import org.liminix.net.MacAddress;
import org.liminix.net.Segment;
import org.liminix.net.internal.Ethernet;

/**
 * Follows the sessions on an access network by what passes there, for an ISP that does not tell of
 * them. Confined to the loop.
 */
final class SessionWatch implements FrameHandler {
  /** RFC 1334 section 2.2.1. */
  private static final int AUTHENTICATE_REQUEST = 1;

  /** RFC 1994 section 4.1. */
  private static final int CHAP_RESPONSE = 2;

  /** A flood of PADIs that lead to nothing costs no more memory than these. */
  private static final int MAX_DISCOVERIES = 10_000;

  /** Who is told. On the loop. */
  interface Listener {
    void opened(Opened session);

    void ended(int id);
  }

  /**
   * A session in which packets flow.
   *
   * @param user who the client said it is; empty if it was not heard
   * @param setupTime since the client looked for access concentrators (PADI)
   */
  record Opened(int id, MacAddress peer, String user, int address, Duration setupTime) {}

  private static final class Link {
    final long client;
    final long padiNanos;
    String user = "";
    int address;
    boolean acceptedByClient;
    boolean acceptedByIsp;

    Link(long client, long padiNanos) {
      this.client = client;
      this.padiNanos = padiNanos;
    }

    boolean isOpen() {
      return acceptedByClient && acceptedByIsp;
    }
  }

  private final long concentrator;
  private final Listener listener;
  private final Map<Long, Long> discoveries = new HashMap<>();
  private final Map<Integer, Link> links = new HashMap<>();

  private SessionWatch(MacAddress concentrator, Listener listener) {
    this.concentrator = concentrator.toLong();
    this.listener = listener;
  }

  /**
   * Begins to watch.
   *
   * @param concentrator whose sessions: numbers are each concentrator's own
   * @return what ends that when it is closed
   */
  static AutoCloseable of(Segment access, MacAddress concentrator, Listener listener) {
    return access.mirror(new SessionWatch(concentrator, listener));
  }

  @Override
  public void received(ByteBuffer frame) {
    long destination = Ethernet.destination(frame);
    long source = Ethernet.source(frame);
    int type = Ethernet.type(frame);
    if (type != Pppoe.DISCOVERY && type != Pppoe.SESSION) {
      return;
    }
    ByteBuffer packet = frame.position(frame.position() + Ethernet.HEADER);
    if (!Pppoe.accept(packet)) {
      return;
    }
    if (type == Pppoe.DISCOVERY) {
      discovery(packet, source, destination);
    } else if (Pppoe.code(packet) == Pppoe.SESSION_DATA) {
      session(packet, source, destination);
    }
  }

  private void discovery(ByteBuffer packet, long source, long destination) {
    int id = Pppoe.sessionId(packet);
    switch (Pppoe.code(packet)) {
      case Pppoe.PADI -> {
        if (discoveries.size() < MAX_DISCOVERIES) {
          discoveries.putIfAbsent(source, System.nanoTime());
        }
      }
      case Pppoe.PADS -> {
        Link known = links.get(id);
        if (source == concentrator && id != 0 && (known == null || known.client != destination)) {
          Long padi = discoveries.remove(destination);
          end(id);
          links.put(id, new Link(destination, padi == null ? System.nanoTime() : padi));
        }
      }
      case Pppoe.PADT -> {
        Link link = links.get(id);
        if (link != null && isOf(link, source, destination)) {
          end(id);
        }
      }
      default -> {} // offers and requests
    }
  }

  private boolean isOf(Link link, long source, long destination) {
    return (source == concentrator && destination == link.client)
        || (destination == concentrator && source == link.client);
  }

  private void end(int id) {
    Link link = links.remove(id);
    if (link != null && link.isOpen()) {
      listener.ended(id);
    }
  }

  private void session(ByteBuffer packet, long source, long destination) {
    int id = Pppoe.sessionId(packet);
    Link link = links.get(id);
    if (link == null
        || !isOf(link, source, destination)
        || packet.remaining() < Pppoe.HEADER + Short.BYTES) {
      return;
    }
    boolean fromClient = source == link.client;
    packet.position(packet.position() + Pppoe.HEADER);
    int protocol = Short.toUnsignedInt(packet.getShort());
    if (protocol == Ppp.IPV4 || !Ppp.accept(packet)) {
      return;
    }
    int code = Ppp.code(packet);
    switch (protocol) {
      case Ppp.LCP -> {
        if (link.isOpen()
            && (code == Negotiation.TERMINATE_REQUEST || code == Negotiation.CONFIGURE_REQUEST)) {
          close(id, link);
        }
      }
      case Ppp.PAP -> {
        if (fromClient && code == AUTHENTICATE_REQUEST) {
          link.user = counted(Ppp.data(packet)).orElse(link.user);
        }
      }
      case Ppp.CHAP -> {
        if (fromClient && code == CHAP_RESPONSE) {
          link.user = nameOf(Ppp.data(packet)).orElse(link.user);
        }
      }
      case Ppp.IPCP -> ipcp(id, link, packet, fromClient);
      default -> {} // other network protocols
    }
  }

  private void ipcp(int id, Link link, ByteBuffer packet, boolean fromClient) {
    int code = Ppp.code(packet);
    if (link.isOpen()) {
      if (code == Negotiation.CONFIGURE_REQUEST || code == Negotiation.TERMINATE_REQUEST) {
        close(id, link);
      }
    } else if (code == Negotiation.CONFIGURE_ACK) {
      if (fromClient) {
        link.acceptedByClient = true;
      } else {
        link.acceptedByIsp = true;
        link.address = addressIn(PppOption.parse(Ppp.data(packet)).orElse(List.of()));
      }
      if (link.isOpen()) {
        listener.opened(
            new Opened(
                id,
                MacAddress.of(link.client),
                link.user,
                link.address,
                Duration.ofNanos(System.nanoTime() - link.padiNanos)));
      }
    }
  }

  /** The line stays; the client may agree on its terms anew. */
  private void close(int id, Link link) {
    link.acceptedByClient = false;
    link.acceptedByIsp = false;
    listener.ended(id);
  }

  private static int addressIn(List<PppOption> options) {
    return options.stream()
        .filter(option -> option.type() == Ipcp.IP_ADDRESS && option.isInt())
        .mapToInt(PppOption::intValue)
        .findFirst()
        .orElse(0);
  }

  /** A text after its length. */
  private static Optional<String> counted(ByteBuffer data) {
    byte @Nullable [] bytes = Authenticator.counted(data);
    return bytes == null ? Optional.empty() : Optional.of(Authenticator.text(bytes));
  }

  /** The text after a counted value. */
  private static Optional<String> nameOf(ByteBuffer response) {
    if (Authenticator.counted(response) == null) {
      return Optional.empty();
    }
    byte[] name = new byte[response.remaining()];
    response.get(name);
    return Optional.of(Authenticator.text(name));
  }
}
