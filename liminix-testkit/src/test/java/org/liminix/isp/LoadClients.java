package org.liminix.isp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.EventLoop;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Station;
import org.liminix.net.internal.Ethernet;

/**
 * Thousands of PPPoE clients behind one station, each of which answers at once and repeats nothing:
 * a load for access concentrators. They count what the concentrator repeats.
 */
final class LoadClients implements AutoCloseable {
  private static final long FIRST_MAC = MacAddress.parse("02:10:00:00:00:00").toLong();
  private static final int CHAP_CHALLENGE = 1;
  private static final int CHAP_RESPONSE = 2;
  private static final int CHAP_SUCCESS = 3;

  /** What came of a number of dials. */
  record Outcome(int opened, Duration elapsed, int repeated) {
    double perSecond() {
      return opened / (elapsed.toNanos() / 1e9);
    }
  }

  private static final class Client {
    final long mac;
    long concentrator;
    int sessionId;
    int lcpIdentifier = -1;
    int ipcpIdentifier = -1;
    boolean addressAgreed;
    boolean done;

    Client(long mac) {
      this.mac = mac;
    }
  }

  private final EventLoop loop;
  private final Station station;
  private final String user;
  private final String secret;
  private final ByteBuffer frame = ByteBuffer.allocateDirect(2000);
  private final List<Client> clients = new ArrayList<>();
  private int wanted;
  private int opened;
  private int repeated;
  private CompletableFuture<Long> end = new CompletableFuture<>();

  LoadClients(Segments segments, String user, String secret) {
    this.loop = segments.loop();
    this.user = user;
    this.secret = secret;
    this.station = segments.get(Network.ACCESS).attach("load", this::received);
  }

  /** Dials so often, with so many dials at a time. The sessions stay open. */
  Outcome dial(int count, int inFlight, Duration timeout) throws InterruptedException {
    long begin = System.nanoTime();
    int before = opened;
    loop.call(
        () -> {
          end = new CompletableFuture<>();
          wanted = clients.size() + count;
          for (int i = 0; i < Math.min(inFlight, count); i++) {
            dialNext();
          }
        });
    long ended;
    try {
      ended = end.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      ended = System.nanoTime();
    } catch (ExecutionException e) {
      throw new IllegalStateException(e);
    }
    return new Outcome(opened - before, Duration.ofNanos(ended - begin), repeated);
  }

  private void dialNext() {
    if (clients.size() < wanted) {
      Client client = new Client(FIRST_MAC + clients.size());
      clients.add(client);
      discover(client, MacAddress.BROADCAST.toLong(), Pppoe.PADI, Tag.of(Pppoe.SERVICE_NAME, ""));
    } else if (opened == wanted) {
      end.complete(System.nanoTime());
    }
  }

  private void received(ByteBuffer received) {
    long index = Ethernet.destination(received) - FIRST_MAC;
    if (index < 0 || index >= clients.size()) {
      return;
    }
    Client client = clients.get((int) index);
    long source = Ethernet.source(received);
    int type = Ethernet.type(received);
    ByteBuffer packet = received.position(received.position() + Ethernet.HEADER);
    if (!Pppoe.accept(packet)) {
      return;
    }
    if (type == Pppoe.DISCOVERY) {
      discovery(client, source, packet);
    } else if (type == Pppoe.SESSION) {
      packet.position(packet.position() + Pppoe.HEADER);
      session(client, Short.toUnsignedInt(packet.getShort()), packet);
    }
  }

  private void discovery(Client client, long source, ByteBuffer packet) {
    if (Pppoe.code(packet) == Pppoe.PADO && client.concentrator == 0) {
      client.concentrator = source;
      List<Tag> request = new ArrayList<>(List.of(Tag.of(Pppoe.SERVICE_NAME, "")));
      Pppoe.find(Pppoe.tags(packet).orElseThrow(), Pppoe.AC_COOKIE).ifPresent(request::add);
      discover(client, source, Pppoe.PADR, request.toArray(Tag[]::new));
    } else if (Pppoe.code(packet) == Pppoe.PADS) {
      repeated += client.sessionId == 0 ? 0 : 1;
      client.sessionId = Pppoe.sessionId(packet);
    }
  }

  private void session(Client client, int protocol, ByteBuffer packet) {
    if (!Ppp.accept(packet)) {
      return;
    }
    int code = Ppp.code(packet);
    int identifier = Ppp.identifier(packet);
    if (protocol == Ppp.LCP && code == Negotiation.CONFIGURE_REQUEST) {
      repeated += client.lcpIdentifier == identifier ? 1 : 0;
      client.lcpIdentifier = identifier;
      send(client, Ppp.LCP, Ppp.packet(Negotiation.CONFIGURE_ACK, identifier, Ppp.data(packet)));
      request(client, Ppp.LCP, 1, PppOption.ofShort(Lcp.MRU, Ppp.MAX_MRU));
    } else if (protocol == Ppp.LCP && code == Lcp.ECHO_REQUEST) {
      send(client, Ppp.LCP, Ppp.packet(Lcp.ECHO_REPLY, identifier, ByteBuffer.allocate(4)));
    } else if (protocol == Ppp.CHAP && code == CHAP_CHALLENGE) {
      respond(client, identifier, Ppp.data(packet));
    } else if (protocol == Ppp.CHAP && code == CHAP_SUCCESS) {
      request(client, Ppp.IPCP, 1, PppOption.ofInt(Ipcp.IP_ADDRESS, 0));
    } else if (protocol == Ppp.IPCP && code == Negotiation.CONFIGURE_REQUEST) {
      repeated += client.ipcpIdentifier == identifier ? 1 : 0;
      client.ipcpIdentifier = identifier;
      send(client, Ppp.IPCP, Ppp.packet(Negotiation.CONFIGURE_ACK, identifier, Ppp.data(packet)));
      finish(client);
    } else if (protocol == Ppp.IPCP && code == Negotiation.CONFIGURE_NAK) {
      int address = PppOption.parse(Ppp.data(packet)).orElseThrow().get(0).intValue();
      request(client, Ppp.IPCP, 2, PppOption.ofInt(Ipcp.IP_ADDRESS, address));
    } else if (protocol == Ppp.IPCP && code == Negotiation.CONFIGURE_ACK) {
      client.addressAgreed = true;
      finish(client);
    }
  }

  private void finish(Client client) {
    if (client.addressAgreed && client.ipcpIdentifier >= 0 && !client.done) {
      client.done = true;
      opened++;
      dialNext();
    }
  }

  /** RFC 1994 section 4.1. */
  private void respond(Client client, int identifier, ByteBuffer data) {
    byte[] challenge = new byte[Byte.toUnsignedInt(data.get())];
    data.get(challenge);
    byte[] digest;
    try {
      MessageDigest md5 = MessageDigest.getInstance("MD5");
      md5.update((byte) identifier);
      md5.update(secret.getBytes(StandardCharsets.UTF_8));
      digest = md5.digest(challenge);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
    byte[] name = user.getBytes(StandardCharsets.UTF_8);
    ByteBuffer response = Ppp.begin(CHAP_RESPONSE, identifier, 1 + digest.length + name.length);
    response.put((byte) digest.length).put(digest).put(name);
    send(client, Ppp.CHAP, Ppp.finish(response));
  }

  private void request(Client client, int protocol, int identifier, PppOption option) {
    ByteBuffer packet = Ppp.begin(Negotiation.CONFIGURE_REQUEST, identifier, 16);
    PppOption.putAll(packet, List.of(option));
    send(client, protocol, Ppp.finish(packet));
  }

  private void discover(Client client, long destination, int code, Tag... tags) {
    List<Tag> all = List.of(tags);
    Ethernet.putHeader(frame.clear(), destination, client.mac, Pppoe.DISCOVERY);
    Pppoe.putHeader(frame, code, 0, Pppoe.length(all));
    Pppoe.putTags(frame, all);
    station.send(frame.flip());
  }

  private void send(Client client, int protocol, ByteBuffer packet) {
    Ethernet.putHeader(frame.clear(), client.concentrator, client.mac, Pppoe.SESSION);
    Pppoe.putHeader(frame, Pppoe.SESSION_DATA, client.sessionId, 2 + packet.remaining());
    station.send(frame.putShort((short) protocol).put(packet).flip());
  }

  @Override
  public void close() {
    station.close();
  }
}
