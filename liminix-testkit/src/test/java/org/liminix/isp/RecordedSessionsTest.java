package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.liminix.isp.FakeClient.Heard;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.MacAddress;
import org.liminix.net.Segments;
import org.liminix.net.internal.Ethernet;

/**
 * Clients that were recorded with pppd, rp-pppoe and accel-ppp dial here, and each of their
 * requests is answered in the way it was answered then. What depends on the ISP is made anew:
 * cookies, numbers, challenges and addresses.
 */
class RecordedSessionsTest {
  private static final String USER = "db123@a.1";
  private static final String SECRET = "NotReallyTheSecret";
  private static final int VAN_JACOBSON = 2;
  private static final int CCP = 0x80fd;

  private final Segments segments = Segments.isolated();
  private final FakeClient client = new FakeClient(segments);

  /** What the ISP has said, in order, and which of it has been looked at. */
  private final List<Heard> heard = new ArrayList<>();

  private final Set<Heard> used = new HashSet<>();

  /** What both sides say in this replay, as {@link #course} reads it. */
  private final List<Said> said = new ArrayList<>();

  private final Set<Integer> rejected = new HashSet<>();
  private final Map<Integer, PppOption> suggested = new HashMap<>();

  @AfterEach
  void close() {
    segments.close();
  }

  /** A packet of one side; of discovery packets only the code and the tags count. */
  private record Said(
      boolean byClient, int type, int code, List<Tag> tags, int ppp, ByteBuffer it) {
    int identifier() {
      return Ppp.identifier(it);
    }

    Set<Integer> optionTypes() {
      return PppOption.parse(Ppp.data(it)).orElse(List.of()).stream()
          .map(PppOption::type)
          .filter(option -> !(ppp == Ppp.IPCP && option == VAN_JACOBSON)) // not here: see README
          .collect(Collectors.toCollection(TreeSet::new));
    }

    boolean answers(Said request) {
      if (byClient || type != request.type || ppp != request.ppp) {
        return false;
      }
      if (type == Pppoe.DISCOVERY) {
        return code == (request.code == Pppoe.PADI ? Pppoe.PADO : Pppoe.PADS);
      }
      return identifier() == request.identifier() && answerCodes(request).contains(code);
    }

    private static Set<Integer> answerCodes(Said request) {
      return switch (request.ppp) {
        case Ppp.PAP -> Set.of(2, 3);
        case Ppp.CHAP -> Set.of(3, 4);
        default ->
            switch (request.code) {
              case Negotiation.CONFIGURE_REQUEST -> Set.of(2, 3, 4);
              case Negotiation.TERMINATE_REQUEST -> Set.of(Negotiation.TERMINATE_ACK);
              default -> Set.of(Lcp.ECHO_REPLY);
            };
      };
    }

    boolean isRequest() {
      if (!byClient) {
        return false;
      }
      if (type == Pppoe.DISCOVERY) {
        return code == Pppoe.PADI || code == Pppoe.PADR;
      }
      return switch (ppp) {
        case Ppp.PAP -> code == 1;
        case Ppp.CHAP -> code == 2;
        case Ppp.LCP, Ppp.IPCP ->
            code == Negotiation.CONFIGURE_REQUEST
                || code == Negotiation.TERMINATE_REQUEST
                || code == Lcp.ECHO_REQUEST;
        default -> false;
      };
    }

    String text() {
      if (type == Pppoe.DISCOVERY) {
        return "%02x%s%s"
            .formatted(
                code, has(Pppoe.HOST_UNIQ) ? " uniq" : "", has(Pppoe.MAX_PAYLOAD) ? " max" : "");
      }
      boolean configures =
          code <= Negotiation.CONFIGURE_REJECT && (ppp == Ppp.LCP || ppp == Ppp.IPCP);
      return "%04x/%d%s".formatted(ppp, code, configures ? optionTypes() : "");
    }

    private boolean has(int tag) {
      return Pppoe.find(tags, tag).isPresent();
    }
  }

  private static Said read(ByteBuffer frame, boolean byClient) {
    ByteBuffer packet = ByteBuffer.allocate(frame.remaining() - Ethernet.HEADER);
    packet.put(frame.duplicate().position(frame.position() + Ethernet.HEADER)).flip();
    int type = Ethernet.type(frame);
    assertThat(Pppoe.accept(packet)).isTrue();
    if (type == Pppoe.DISCOVERY) {
      List<Tag> tags = Pppoe.tags(packet).orElseThrow();
      return new Said(byClient, type, Pppoe.code(packet), tags, 0, ByteBuffer.allocate(0));
    }
    int protocol = Short.toUnsignedInt(packet.getShort(Pppoe.HEADER));
    ByteBuffer ppp = packet.position(Pppoe.HEADER + 2).slice();
    return new Said(byClient, type, Ppp.code(ppp), List.of(), protocol, ppp);
  }

  /** What was asked and how it was answered; what was asked again was not answered. */
  private static List<String> course(List<Said> session) {
    List<String> course = new ArrayList<>();
    Set<Said> asked = new HashSet<>();
    for (int i = 0; i < session.size(); i++) {
      Said request = session.get(i);
      if (request.isRequest() && asked.add(request)) {
        String answer =
            session.subList(i, session.size()).stream()
                .filter(said -> said.answers(request))
                .findFirst()
                .map(Said::text)
                .orElse("nothing");
        course.add(request.text() + " -> " + answer);
      }
    }
    return course;
  }

  private static List<Said> recorded(int first, int last) throws Exception {
    List<ByteBuffer> frames = Captures.frames("pppoe_session.pcap").subList(first - 1, last);
    List<ByteBuffer> pppoe =
        frames.stream()
            .filter(
                frame ->
                    Ethernet.type(frame) == Pppoe.DISCOVERY
                        || Ethernet.type(frame) == Pppoe.SESSION)
            .toList();
    long caller = Ethernet.source(pppoe.get(0)); // of the PADI
    return pppoe.stream().map(frame -> read(frame, Ethernet.source(frame) == caller)).toList();
  }

  @ParameterizedTest
  @CsvSource({
    "CHAP_MD5,   NotReallyTheSecret, true,    1,  96",
    "PAP,        NotReallyTheSecret, false,  97, 141",
    "CHAP_MD5,   wrong,              false, 142, 174",
    "PAP,        wrong,              false, 175, 206",
    "MS_CHAP_V2, NotReallyTheSecret, false, 207, 255",
    "CHAP_MD5,   NotReallyTheSecret, false, 256, 309",
    "CHAP_MD5,   NotReallyTheSecret, false, 330, 378",
    "CHAP_MD5,   NotReallyTheSecret, false, 379, 440",
    "CHAP_MD5,   NotReallyTheSecret, false, 441, 523"
  })
  void answersARecordedClientAsItWasAnswered(
      AuthMethod method, String secret, boolean dns, int first, int last) throws Exception {
    BorderNetworkGatewayBuilder builder =
        BorderNetworkGateway.account(USER, SECRET).authentication(method);
    if (dns) {
      builder.dns("10.13.0.53", "10.13.0.54");
    }
    BorderNetworkGateway isp = builder.start(segments);
    List<Said> recording = recorded(first, last);
    Set<Said> replayed = new HashSet<>();
    for (Said packet : recording) {
      if (packet.byClient() && replayed.add(packet)) {
        replay(packet, secret);
      }
    }
    List<String> expected = course(recording);
    List<String> course = course(said);
    if (isAccel(recording)) { // which had one name server, and accel-ppp rejects the other then
      expected.replaceAll(RecordedSessionsTest::withoutNameServers);
      course.replaceAll(RecordedSessionsTest::withoutNameServers);
    }
    assertThat(course).hasSizeGreaterThan(5).isEqualTo(expected);
    boolean opened = isp.events().stream().anyMatch(IspEvent.SessionOpened.class::isInstance);
    assertThat(opened).isEqualTo(secret.equals(SECRET));
    assertThat(isp.sessions()).isEmpty();
  }

  private static boolean isAccel(List<Said> recording) {
    return recording.stream()
        .flatMap(packet -> Pppoe.find(packet.tags(), Pppoe.AC_NAME).stream())
        .anyMatch(tag -> tag.text().equals("accel"));
  }

  private static String withoutNameServers(String line) {
    return line.replaceAll("(, )?(129|131)(, 131)?", "");
  }

  @Test
  void staysSilentToTheRecordedClientThatWantsAnUnknownService() throws Exception {
    BorderNetworkGateway.likeLiminix().start(segments);
    for (Said padi : recorded(310, 329)) {
      client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, padi.tags().toArray(Tag[]::new));
    }
    segments.loop().call(() -> {});
    assertThat(client.peek()).isNull();
  }

  private void replay(Said packet, String secret) throws Exception {
    if (packet.type() == Pppoe.DISCOVERY) {
      replayDiscovery(packet);
    } else if (packet.ppp() == Ppp.CHAP) {
      respond(secret);
    } else if (packet.ppp() == Ppp.LCP || packet.ppp() == Ppp.IPCP) {
      replayControl(packet);
    } else if (packet.isRequest()) { // PAP
      send(packet, packet.it());
      awaitAnswer(packet);
    } else if (packet.ppp() == CCP && packet.code() == Negotiation.CONFIGURE_REQUEST) {
      client.send(CCP, packet.it().duplicate());
      await(it -> it.is(Ppp.LCP, Lcp.PROTOCOL_REJECT) && it.data().getShort() == (short) CCP);
    }
  }

  private void replayDiscovery(Said packet) throws Exception {
    List<Tag> tags = new ArrayList<>(packet.tags());
    said.add(packet);
    if (packet.code() == Pppoe.PADI) {
      client.discover(MacAddress.BROADCAST, Pppoe.PADI, 0, tags.toArray(Tag[]::new));
      await(it -> it.isDiscovery(Pppoe.PADO));
    } else if (packet.code() == Pppoe.PADR) {
      tags.removeIf(tag -> tag.type() == Pppoe.AC_COOKIE);
      tags.add(Pppoe.find(heard.get(0).tags(), Pppoe.AC_COOKIE).orElseThrow());
      client.discover(client.isp, Pppoe.PADR, 0, tags.toArray(Tag[]::new));
      client.sessionId = await(it -> it.isDiscovery(Pppoe.PADS)).sessionId();
    } else {
      client.discover(client.isp, packet.code(), client.sessionId, tags.toArray(Tag[]::new));
      segments.loop().call(() -> {});
    }
  }

  private void replayControl(Said packet) throws Exception {
    int protocol = packet.ppp();
    switch (packet.code()) {
      case Negotiation.CONFIGURE_ACK -> {
        Heard request = await(it -> it.is(protocol, Negotiation.CONFIGURE_REQUEST));
        client.acknowledge(request);
      }
      case Negotiation.TERMINATE_ACK -> {
        Heard request = await(it -> it.is(protocol, Negotiation.TERMINATE_REQUEST));
        client.send(protocol, Negotiation.TERMINATE_ACK, request.identifier());
        await(it -> it.isDiscovery(Pppoe.PADT));
      }
      case Negotiation.CONFIGURE_REQUEST -> {
        send(packet, protocol == Ppp.IPCP ? withOurAddresses(packet) : packet.it());
        Heard answer = awaitAnswer(packet);
        if (answer.is(protocol, Negotiation.CONFIGURE_REJECT)) {
          answer.options().forEach(option -> rejected.add(option.type() << 16 | protocol));
        } else if (answer.is(protocol, Negotiation.CONFIGURE_NAK)) {
          answer.options().forEach(option -> suggested.put(option.type(), option));
        }
      }
      case Negotiation.TERMINATE_REQUEST, Lcp.ECHO_REQUEST -> {
        send(packet, packet.it());
        awaitAnswer(packet);
      }
      default -> {} // it answers what is asked at another time here, or not at all
    }
  }

  /** As a client asks that has been told these addresses, and no to those options. */
  private ByteBuffer withOurAddresses(Said packet) {
    List<PppOption> options =
        PppOption.parse(Ppp.data(packet.it())).orElseThrow().stream()
            .filter(option -> !rejected.contains(option.type() << 16 | Ppp.IPCP))
            .map(
                option ->
                    option.isInt() && option.intValue() != 0
                        ? suggested.getOrDefault(option.type(), option)
                        : option)
            .toList();
    ByteBuffer request = Ppp.begin(packet.code(), packet.identifier(), 200);
    PppOption.putAll(request, options);
    return Ppp.finish(request);
  }

  private void send(Said packet, ByteBuffer changed) {
    said.add(packet);
    client.send(packet.ppp(), changed.duplicate());
  }

  private void respond(String secret) throws Exception {
    Heard challenge = await(it -> it.is(Ppp.CHAP, 1));
    ByteBuffer data = challenge.data();
    byte[] value = new byte[data.get()];
    data.get(value);
    ByteBuffer response;
    if (isMicrosoft()) {
      byte[] own = new byte[16];
      byte[] proof = MsChap.ntResponse(value, own, USER, secret);
      response = ByteBuffer.allocate(50).put((byte) 49).put(own).put(new byte[8]).put(proof);
      response.put((byte) 0);
    } else {
      MessageDigest md5 = MessageDigest.getInstance("MD5");
      md5.update((byte) challenge.identifier());
      md5.update(secret.getBytes(StandardCharsets.UTF_8));
      response = ByteBuffer.allocate(17).put((byte) 16).put(md5.digest(value));
    }
    ByteBuffer packet = Ppp.begin(2, challenge.identifier(), 100);
    packet.put(response.flip()).put(USER.getBytes(StandardCharsets.UTF_8));
    Said answer =
        new Said(true, Pppoe.SESSION, 2, List.of(), Ppp.CHAP, Ppp.finish(packet).duplicate());
    send(answer, answer.it());
    awaitAnswer(answer);
  }

  private boolean isMicrosoft() {
    return heard.stream()
        .filter(it -> it.is(Ppp.LCP, Negotiation.CONFIGURE_REQUEST))
        .flatMap(it -> it.options().stream())
        .anyMatch(AuthMethod.MS_CHAP_V2.option()::equals);
  }

  private Heard awaitAnswer(Said request) throws InterruptedException {
    return await(it -> it.type() == request.type() && said(it).answers(request));
  }

  private static Said said(Heard it) {
    int code = it.type() == Pppoe.DISCOVERY ? it.code() : Ppp.code(it.ppp());
    return new Said(false, it.type(), code, it.tags(), it.protocol(), it.ppp());
  }

  /** The first thing of that kind that the ISP has said or will say, and that is not used yet. */
  private Heard await(Predicate<Heard> wanted) throws InterruptedException {
    Optional<Heard> before =
        heard.stream().filter(it -> !used.contains(it)).filter(wanted).findFirst();
    Heard found = before.isPresent() ? before.get() : null;
    while (found == null) {
      Heard next = client.next();
      heard.add(next);
      said.add(said(next));
      found = wanted.test(next) ? next : null;
    }
    used.add(found);
    return found;
  }
}
