package org.liminix.isp;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;

/** The Link Control Protocol (RFC 1661 sections 5 and 6) of one session. Confined to the loop. */
final class Lcp implements Negotiation.Policy {
  static final int PROTOCOL_REJECT = 8;
  static final int ECHO_REQUEST = 9;
  static final int ECHO_REPLY = 10;
  static final int DISCARD_REQUEST = 11;

  /** RFC 1570 section 2. */
  static final int IDENTIFICATION = 12;

  static final int TIME_REMAINING = 13;

  static final int MRU = 1;
  static final int AUTHENTICATION = 3;
  static final int MAGIC_NUMBER = 5;

  /** RFC 1661 leaves no room for an IPv4 packet below this (RFC 791). */
  private static final int MIN_MRU = 68;

  /** So many of our own requests that come back prove that the line is a loop. */
  private static final int MAX_LOOPED = 5;

  private static final SecureRandom RANDOM = new SecureRandom();

  /** Who is told how the link fares. */
  interface Listener {
    void linkOpened(AuthMethod method, int mru);

    /** What was agreed is void; the link may open again. */
    void linkClosed();

    void linkFinished(String why, boolean byPeer);

    /** The peer does not speak a protocol. */
    void protocolRejected(int protocol);

    /** The peer has not been heard for too long. */
    void peerSilent();
  }

  private final EventLoop loop;
  private final Ppp.Link link;
  private final Negotiation negotiation;
  private final Listener listener;
  private final List<AuthMethod> methods;
  private final Duration echoInterval;
  private final int echoLimit;

  private int magic = newMagic();
  private boolean askMru = true;
  private boolean askMagic = true;
  private final int maxMru;
  private int mru;
  private int peerMru;
  private int identifier;
  private int looped;
  private boolean heardSinceEcho;
  private int silentEchoes;
  private EventLoop.@Nullable Timer echoTimer;

  /**
   * A link that has not begun.
   *
   * @param maxMru what PPPoE's frames have room for, in both directions
   */
  Lcp(EventLoop loop, Ppp.Link link, int maxMru, IspSettings settings, Listener listener) {
    this.loop = loop;
    this.link = link;
    this.maxMru = maxMru;
    this.mru = maxMru;
    this.peerMru = maxMru;
    this.listener = listener;
    this.methods = new ArrayList<>(settings.authMethods());
    this.echoInterval = settings.echoInterval();
    this.echoLimit = settings.echoLimit();
    this.negotiation = new Negotiation(Ppp.LCP, loop, link, this);
  }

  private static int newMagic() {
    int random = RANDOM.nextInt();
    return random == 0 ? 1 : random; // RFC 1661 section 6.4: zero is no magic number
  }

  void open() {
    negotiation.open();
  }

  void close(String why) {
    negotiation.close(why);
  }

  void abandon() {
    stopEcho();
    negotiation.abandon();
  }

  boolean isOpened() {
    return negotiation.state() == Negotiation.State.OPENED;
  }

  void received(ByteBuffer packet) {
    negotiation.received(packet);
  }

  /** Anything at all came from the peer: it lives. */
  void heard() {
    heardSinceEcho = true;
    silentEchoes = 0;
  }

  /** RFC 1661 section 5.7: tells the peer that nobody here speaks a protocol. */
  void rejectProtocol(int protocol, ByteBuffer packet) {
    if (isOpened()) {
      int length = Math.min(packet.remaining(), peerMru() - Ppp.HEADER - 2);
      ByteBuffer reject = Ppp.begin(PROTOCOL_REJECT, identifier++, 2 + length);
      reject.putShort((short) protocol);
      reject.put(packet.duplicate().limit(packet.position() + length));
      link.send(Ppp.LCP, Ppp.finish(reject));
    }
  }

  @Override
  public int peerMru() {
    return Math.min(peerMru, maxMru);
  }

  @Override
  public List<PppOption> wishes() {
    List<PppOption> wishes = new ArrayList<>();
    if (askMru) {
      wishes.add(PppOption.ofShort(MRU, mru));
    }
    wishes.add(methods.get(0).option());
    if (askMagic) {
      wishes.add(PppOption.ofInt(MAGIC_NUMBER, magic));
    }
    return wishes;
  }

  @Override
  public Negotiation.Verdict judge(List<PppOption> asked) {
    Negotiation.Verdict verdict = new Negotiation.Verdict();
    if (askMagic && asked.contains(PppOption.ofInt(MAGIC_NUMBER, magic))) {
      // RFC 1661 section 6.4: to tell whether it is our own request that comes back, this and
      // nothing else is said.
      looped++;
      verdict.suggest(PppOption.ofInt(MAGIC_NUMBER, newMagic()));
      return verdict;
    }
    looped = 0;
    peerMru = Ppp.DEFAULT_MRU;
    for (PppOption option : asked) {
      if (option.type() == MRU && option.isShort()) {
        peerMru = option.shortValue();
        if (peerMru < MIN_MRU || peerMru > maxMru) {
          verdict.suggest(PppOption.ofShort(MRU, maxMru)); // RFC 2516 section 7
        }
      } else if (option.type() == MAGIC_NUMBER && option.isInt()) {
        if (option.intValue() == 0) {
          verdict.suggest(PppOption.ofInt(MAGIC_NUMBER, newMagic()));
        }
      } else {
        // ACCM, PFC and ACFC make no sense over Ethernet (RFC 2516 section 7), and we do not
        // authenticate ourselves.
        verdict.reject(option);
      }
    }
    return verdict;
  }

  /** RFC 1661 section 6.4: what comes back is not the peer's. */
  private void loopedBack() {
    negotiation.finish("the line is looped back");
  }

  @Override
  public void naked(List<PppOption> suggested) {
    for (PppOption option : suggested) {
      switch (option.type()) {
        case MRU -> {
          if (option.isShort() && option.shortValue() >= MIN_MRU && option.shortValue() <= maxMru) {
            mru = option.shortValue();
          }
        }
        case MAGIC_NUMBER -> {
          magic = newMagic();
          if (looped > MAX_LOOPED) {
            loopedBack();
          }
        }
        case AUTHENTICATION -> {
          AuthMethod refused = methods.get(0);
          if (refused.option().equals(option)) {
            break; // it suggests what we asked for
          }
          methods.remove(0);
          // What the peer suggests goes first, if it is allowed.
          methods.sort(Comparator.comparing(method -> !method.option().equals(option)));
          if (methods.isEmpty()) {
            negotiation.finish("the peer refuses to authenticate with " + refused);
          }
        }
        default -> {} // we asked for nothing else
      }
    }
  }

  @Override
  public void rejected(List<PppOption> unknown) {
    for (PppOption option : unknown) {
      switch (option.type()) {
        case MRU -> askMru = false;
        case MAGIC_NUMBER -> askMagic = false;
        case AUTHENTICATION -> negotiation.finish("the peer refuses to authenticate");
        default -> {} // we asked for nothing else
      }
    }
  }

  @Override
  public void opened() {
    planEcho();
    listener.linkOpened(methods.get(0), peerMru());
  }

  @Override
  public void closed() {
    stopEcho();
    listener.linkClosed();
  }

  @Override
  public void finished(String why, boolean byPeer) {
    listener.linkFinished(why, byPeer);
  }

  @Override
  public boolean received(int code, ByteBuffer packet) {
    switch (code) {
      case ECHO_REQUEST -> {
        ByteBuffer data = Ppp.data(packet);
        if (isOpened() && data.remaining() >= Integer.BYTES) {
          if (askMagic && data.getInt(data.position()) == magic) {
            loopedBack(); // only a request tells: some peers copy ours into their replies
            return true;
          }
          ByteBuffer reply = Ppp.begin(ECHO_REPLY, Ppp.identifier(packet), data.remaining());
          reply.putInt(askMagic ? magic : 0).put(data.position(data.position() + Integer.BYTES));
          link.send(Ppp.LCP, Ppp.finish(reply));
        }
      }
      case PROTOCOL_REJECT -> {
        ByteBuffer data = Ppp.data(packet);
        if (isOpened() && data.remaining() >= Short.BYTES) {
          int rejected = Short.toUnsignedInt(data.getShort());
          if (rejected == Ppp.LCP) {
            negotiation.finish("the peer rejects LCP itself"); // RFC 1661 section 4.3, RXJ-
          } else {
            listener.protocolRejected(rejected);
          }
        }
      }
      case ECHO_REPLY, DISCARD_REQUEST -> {} // that it came is all it says
      case IDENTIFICATION, TIME_REMAINING -> {} // for people to read
      default -> {
        return false;
      }
    }
    return true;
  }

  private void planEcho() {
    stopEcho();
    heardSinceEcho = true;
    silentEchoes = 0;
    echoTimer = loop.schedule(echoInterval, this::echo);
  }

  private void echo() {
    if (!heardSinceEcho && ++silentEchoes >= echoLimit) {
      listener.peerSilent();
      return;
    }
    heardSinceEcho = false;
    ByteBuffer request = Ppp.begin(ECHO_REQUEST, identifier++, Integer.BYTES);
    link.send(Ppp.LCP, Ppp.finish(request.putInt(askMagic ? magic : 0)));
    echoTimer = loop.schedule(echoInterval, this::echo);
  }

  private void stopEcho() {
    if (echoTimer != null) {
      echoTimer.cancel();
      echoTimer = null;
    }
  }
}
