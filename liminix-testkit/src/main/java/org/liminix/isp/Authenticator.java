package org.liminix.isp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.liminix.isp.Subscribers.Refusal;
import org.liminix.net.EventLoop;

/** Finds out who the client of one session is, with PAP, CHAP or MS-CHAP. Confined to the loop. */
abstract sealed class Authenticator {
  /** Who is told what came of it. */
  interface Listener {
    void authenticated(String user);

    /** The client has been told; the user is empty if it never said a name. */
    void refused(String user, Refusal refusal);
  }

  /** How long a client may take over its answer before it is asked again, or given up. */
  private static final Duration PATIENCE = Duration.ofSeconds(3);

  private static final int MAX_QUESTIONS = 10;

  private static final String WELCOME = "Access granted";
  private static final String REFUSAL = "Access denied";

  final Ppp.Link link;
  private final EventLoop loop;
  private final Subscribers subscribers;
  private final Listener listener;
  private @Nullable Boolean outcome;
  private @Nullable String known;
  private int questions;
  private EventLoop.@Nullable Timer timer;

  private Authenticator(EventLoop loop, Ppp.Link link, Subscribers subscribers, Listener listener) {
    this.loop = loop;
    this.link = link;
    this.subscribers = subscribers;
    this.listener = listener;
  }

  static Authenticator of(
      AuthMethod method,
      EventLoop loop,
      Ppp.Link link,
      IspSettings settings,
      Subscribers subscribers,
      Listener listener) {
    return switch (method) {
      case PAP -> new Pap(loop, link, subscribers, listener);
      case CHAP_MD5 -> new Md5Chap(loop, link, subscribers, settings, listener);
      case MS_CHAP_V2 -> new MsChapV2(loop, link, subscribers, settings, listener);
    };
  }

  /** The number of the protocol it speaks. */
  abstract int protocol();

  /** Asks the client, or waits for it to speak. */
  abstract void ask();

  /** Takes a packet; what is malformed or unexpected is silently discarded. */
  abstract void received(ByteBuffer packet);

  abstract void sendOutcome(boolean success, int identifier, String message);

  final void start() {
    if (++questions > MAX_QUESTIONS) {
      listener.refused("", Refusal.authentication("the client does not authenticate itself"));
      return;
    }
    ask();
    timer = loop.schedule(PATIENCE, this::start);
  }

  final void stop() {
    if (timer != null) {
      timer.cancel();
    }
  }

  /** When to ask again a client that is known; never if that is empty. */
  Optional<Duration> askAgainAfter() {
    return Optional.empty();
  }

  /** Makes another question of it. */
  void renew() {}

  private void again() {
    outcome = null;
    questions = 0;
    renew();
    start();
  }

  /** What the client says about itself, which is true or not. */
  interface Proof {
    boolean holds(String secret);
  }

  /** Tells the client, and the listener the first time (RFC 1334 and RFC 1994: answers repeat). */
  final void decide(String user, int identifier, Proof proof) {
    stop();
    boolean repeated = outcome != null;
    Optional<Refusal> refusal = repeated ? Optional.empty() : judge(user, proof);
    boolean success = outcome == null ? refusal.isEmpty() : outcome;
    outcome = success;
    sendOutcome(success, identifier, success ? WELCOME : REFUSAL);
    if (success) {
      askAgainAfter().ifPresent(pause -> timer = loop.schedule(pause, this::again));
    }
    if (refusal.isPresent()) {
      listener.refused(user, refusal.get());
    } else if (success && known == null) {
      known = user;
      listener.authenticated(user);
    }
  }

  private Optional<Refusal> judge(String user, Proof proof) {
    String secret = subscribers.secretOf(user);
    if (secret == null) {
      return Optional.of(Refusal.authentication("unknown user"));
    }
    if (!proof.holds(secret)) {
      return Optional.of(Refusal.authentication("wrong secret"));
    }
    if (known != null) {
      return known.equals(user)
          ? Optional.empty()
          : Optional.of(Refusal.authentication("first it was " + known));
    }
    return subscribers.refusalOf(user);
  }

  static boolean same(byte[] one, byte[] other) {
    return MessageDigest.isEqual(one, other);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static String text(byte[] bytes) {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** The bytes that follow their length, or null if there are not so many. */
  static byte @Nullable [] counted(ByteBuffer data) {
    if (!data.hasRemaining()) {
      return null;
    }
    int length = Byte.toUnsignedInt(data.get());
    if (length > data.remaining()) {
      return null;
    }
    byte[] bytes = new byte[length];
    data.get(bytes);
    return bytes;
  }

  /** The Password Authentication Protocol (RFC 1334 section 2). */
  static final class Pap extends Authenticator {
    private static final int REQUEST = 1;
    private static final int ACK = 2;
    private static final int NAK = 3;

    Pap(EventLoop loop, Ppp.Link link, Subscribers subscribers, Listener listener) {
      super(loop, link, subscribers, listener);
    }

    @Override
    int protocol() {
      return Ppp.PAP;
    }

    @Override
    void ask() {} // the client begins

    @Override
    void received(ByteBuffer packet) {
      if (!Ppp.accept(packet) || Ppp.code(packet) != REQUEST) {
        return;
      }
      ByteBuffer data = Ppp.data(packet);
      byte[] user = counted(data);
      byte[] password = counted(data);
      if (user == null || password == null) {
        return;
      }
      decide(text(user), Ppp.identifier(packet), secret -> same(bytes(secret), password));
    }

    @Override
    void sendOutcome(boolean success, int identifier, String message) {
      byte[] text = bytes(message);
      ByteBuffer answer = Ppp.begin(success ? ACK : NAK, identifier, 1 + text.length);
      link.send(Ppp.PAP, Ppp.finish(answer.put((byte) text.length).put(text)));
    }
  }

  /** The Challenge Handshake Authentication Protocol (RFC 1994), whatever it computes. */
  abstract static sealed class Chap extends Authenticator {
    private static final int CHALLENGE = 1;
    private static final int RESPONSE = 2;
    private static final int SUCCESS = 3;
    private static final int FAILURE = 4;

    private static final int CHALLENGE_BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    final byte[] challenge = new byte[CHALLENGE_BYTES];
    int identifier = RANDOM.nextInt(256);
    private final String name;
    private final Optional<Duration> askAgainAfter;

    private Chap(
        EventLoop loop,
        Ppp.Link link,
        Subscribers subscribers,
        IspSettings settings,
        Listener listener) {
      super(loop, link, subscribers, listener);
      this.name = settings.acName();
      this.askAgainAfter = settings.rechallenge();
      RANDOM.nextBytes(challenge);
    }

    /** RFC 1994 section 2: at any time, with another identifier and another value. */
    @Override
    final Optional<Duration> askAgainAfter() {
      return askAgainAfter;
    }

    @Override
    final void renew() {
      identifier = identifier + 1 & 0xff;
      RANDOM.nextBytes(challenge);
    }

    /** Whether the client's response proves that it knows the secret. */
    abstract boolean proves(String user, String secret, byte[] response);

    /** What tells the client how it went, of the words for people. */
    abstract String message(boolean success, String words);

    @Override
    final int protocol() {
      return Ppp.CHAP;
    }

    @Override
    final void ask() {
      byte[] ownName = bytes(name);
      ByteBuffer packet = Ppp.begin(CHALLENGE, identifier, 1 + challenge.length + ownName.length);
      packet.put((byte) challenge.length).put(challenge).put(ownName);
      link.send(Ppp.CHAP, Ppp.finish(packet));
    }

    @Override
    final void received(ByteBuffer packet) {
      if (!Ppp.accept(packet)
          || Ppp.code(packet) != RESPONSE
          || Ppp.identifier(packet) != identifier) {
        return;
      }
      ByteBuffer data = Ppp.data(packet);
      byte[] response = counted(data);
      if (response == null) {
        return;
      }
      byte[] user = new byte[data.remaining()];
      data.get(user);
      decide(text(user), identifier, secret -> proves(text(user), secret, response));
    }

    @Override
    final void sendOutcome(boolean success, int identifier, String message) {
      link.send(
          Ppp.CHAP, Ppp.packet(success ? SUCCESS : FAILURE, identifier, message(success, message)));
    }
  }

  /** With MD5 (RFC 1994 section 4.1). */
  static final class Md5Chap extends Chap {
    Md5Chap(
        EventLoop loop,
        Ppp.Link link,
        Subscribers subscribers,
        IspSettings settings,
        Listener listener) {
      super(loop, link, subscribers, settings, listener);
    }

    /** Of the identifier, the secret and the challenge. */
    @Override
    boolean proves(String user, String secret, byte[] response) {
      try {
        MessageDigest md5 = MessageDigest.getInstance("MD5");
        md5.update((byte) identifier);
        md5.update(bytes(secret));
        return same(md5.digest(challenge), response);
      } catch (NoSuchAlgorithmException e) {
        throw new AssertionError("every Java platform has MD5", e);
      }
    }

    @Override
    String message(boolean success, String words) {
      return words;
    }
  }

  /** Microsoft's, version 2 (RFC 2759), in which the ISP proves that it knows the secret, too. */
  static final class MsChapV2 extends Chap {
    /** The client's challenge, 8 bytes of nothing, its response, a byte of flags: section 4. */
    private static final int RESPONSE_BYTES = 49;

    private static final int PEER_CHALLENGE = 16;
    private static final int NT_RESPONSE = 24;

    private String proof = "";

    MsChapV2(
        EventLoop loop,
        Ppp.Link link,
        Subscribers subscribers,
        IspSettings settings,
        Listener listener) {
      super(loop, link, subscribers, settings, listener);
    }

    @Override
    boolean proves(String user, String secret, byte[] response) {
      if (response.length != RESPONSE_BYTES) {
        return false;
      }
      byte[] peerChallenge = Arrays.copyOf(response, PEER_CHALLENGE);
      byte[] answer = Arrays.copyOfRange(response, NT_RESPONSE, RESPONSE_BYTES - 1);
      proof = MsChap.authenticatorResponse(challenge, peerChallenge, answer, user, secret);
      return same(MsChap.ntResponse(challenge, peerChallenge, user, secret), answer);
    }

    /** Sections 5 and 6: 691 is a failure to authenticate, after which R=0 allows no retry. */
    @Override
    String message(boolean success, String words) {
      return success
          ? proof + " M=" + words
          : "E=691 R=0 C=%s V=3 M=%s"
              .formatted(HexFormat.of().withUpperCase().formatHex(challenge), words);
    }
  }
}
