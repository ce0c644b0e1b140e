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
 */
final class AccessConcentrator {
  /** RFC 2516 section 4: 0xffff is reserved, and 0 is discovery. */
  private static final int MAX_SESSION_ID = 0xfffe;

  /** So many offers that nobody takes up are told; a flood must not wash away what happened. */
  private static final int MAX_UNTAKEN = 1000;

  /** What a link that begins belongs to. */
  interface LinkFactory {
    PppLink create(int sessionId, MacAddress peer, int maxMru);

    void record(IspEvent event);
  }

  /** Which attempt of which client a session was made for: a repeated PADR gets it again. */
  private record Attempt(long mac, Optional<ByteBuffer> hostUniq) {}

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
    this.station = access.attach(settings.acName(), this::received);
  }

  List<PppLink> links() {
    return List.copyOf(links.values());
  }

  MacAddress mac() {
    return mac;
  }

  /** Takes a frame of the segment. */
  void received(ByteBuffer received) {
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
      Pppoe.tags(received).ifPresent(tags -> discovery(received, tags, client, forUs));
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
          client, Pppoe.PADT, id, List.of(Tag.of(Pppoe.GENERIC_ERROR, "No such session")));
    }
  }

  private @Nullable PppLink find(int id, long client) {
    PppLink link = links.get(id);
    return link != null && link.peer().toLong() == client ? link : null;
  }

  private void discovery(ByteBuffer packet, List<Tag> tags, long client, boolean forUs) {
    int code = Pppoe.code(packet);
    int id = Pppoe.sessionId(packet);
    if (code == Pppoe.PADI && id == 0) {
      misbehaviour.at(Stage.PADI, () -> padi(tags, client));
    } else if (code == Pppoe.PADR && id == 0 && forUs) {
      misbehaviour.at(Stage.PADR, () -> padr(tags, client));
    } else if (code == Pppoe.PADT && forUs) {
      PppLink link = find(id, client);
      if (link != null) {
        String why = Pppoe.find(tags, Pppoe.GENERIC_ERROR).map(tag -> ": " + tag.text()).orElse("");
        link.abandoned("the client sent a PADT" + why);
      }
    }
  }

  private void padi(List<Tag> tags, long client) {
    Optional<Tag> service = Pppoe.find(tags, Pppoe.SERVICE_NAME);
    if (service.isEmpty()) {
      return; // RFC 2516 section 5.1: exactly one
    }
    boolean offered = sells(service.get()) || misbehaviour.onlyService().isPresent();
    if (++untaken <= MAX_UNTAKEN) {
      factory.record(
          new IspEvent.Discovery(
              Instant.now(), MacAddress.of(client), service.get().text(), offered));
    }
    if (!offered) {
      return; // RFC 2516 section 5.2: who cannot serve must not answer
    }
    List<Tag> answer = new ArrayList<>();
    answer.add(Tag.of(Pppoe.AC_NAME, settings.acName()));
    misbehaviour
        .onlyService()
        .ifPresentOrElse(
            other -> answer.add(Tag.of(Pppoe.SERVICE_NAME, other)),
            () -> services(service.get(), answer));
    answer.add(new Tag(Pppoe.AC_COOKIE, cookies.of(client)));
    echo(tags, answer);
    maxPayload(tags).ifPresent(most -> answer.add(Tag.ofShort(Pppoe.MAX_PAYLOAD, most)));
    sendDiscovery(client, Pppoe.PADO, 0, answer);
  }

  /** RFC 2516 section 5.2: what was asked for, and any number of others. */
  private void services(Tag asked, List<Tag> answer) {
    answer.add(asked);
    settings.services().stream()
        .filter(name -> !name.equals(asked.text()))
        .forEach(name -> answer.add(Tag.of(Pppoe.SERVICE_NAME, name)));
  }

  /** What this session may carry beyond RFC 2516, if the client wants that (RFC 4638 section 4). */
  private Optional<Integer> maxPayload(List<Tag> asked) {
    return Pppoe.find(asked, Pppoe.MAX_PAYLOAD)
        .filter(tag -> tag.value().remaining() == Short.BYTES)
        .map(tag -> Math.min(Short.toUnsignedInt(tag.value().getShort(0)), settings.maxPayload()))
        .filter(most -> most > Ppp.MAX_MRU);
  }

  private boolean sells(Tag service) {
    return !service.value().hasRemaining() || settings.services().contains(service.text());
  }

  /** RFC 2516 appendix A: what the client and relays need to recognise an answer. */
  private static void echo(List<Tag> asked, List<Tag> answer) {
    Pppoe.find(asked, Pppoe.HOST_UNIQ).ifPresent(answer::add);
    Pppoe.find(asked, Pppoe.RELAY_SESSION_ID).ifPresent(answer::add);
  }

  private void padr(List<Tag> tags, long client) {
    untaken = 0;
    Optional<ByteBuffer> cookie = Pppoe.find(tags, Pppoe.AC_COOKIE).map(Tag::value);
    if (cookie.isEmpty() || !cookie.get().equals(cookies.of(client))) {
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
    Optional<Integer> maxPayload = maxPayload(tags);
    maxPayload.ifPresent(most -> answer.add(Tag.ofShort(Pppoe.MAX_PAYLOAD, most)));
    Attempt attempt = new Attempt(client, Pppoe.find(tags, Pppoe.HOST_UNIQ).map(Tag::value));
    PppLink known = attempts.get(attempt);
    if (known != null && links.containsKey(known.id()) && !known.hasHeard()) {
      sendDiscovery(client, Pppoe.PADS, known.id(), answer);
      return;
    }
    MacAddress peer = MacAddress.of(client);
    Optional<IspEvent.SessionRefused> tooMany = tooMany(peer);
    if (tooMany.isPresent()) {
      factory.record(tooMany.get());
      refuse(client, answer, Tag.of(Pppoe.AC_SYSTEM_ERROR, tooMany.get().detail()));
      return;
    }
    int id = freeSessionId();
    PppLink link = factory.create(id, peer, maxPayload.orElse(Ppp.MAX_MRU));
    links.put(id, link);
    attempts.put(attempt, link);
    attemptsById.put(id, attempt);
    sendDiscovery(client, Pppoe.PADS, id, answer);
    factory.record(new IspEvent.SessionStarted(Instant.now(), peer, id));
    link.start();
  }

  private void refuse(long client, List<Tag> answer, Tag why) {
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

  private void sendDiscovery(long client, int code, int id, List<Tag> tags) {
    if (misbehaviour.isLineDown()) {
      return;
    }
    frame.clear();
    Ethernet.putHeader(frame, client, mac.toLong(), Pppoe.DISCOVERY);
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
        sendDiscovery(link.peer().toLong(), Pppoe.PADT, link.id(), List.of());
      }
    }
  }

  void close() {
    station.close();
  }
}
