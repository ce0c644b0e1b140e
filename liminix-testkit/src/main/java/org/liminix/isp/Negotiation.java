package org.liminix.isp;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;

/**
 * The option negotiation automaton of RFC 1661 section 4, which LCP and every network control
 * protocol run. What is negotiated is the business of its {@link Policy}. Confined to the loop.
 *
 * <p>Its one liberty is the pace: a client opens its session socket some time after it was told the
 * session's number, and what arrives before is lost. So until the client speaks, requests follow
 * each other fast; when it does speak and ours is still unacknowledged, ours is repeated before the
 * answer, so that the client has it in any case and never after it believes itself done.
 */
final class Negotiation {
  static final int CONFIGURE_REQUEST = 1;
  static final int CONFIGURE_ACK = 2;
  static final int CONFIGURE_NAK = 3;
  static final int CONFIGURE_REJECT = 4;
  static final int TERMINATE_REQUEST = 5;
  static final int TERMINATE_ACK = 6;
  static final int CODE_REJECT = 7;

  private static final Duration FIRST_PATIENCE = Duration.ofMillis(10);

  /** With whoever was heard in LCP: it listens, unless it is busy. */
  private static final Duration FIRST_PATIENCE_OF_LISTENERS = Duration.ofMillis(100);

  private static final Duration LONGEST_PATIENCE = Duration.ofMillis(500);

  /** RFC 1661 section 4.6: the restart timer, once the peer is known to listen. */
  private static final Duration RESTART = Duration.ofSeconds(3);

  private static final Duration TERMINATE_PATIENCE = Duration.ofSeconds(1);

  /** About half a minute of a peer that never speaks. */
  private static final int MAX_UNHEARD = 60;

  private static final int MAX_CONFIGURE = 10;
  private static final int MAX_TERMINATE = 2;

  /** So many Naks, in either direction, before the negotiation is thought not to converge. */
  private static final int MAX_FAILURE = 10;

  /**
   * The states of RFC 1661 section 4.2, less those of a lower layer that comes and goes, and less
   * Stopping: see {@link #terminateRequest}.
   */
  enum State {
    CLOSED,
    STOPPED,
    CLOSING,
    REQ_SENT,
    ACK_RCVD,
    ACK_SENT,
    OPENED
  }

  /** What is negotiated, and who wants to know how it goes. */
  interface Policy {
    /** What to ask the peer to agree to. */
    List<PppOption> wishes();

    /** What to answer to the peer's wishes. */
    Verdict judge(List<PppOption> asked);

    /** The peer suggests other values for some of our wishes. */
    void naked(List<PppOption> suggested);

    /** The peer does not know some of our wishes. */
    void rejected(List<PppOption> unknown);

    /** Both sides agree (RFC 1661: this-layer-up). */
    void opened();

    /** They no longer do (this-layer-down). */
    void closed();

    /** Nothing more will come of it (this-layer-finished). */
    void finished(String why, boolean byPeer);

    /** A packet with a code of the protocol's own; false if it has no such code. */
    default boolean received(int code, ByteBuffer packet) {
      return false;
    }

    /** The longest packet that the peer takes. */
    default int peerMru() {
      return Ppp.MAX_MRU;
    }
  }

  /** Collects what is wrong with a request; RFC 1661 sends rejections before suggestions. */
  static final class Verdict {
    private final List<PppOption> rejections = new ArrayList<>();
    private final List<PppOption> suggestions = new ArrayList<>();

    void reject(PppOption option) {
      rejections.add(option);
    }

    void suggest(PppOption option) {
      suggestions.add(option);
    }

    boolean isGood() {
      return rejections.isEmpty() && suggestions.isEmpty();
    }
  }

  private final int protocol;
  private final EventLoop loop;
  private final Ppp.Link link;
  private final Policy policy;

  private State state = State.CLOSED;
  private boolean heard;
  private int requestIdentifier;
  private @Nullable ByteBuffer request;
  private int terminateIdentifier;
  private int attempts;
  private int naksSent;
  private int naksReceived;
  private int codeRejects;
  private Duration patience;
  private EventLoop.@Nullable Timer timer;

  Negotiation(int protocol, EventLoop loop, Ppp.Link link, Policy policy) {
    this.protocol = protocol;
    this.loop = loop;
    this.link = link;
    this.policy = policy;
    this.patience = protocol == Ppp.LCP ? FIRST_PATIENCE : FIRST_PATIENCE_OF_LISTENERS;
  }

  State state() {
    return state;
  }

  /** Begins to negotiate. */
  void open() {
    if (state == State.CLOSED) {
      sendNewRequest();
      state = State.REQ_SENT;
    }
  }

  /** Begins to negotiate, with answers only until {@link #ask}. */
  void listen() {
    if (state == State.CLOSED) {
      state = State.REQ_SENT;
    }
  }

  /** Sends the request that {@link #listen} has left out; without effect if there is one. */
  void ask() {
    if (request == null && (state == State.REQ_SENT || state == State.ACK_SENT)) {
      sendNewRequest();
    }
  }

  /**
   * Agrees on other terms: the restart option of RFC 1661 section 4.4, which takes the layer below
   * for down and up again.
   */
  void renegotiate() {
    if (state == State.OPENED) {
      state = State.REQ_SENT;
      policy.closed();
      sendNewRequest();
    }
  }

  /** Ends the agreement in an orderly way; {@link Policy#finished} tells when it has ended. */
  void close(String why) {
    switch (state) {
      case CLOSED, CLOSING -> {}
      case STOPPED -> state = State.CLOSED;
      case REQ_SENT, ACK_RCVD, ACK_SENT, OPENED -> {
        boolean wasOpened = state == State.OPENED;
        state = State.CLOSING;
        attempts = 0;
        terminateIdentifier = nextIdentifier();
        sendTerminateRequest(why);
        if (wasOpened) {
          policy.closed();
        }
      }
    }
  }

  /** Forgets everything, without a word to the peer. */
  void abandon() {
    stopTimer();
    state = State.CLOSED;
  }

  /** Takes a packet of this protocol; what is malformed is silently discarded. */
  void received(ByteBuffer packet) {
    if (!Ppp.accept(packet)) {
      return;
    }
    int code = Ppp.code(packet);
    switch (code) {
      case CONFIGURE_REQUEST ->
          PppOption.parse(Ppp.data(packet)).ifPresent(asked -> configureRequest(packet, asked));
      case CONFIGURE_ACK -> {
        if (answersOurRequest(packet) && Ppp.data(packet).equals(data(request))) {
          configureAck();
        }
      }
      case CONFIGURE_NAK, CONFIGURE_REJECT -> {
        if (answersOurRequest(packet)) {
          PppOption.parse(Ppp.data(packet)).ifPresent(options -> configureNak(code, options));
        }
      }
      case TERMINATE_REQUEST -> terminateRequest(packet);
      case TERMINATE_ACK -> terminateAck();
      case CODE_REJECT -> codeReject(packet);
      default -> {
        if (!policy.received(code, packet)) {
          // RFC 1661 section 5.6
          link.send(protocol, Ppp.packet(CODE_REJECT, nextCodeReject(), excerpt(packet)));
        }
      }
    }
  }

  private int nextCodeReject() {
    return codeRejects++ & 0xff;
  }

  private ByteBuffer excerpt(ByteBuffer packet) {
    int most = policy.peerMru() - Ppp.HEADER;
    return packet.duplicate().limit(Math.min(packet.limit(), packet.position() + most));
  }

  private static @Nullable ByteBuffer data(@Nullable ByteBuffer packet) {
    return packet == null ? null : Ppp.data(packet);
  }

  private boolean answersOurRequest(ByteBuffer packet) {
    return request != null && Ppp.identifier(packet) == requestIdentifier;
  }

  private void configureRequest(ByteBuffer packet, List<PppOption> asked) {
    switch (state) {
      case CLOSED -> {
        sendTerminateAck(packet);
        return;
      }
      case CLOSING -> {
        return;
      }
      case STOPPED, OPENED -> {
        boolean wasOpened = state == State.OPENED;
        state = State.REQ_SENT;
        if (wasOpened) {
          policy.closed();
        }
        sendNewRequest();
      }
      case REQ_SENT, ACK_RCVD, ACK_SENT -> {
        if (!heard && state == State.REQ_SENT && protocol == Ppp.LCP) {
          repeatRequest();
        }
      }
    }
    hear();
    Verdict verdict = policy.judge(asked);
    if (verdict.isGood()) {
      link.send(protocol, Ppp.packet(CONFIGURE_ACK, Ppp.identifier(packet), Ppp.data(packet)));
      if (state == State.ACK_RCVD) {
        becomeOpened();
      } else {
        state = State.ACK_SENT;
      }
    } else {
      refuse(packet, verdict);
      if (state == State.ACK_SENT) {
        state = State.REQ_SENT;
      }
    }
  }

  private void refuse(ByteBuffer packet, Verdict verdict) {
    int code = CONFIGURE_REJECT;
    List<PppOption> options = verdict.rejections;
    if (options.isEmpty()) {
      options = verdict.suggestions;
      // RFC 1661 section 4.6, Max-Failure: who does not take suggestions is told no.
      code = ++naksSent > MAX_FAILURE ? CONFIGURE_REJECT : CONFIGURE_NAK;
    }
    int length = options.stream().mapToInt(option -> 2 + option.data().remaining()).sum();
    ByteBuffer answer = Ppp.begin(code, Ppp.identifier(packet), length);
    PppOption.putAll(answer, options);
    link.send(protocol, Ppp.finish(answer));
  }

  private void configureAck() {
    hear();
    switch (state) {
      case REQ_SENT -> {
        state = State.ACK_RCVD;
        restartTimer(RESTART);
      }
      case ACK_SENT -> becomeOpened();
      // RFC 1661 would suspect crossed connections; here it answers a request that was repeated.
      default -> {}
    }
  }

  private void becomeOpened() {
    stopTimer();
    state = State.OPENED;
    naksSent = 0;
    naksReceived = 0;
    policy.opened();
  }

  private void configureNak(int code, List<PppOption> options) {
    hear();
    if (state != State.REQ_SENT && state != State.ACK_SENT) {
      return;
    }
    if (++naksReceived > MAX_FAILURE) {
      finish("the peer refuses every configuration");
      return;
    }
    if (code == CONFIGURE_NAK) {
      policy.naked(options);
    } else {
      policy.rejected(options);
    }
    if (state == State.REQ_SENT || state == State.ACK_SENT) { // the policy may have given up
      sendNewRequest();
    }
  }

  private void terminateRequest(ByteBuffer packet) {
    sendTerminateAck(packet);
    switch (state) {
      // RFC 1661 would go on negotiating where nothing is agreed yet. On a line that was made for
      // this one session, a peer that wants to end it before it began wants to end it.
      case REQ_SENT, ACK_RCVD, ACK_SENT, OPENED -> {
        boolean wasOpened = state == State.OPENED;
        // The restart timer of RFC 1661 would give the peer time to hear the acknowledgement.
        // Nothing is lost here: what is sent next cannot overtake it.
        state = State.STOPPED;
        stopTimer();
        if (wasOpened) {
          policy.closed();
        }
        policy.finished("the peer terminated" + reason(packet), true);
      }
      default -> {}
    }
  }

  private static String reason(ByteBuffer packet) {
    String text = StandardCharsets.UTF_8.decode(Ppp.data(packet)).toString();
    String printable = text.replaceAll("\\P{Print}", "").strip();
    return printable.isEmpty() ? "" : ": " + printable;
  }

  private void terminateAck() {
    switch (state) {
      case CLOSING -> {
        state = State.CLOSED;
        stopTimer();
        policy.finished("terminated", false);
      }
      case ACK_RCVD -> state = State.REQ_SENT;
      case OPENED -> {
        state = State.REQ_SENT;
        policy.closed();
        sendNewRequest();
      }
      default -> {}
    }
  }

  private void codeReject(ByteBuffer packet) {
    ByteBuffer rejected = Ppp.data(packet);
    int code = rejected.hasRemaining() ? Byte.toUnsignedInt(rejected.get()) : 0;
    // RFC 1661 section 4.3, RXJ-: without these codes no agreement is possible.
    if (code >= CONFIGURE_REQUEST && code <= CODE_REJECT) {
      finish("the peer does not know code " + code);
    } else if (state == State.ACK_RCVD) {
      state = State.REQ_SENT; // RXJ+
    }
  }

  /** Gives up: RXJ-, and negotiations that do not converge. */
  void finish(String why) {
    boolean wasOpened = state == State.OPENED;
    state = State.STOPPED;
    stopTimer();
    if (wasOpened) {
      policy.closed();
    }
    policy.finished(why, false);
  }

  private void hear() {
    if (!heard) {
      heard = true;
      attempts = 0;
      if (timer != null) {
        restartTimer(RESTART);
      }
    }
  }

  private int nextIdentifier() {
    requestIdentifier = (requestIdentifier + 1) & 0xff;
    return requestIdentifier;
  }

  private void sendNewRequest() {
    List<PppOption> wishes = policy.wishes();
    int length = wishes.stream().mapToInt(option -> 2 + option.data().remaining()).sum();
    ByteBuffer packet = Ppp.begin(CONFIGURE_REQUEST, nextIdentifier(), length);
    PppOption.putAll(packet, wishes);
    request = Ppp.finish(packet);
    attempts = 0;
    repeatRequest();
    restartTimer(heard ? RESTART : patience);
  }

  /** The same identifier, for the same content (RFC 1661 section 5.1): any answer counts. */
  private void repeatRequest() {
    if (request != null) {
      link.send(protocol, request.duplicate());
    }
  }

  private void sendTerminateAck(ByteBuffer packet) {
    link.send(protocol, Ppp.packet(TERMINATE_ACK, Ppp.identifier(packet), ByteBuffer.allocate(0)));
  }

  private void sendTerminateRequest(String why) {
    link.send(protocol, Ppp.packet(TERMINATE_REQUEST, terminateIdentifier, why));
    stopTimer();
    timer = loop.schedule(TERMINATE_PATIENCE, () -> terminateTimeUp(why));
  }

  private void terminateTimeUp(String why) {
    if (++attempts < MAX_TERMINATE) {
      sendTerminateRequest(why);
    } else {
      state = State.CLOSED;
      policy.finished("terminated, and the peer did not answer", false);
    }
  }

  private void configureTimeUp() {
    if (++attempts >= (heard ? MAX_CONFIGURE : MAX_UNHEARD)) {
      finish(heard ? "the peer stopped answering" : "the peer never spoke");
      return;
    }
    if (state == State.ACK_RCVD) {
      state = State.REQ_SENT;
    }
    repeatRequest();
    if (heard) {
      restartTimer(RESTART);
    } else {
      Duration longer = patience.multipliedBy(2);
      patience = longer.compareTo(LONGEST_PATIENCE) < 0 ? longer : LONGEST_PATIENCE;
      restartTimer(patience);
    }
  }

  private void restartTimer(Duration delay) {
    stopTimer();
    timer = loop.schedule(delay, this::configureTimeUp);
  }

  private void stopTimer() {
    if (timer != null) {
      timer.cancel();
      timer = null;
    }
  }
}
