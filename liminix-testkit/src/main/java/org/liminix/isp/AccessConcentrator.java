package org.liminix.isp;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.liminix.isp.IspFaults.Stage;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.FrameHandler;
import org.liminix.net.MacAddress;
import org.liminix.net.Segment;
import org.liminix.net.Station;
import org.liminix.net.internal.Ethernet;

/**
 * The PPPoE side of the ISP (RFC 2516): offers its service, hands out session numbers and carries
 * PPP packets to and from their links. Confined to the loop.
 *
 * <p>An offer leaves no state behind: its cookie proves that the client has received it (RFC 2516
 * appendix A, AC-Cookie), so a flood of PADIs costs nothing.
 *
 * <p>There are few lambdas between a PADI and its answer: each is a class to make when an ISP is
 * started for the first time, and more if it captures or takes a number.
 */
final class AccessConcentrator implements FrameHandler {
  /** RFC 2516 section 4: 0xffff is reserved, and 0 is discovery. */
  private static final int MAX_SESSION_ID = 0xfffe;

  /** So many offers that nobody takes up are told; a flood must not wash away what happened. */
  private static final int MAX_UNTAKEN = 1000;

  /** RFC 2516 appendix A: what the client and relays need to recognise an answer. */
  private static final int[] ECHOED = {Pppoe.HOST_UNIQ, Pppoe.RELAY_SESSION_ID};

  /** What a link that begins belongs to. */
  interface LinkFactory {
    PppLink create(int sessionId, MacAddress peer, int maxMru);

    void record(IspEvent event);
  }

  /** Which attempt of which client a session was made for: a repeated PADR gets it again. */
  private record Attempt(MacAddress mac, Optional<ByteBuffer> hostUniq) {}

  private final IspSettings settings;
  private final LinkFactory factory;
  private final Misbehaviour misbehaviour;
  private final MacAddress mac = MacAddress.random();
  private final Cookies cookies = new Cookies();
  private final Station station;
  private final Map<Integer, PppLink> links = new HashMap<>();
  private final Map<Attempt, PppLink> attempts = new HashMap<>();
  private final Map<Integer, Attempt> attemptsById = new HashMap<>();
  private final ByteBuffer frame =
      ByteBuffer.allocateDirect(Ethernet.HEADER + Pppoe.HEADER + 0xffff);
  private int lastSessionId;
  private int untaken;

  AccessConcentrator(
      Segment access, IspSettings settings, LinkFactory factory, Misbehaviour misbehaviour) {
    this.settings = settings;
    this.factory = factory;
    this.misbehaviour = misbehaviour;
    this.station = access.attach(settings.acName(), this);
  }

  List<PppLink> links() {
    return List.copyOf(links.values());
  }

  MacAddress mac() {
    return mac;
  }

  @Override
  public void received(ByteBuffer received) {
    long destination = Ethernet.destination(received);
    int type = Ethernet.type(received);
    boolean forUs = destination == mac.toLong();
    boolean forAll = destination == MacAddress.BROADCAST.toLong();
    long client = Ethernet.source(received);
    received.position(received.position() + Ethernet.HEADER);
    if (!(forUs || forAll)
        || misbehaviour.isLineDown()
        || !(type == Pppoe.DISCOVERY || type == Pppoe.SESSION)
        || !Pppoe.accept(received)) {
      return;
    }
    if (type == Pppoe.DISCOVERY) {
      Optional<List<Tag>> tags = Pppoe.tags(received);
      if (tags.isPresent()) {
        discovery(received, tags.get(), MacAddress.of(client), forUs);
      }
    } else if (forUs && Pppoe.code(received) == Pppoe.SESSION_DATA) {
      session(received, client);
    }
  }

  private void session(ByteBuffer packet, long client) {
    int id = Pppoe.sessionId(packet);
    PppLink link = find(id, client);
    if (link != null) {
      packet.position(packet.position() + Pppoe.HEADER);
      misbehaviour.receive(link, packet);
    } else {
      // A client that missed the end of its session, or whose ISP was replaced, dials at once.
      sendDiscovery(
          MacAddress.of(client),
          Pppoe.PADT,
          id,
          List.of(Tag.of(Pppoe.GENERIC_ERROR, "No such session")));
    }
  }

  private @Nullable PppLink find(int id, long client) {
    PppLink link = links.get(id);
    return link != null && link.peer().toLong() == client ? link : null;
  }

  private void discovery(ByteBuffer packet, List<Tag> tags, MacAddress client, boolean forUs) {
    int code = Pppoe.code(packet);
    int id = Pppoe.sessionId(packet);
    if (code == Pppoe.PADI && id == 0) {
      misbehaviour.at(Stage.PADI, () -> padi(tags, client));
    } else if (code == Pppoe.PADR && id == 0 && forUs) {
      misbehaviour.at(Stage.PADR, () -> padr(tags, client));
    } else if (code == Pppoe.PADT && forUs) {
      PppLink link = find(id, client.toLong());
      if (link != null) {
        String why = Pppoe.find(tags, Pppoe.GENERIC_ERROR).map(tag -> ": " + tag.text()).orElse("");
        link.abandoned("the client sent a PADT" + why);
      }
    }
  }

  private void padi(List<Tag> tags, MacAddress client) {
    Optional<Tag> service = Pppoe.find(tags, Pppoe.SERVICE_NAME);
    if (service.isEmpty()) {
      return; // RFC 2516 section 5.1: exactly one
    }
    Optional<String> only = misbehaviour.onlyService();
    boolean offered = sells(service.get()) || only.isPresent();
    if (++untaken <= MAX_UNTAKEN) {
      factory.record(new IspEvent.Discovery(Instant.now(), client, service.get().text(), offered));
    }
    if (!offered) {
      return; // RFC 2516 section 5.2: who cannot serve must not answer
    }
    List<Tag> answer = new ArrayList<>();
    answer.add(Tag.of(Pppoe.AC_NAME, settings.acName()));
    if (only.isPresent()) {
      answer.add(Tag.of(Pppoe.SERVICE_NAME, only.get()));
    } else {
      services(service.get(), answer);
    }
    answer.add(new Tag(Pppoe.AC_COOKIE, cookies.of(client.toLong())));
    echo(tags, answer);
    putMaxPayload(maxPayload(tags), answer);
    sendDiscovery(client, Pppoe.PADO, 0, answer);
  }

  /** RFC 2516 section 5.2: what was asked for, and any number of others. */
  private void services(Tag asked, List<Tag> answer) {
    answer.add(asked);
    String known = asked.text();
    for (String name : settings.services()) {
      if (!name.equals(known)) {
        answer.add(Tag.of(Pppoe.SERVICE_NAME, name));
      }
    }
  }

  /** What this session may carry; beyond RFC 2516 if the client wants that (RFC 4638 section 4). */
  private int maxPayload(List<Tag> asked) {
    Optional<Tag> tag = Pppoe.find(asked, Pppoe.MAX_PAYLOAD);
    if (tag.isEmpty() || tag.get().value().remaining() != Short.BYTES) {
      return Ppp.MAX_MRU;
    }
    int wanted = Short.toUnsignedInt(tag.get().value().getShort(0));
    return Math.max(Ppp.MAX_MRU, Math.min(wanted, settings.maxPayload()));
  }

  private static void putMaxPayload(int maxPayload, List<Tag> answer) {
    if (maxPayload > Ppp.MAX_MRU) {
      answer.add(Tag.ofShort(Pppoe.MAX_PAYLOAD, maxPayload));
    }
  }

  private boolean sells(Tag service) {
    return !service.value().hasRemaining() || settings.services().contains(service.text());
  }

  private static void echo(List<Tag> asked, List<Tag> answer) {
    for (int type : ECHOED) {
      Optional<Tag> tag = Pppoe.find(asked, type);
      if (tag.isPresent()) {
        answer.add(tag.get());
      }
    }
  }

  private void padr(List<Tag> tags, MacAddress client) {
    untaken = 0;
    Optional<ByteBuffer> cookie = Pppoe.find(tags, Pppoe.AC_COOKIE).map(Tag::value);
    if (cookie.isEmpty() || !cookie.get().equals(cookies.of(client.toLong()))) {
      return; // not the answer to an offer of ours
    }
    Optional<Tag> service = Pppoe.find(tags, Pppoe.SERVICE_NAME);
    List<Tag> answer = new ArrayList<>();
    echo(tags, answer);
    if (service.isEmpty() || !sells(service.get())) {
      refuse(client, answer, Tag.of(Pppoe.SERVICE_NAME_ERROR, "No such service"));
      return;
    }
    Optional<Tag> refusal = misbehaviour.sessionRefusal();
    if (refusal.isPresent()) {
      refuse(client, answer, refusal.get());
      return;
    }
    answer.add(service.get());
    int maxPayload = maxPayload(tags);
    putMaxPayload(maxPayload, answer);
    Attempt attempt = new Attempt(client, Pppoe.find(tags, Pppoe.HOST_UNIQ).map(Tag::value));
    PppLink known = attempts.get(attempt);
    if (known != null && links.containsKey(known.id()) && !known.hasHeard()) {
      sendDiscovery(client, Pppoe.PADS, known.id(), answer);
      return;
    }
    Optional<IspEvent.SessionRefused> tooMany = tooMany(client);
    if (tooMany.isPresent()) {
      factory.record(tooMany.get());
      refuse(client, answer, Tag.of(Pppoe.AC_SYSTEM_ERROR, tooMany.get().detail()));
      return;
    }
    int id = freeSessionId();
    PppLink link = factory.create(id, client, maxPayload);
    links.put(id, link);
    attempts.put(attempt, link);
    attemptsById.put(id, attempt);
    sendDiscovery(client, Pppoe.PADS, id, answer);
    factory.record(new IspEvent.SessionStarted(Instant.now(), client, id));
    link.start();
  }

  private void refuse(MacAddress client, List<Tag> answer, Tag why) {
    List<Tag> refusal = new ArrayList<>(answer);
    refusal.add(why);
    sendDiscovery(client, Pppoe.PADS, 0, refusal);
  }

  private Optional<IspEvent.SessionRefused> tooMany(MacAddress peer) {
    int most = Math.min(settings.sessionLimit(), MAX_SESSION_ID);
    if (links.size() >= most) {
      return Optional.of(
          new IspEvent.SessionRefused(
              Instant.now(), peer, IspEvent.Limit.TOTAL, "Too many sessions: " + most));
    }
    int mostOfThis = settings.sessionLimitPerClient();
    if (mostOfThis < Integer.MAX_VALUE
        && links.values().stream().filter(link -> link.peer().equals(peer)).count() >= mostOfThis) {
      return Optional.of(
          new IspEvent.SessionRefused(
              Instant.now(),
              peer,
              IspEvent.Limit.CLIENT,
              "Too many sessions of this client: " + mostOfThis));
    }
    return Optional.empty();
  }

  /** The next free number, so that a new session is not mistaken for the one before. */
  private int freeSessionId() {
    do {
      lastSessionId = lastSessionId == MAX_SESSION_ID ? 1 : lastSessionId + 1;
    } while (links.containsKey(lastSessionId));
    return lastSessionId;
  }

  private void sendDiscovery(MacAddress client, int code, int id, List<Tag> tags) {
    if (misbehaviour.isLineDown()) {
      return;
    }
    frame.clear();
    Ethernet.putHeader(frame, client.toLong(), mac.toLong(), Pppoe.DISCOVERY);
    Pppoe.putHeader(frame, code, id, Pppoe.length(tags));
    Pppoe.putTags(frame, tags);
    station.send(frame.flip());
  }

  /** Sends one PPP packet of a link. */
  void send(PppLink link, int protocol, ByteBuffer packet) {
    if (misbehaviour.isLineDown() || !misbehaviour.says(protocol, packet)) {
      return;
    }
    frame.clear();
    Ethernet.putHeader(frame, link.peer().toLong(), mac.toLong(), Pppoe.SESSION);
    Pppoe.putHeader(frame, Pppoe.SESSION_DATA, link.id(), Short.BYTES + packet.remaining());
    frame.putShort((short) protocol).put(packet.duplicate());
    station.send(frame.flip());
  }

  /** Frees a link's number and, unless the client knows, tells it. */
  void ended(PppLink link, boolean tellClient) {
    if (links.remove(link.id(), link)) {
      attempts.remove(attemptsById.remove(link.id()), link);
      if (tellClient) {
        sendDiscovery(link.peer(), Pppoe.PADT, link.id(), List.of());
      }
    }
  }

  void close() {
    station.close();
  }
}
