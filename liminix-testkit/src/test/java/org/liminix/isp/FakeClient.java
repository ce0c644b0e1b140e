package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Station;
import org.liminix.net.internal.Ethernet;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;
import org.liminix.process.Deadline;

/**
 * A PPPoE client played by the test, for what no real client does on demand: silence, stale
 * answers, nonsense. It says only what it is told to say; real clients dial in {@link
 * RealClientIT}.
 */
final class FakeClient implements AutoCloseable {
  /** A discovery packet, or a PPP packet of a session. */
  record Heard(
      MacAddress sender,
      int type,
      int code,
      int sessionId,
      List<Tag> tags,
      int protocol,
      ByteBuffer ppp) {
    boolean is(int expectedProtocol, int expectedCode) {
      return type == Pppoe.SESSION
          && protocol == expectedProtocol
          && (protocol == Ppp.IPV4 || Ppp.code(ppp) == expectedCode);
    }

    boolean isDiscovery(int expectedCode) {
      return type == Pppoe.DISCOVERY && code == expectedCode;
    }

    int identifier() {
      return Ppp.identifier(ppp);
    }

    ByteBuffer data() {
      return Ppp.data(ppp).slice();
    }

    List<PppOption> options() {
      return PppOption.parse(data()).orElseThrow();
    }

    String tag(int tagType) {
      return Pppoe.find(tags, tagType).map(Tag::text).orElse("(none)");
    }
  }

  final MacAddress mac = MacAddress.random();
  private final BlockingQueue<Heard> heard = new LinkedBlockingQueue<>();
  private final Station station;
  MacAddress isp = MacAddress.BROADCAST;
  int sessionId;

  FakeClient(Segments segments) {
    station = segments.get(Network.ACCESS).attach("client", this::received);
  }

  private void received(ByteBuffer frame) {
    if (Ethernet.destination(frame) != mac.toLong()) {
      return;
    }
    int type = Ethernet.type(frame);
    MacAddress source = MacAddress.of(Ethernet.source(frame));
    ByteBuffer packet = ByteBuffer.allocate(frame.remaining() - Ethernet.HEADER);
    packet.put(frame.position(frame.position() + Ethernet.HEADER)).flip();
    assertThat(Pppoe.accept(packet)).isTrue();
    int code = Pppoe.code(packet);
    int id = Pppoe.sessionId(packet);
    isp = source;
    if (type == Pppoe.DISCOVERY) {
      List<Tag> tags = Pppoe.tags(packet).orElseThrow();
      heard.add(new Heard(source, type, code, id, tags, 0, ByteBuffer.allocate(0)));
    } else {
      int protocol = Short.toUnsignedInt(packet.getShort(Pppoe.HEADER));
      ByteBuffer ppp = packet.position(Pppoe.HEADER + 2).slice();
      heard.add(new Heard(source, type, code, id, List.of(), protocol, ppp));
    }
  }

  /** The next packet of that kind; others are let pass. */
  Heard next(Predicate<Heard> wanted) throws InterruptedException {
    Deadline deadline = Deadline.after(Duration.ofSeconds(10));
    while (true) {
      Heard next = heard.poll(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
      assertThat(next).as("a packet within ten seconds").isNotNull();
      if (wanted.test(next)) {
        return next;
      }
    }
  }

  Heard next(int protocol, int code) throws InterruptedException {
    return next(packet -> packet.is(protocol, code));
  }

  Heard nextDiscovery(int code) throws InterruptedException {
    return next(packet -> packet.isDiscovery(code));
  }

  /** The next packet, whatever it is. */
  Heard next() throws InterruptedException {
    return next(packet -> true);
  }

  void forget() {
    heard.clear();
  }

  /** Whether an IPv4 packet has come that was not looked at. */
  boolean hasIpv4() {
    return heard.stream().anyMatch(packet -> packet.is(Ppp.IPV4, 0));
  }

  @Nullable Heard peek() {
    return heard.peek();
  }

  void raw(ByteBuffer frame) {
    station.send(frame);
  }

  void discover(MacAddress to, int code, int id, Tag... tags) {
    ByteBuffer frame = ByteBuffer.allocate(2000);
    Ethernet.putHeader(frame, to.toLong(), mac.toLong(), Pppoe.DISCOVERY);
    Pppoe.putHeader(frame, code, id, Pppoe.length(List.of(tags)));
    Pppoe.putTags(frame, List.of(tags));
    station.send(frame.flip());
  }

  void send(int protocol, ByteBuffer packet) {
    ByteBuffer frame = ByteBuffer.allocate(2000);
    Ethernet.putHeader(frame, isp.toLong(), mac.toLong(), Pppoe.SESSION);
    Pppoe.putHeader(frame, Pppoe.SESSION_DATA, sessionId, 2 + packet.remaining());
    station.send(frame.putShort((short) protocol).put(packet).flip());
  }

  void send(int protocol, int code, int identifier, PppOption... options) {
    ByteBuffer packet = Ppp.begin(code, identifier, 200);
    PppOption.putAll(packet, List.of(options));
    send(protocol, Ppp.finish(packet));
  }

  /** Agrees to a request word for word. */
  void acknowledge(Heard request) {
    send(
        request.protocol(),
        Ppp.packet(Negotiation.CONFIGURE_ACK, request.identifier(), request.data()));
  }

  /** PADI to PADS. */
  void connect() throws InterruptedException {
    Tag hostUniq = Tag.of(Pppoe.HOST_UNIQ, "me");
    discover(MacAddress.BROADCAST, Pppoe.PADI, 0, Tag.of(Pppoe.SERVICE_NAME, ""), hostUniq);
    Heard offer = nextDiscovery(Pppoe.PADO);
    request(offer, hostUniq);
    sessionId = nextDiscovery(Pppoe.PADS).sessionId();
  }

  void request(Heard offer, Tag hostUniq) {
    Tag cookie = Pppoe.find(offer.tags(), Pppoe.AC_COOKIE).orElseThrow();
    discover(isp, Pppoe.PADR, 0, Tag.of(Pppoe.SERVICE_NAME, ""), hostUniq, cookie);
  }

  /** LCP until both sides agree; returns the request of the ISP. */
  Heard openLcp() throws InterruptedException {
    Heard request = next(Ppp.LCP, Negotiation.CONFIGURE_REQUEST);
    send(Ppp.LCP, Negotiation.CONFIGURE_REQUEST, 1, PppOption.ofShort(Lcp.MRU, 1492));
    acknowledge(request);
    next(Ppp.LCP, Negotiation.CONFIGURE_ACK);
    return request;
  }

  void respond(String user, String secret) throws Exception {
    respond(next(Ppp.CHAP, 1), user, secret);
  }

  void respond(Heard challenge, String user, String secret) throws Exception {
    ByteBuffer data = challenge.data();
    byte[] value = new byte[data.get()];
    data.get(value);
    MessageDigest md5 = MessageDigest.getInstance("MD5");
    md5.update((byte) challenge.identifier());
    md5.update(secret.getBytes(StandardCharsets.UTF_8));
    byte[] response = md5.digest(value);
    byte[] name = user.getBytes(StandardCharsets.UTF_8);
    ByteBuffer packet = Ppp.begin(2, challenge.identifier(), 1 + response.length + name.length);
    send(Ppp.CHAP, Ppp.finish(packet.put((byte) response.length).put(response).put(name)));
  }

  void pap(String user, String secret) {
    byte[] name = user.getBytes(StandardCharsets.UTF_8);
    byte[] password = secret.getBytes(StandardCharsets.UTF_8);
    ByteBuffer packet = Ppp.begin(1, 7, 2 + name.length + password.length);
    packet.put((byte) name.length).put(name).put((byte) password.length).put(password);
    send(Ppp.PAP, Ppp.finish(packet));
  }

  /** IPCP until both sides agree; returns the address. */
  int openIpcp() throws InterruptedException {
    acknowledge(next(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST));
    send(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST, 1, PppOption.ofInt(Ipcp.IP_ADDRESS, 0));
    Heard nak = next(Ppp.IPCP, Negotiation.CONFIGURE_NAK);
    send(Ppp.IPCP, Negotiation.CONFIGURE_REQUEST, 2, nak.options().toArray(PppOption[]::new));
    next(Ppp.IPCP, Negotiation.CONFIGURE_ACK);
    return nak.options().get(0).intValue();
  }

  /** Everything, as {@link BorderNetworkGateway#likeLiminix} wants it; returns the address. */
  int dial() throws Exception {
    connect();
    return dialRest();
  }

  /** What follows the PADS. */
  int dialRest() throws Exception {
    openLcp();
    respond("db123@a.1", "NotReallyTheSecret");
    next(Ppp.CHAP, 3);
    return openIpcp();
  }

  /** Everything, of another account; returns the address. */
  int dialAs(String user, String secret) throws Exception {
    connect();
    openLcp();
    respond(user, secret);
    next(Ppp.CHAP, 3);
    return openIpcp();
  }

  /** Agrees to the end that the ISP wants. */
  void hangUp() throws InterruptedException {
    Heard request = next(Ppp.LCP, Negotiation.TERMINATE_REQUEST);
    send(Ppp.LCP, Negotiation.TERMINATE_ACK, request.identifier());
  }

  /** PADI to PADS, which has an error; returns its text. */
  String refusal(int errorTag) throws InterruptedException {
    discover(MacAddress.BROADCAST, Pppoe.PADI, 0, Tag.of(Pppoe.SERVICE_NAME, ""));
    request(nextDiscovery(Pppoe.PADO), Tag.of(Pppoe.HOST_UNIQ, "refused"));
    Heard refusal = nextDiscovery(Pppoe.PADS);
    assertThat(refusal.sessionId()).isZero();
    assertThat(refusal.tag(Pppoe.HOST_UNIQ)).isEqualTo("refused");
    return refusal.tag(errorTag);
  }

  void ping(int from, int to, int ttl, int length) {
    ByteBuffer packet = ByteBuffer.allocate(2000);
    Ipv4.putHeader(packet, from, to, Ipv4.ICMP, 1, Icmp.HEADER + length);
    Icmp.putEcho(packet, Icmp.ECHO_REQUEST, 1, 1, ByteBuffer.allocate(length));
    packet.flip();
    Ipv4.setTtl(packet, ttl);
    send(Ppp.IPV4, packet);
  }

  /** The type and code of the next ICMP message, and who sent it. */
  String nextIcmp() throws InterruptedException {
    ByteBuffer packet = next(Ppp.IPV4, 0).ppp();
    assertThat(Ipv4.accept(packet)).isTrue();
    assertThat(Icmp.isMessage(packet)).isTrue();
    return packet.get(Ipv4.HEADER)
        + "/"
        + packet.get(Ipv4.HEADER + 1)
        + " from "
        + Ipv4.toString(Ipv4.source(packet));
  }

  @Override
  public void close() {
    station.close();
  }
}
