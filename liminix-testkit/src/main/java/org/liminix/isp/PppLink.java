package org.liminix.isp;

import java.net.Inet4Address;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.liminix.isp.Subscribers.Refusal;
import org.liminix.net.EventLoop;
import org.liminix.net.MacAddress;
import org.liminix.net.internal.Ipv4;

/**
 * One PPP link from its number to its end: the phases of RFC 1661 section 3. Confined to the loop.
 */
final class PppLink implements Lcp.Listener, Authenticator.Listener, Ipcp.Listener, Ipv6Line.Host {
  /** What a link needs of the concentrator it is part of. */
  interface Owner extends Subscribers {
    void send(PppLink link, int protocol, ByteBuffer packet);

    /** An address for a client, or null if all are taken. */
    @Nullable Integer allocateAddress(String user);

    /** Takes a certain address; false if somebody has it. */
    boolean takeAddress(int address);

    void releaseAddress(int address);

    /** The IPv6 of a client, or null if it gets none. */
    default @Nullable Ipv6Line ipv6(PppLink link, Ppp.Link way) {
      return null;
    }

    void opened(PppLink link, PppSession session);

    /** Packets no longer flow. */
    void closed(PppLink link, PppSession session);

    /** The link has ended; the client is to be told with a PADT unless it said so itself. */
    void ended(PppLink link, boolean tellClient);

    void forward(PppLink link, ByteBuffer packet);

    void record(IspEvent event);
  }

  /**
   * How long IPv6 waits for IPv4. A slow client sets up one network after the other, with a script
   * for each, and what it is about to say of the second has to wait.
   */
  private static final Duration IPV4_FIRST = Duration.ofMillis(500);

  private final int id;
  private final MacAddress peer;
  private final EventLoop loop;
  private final IspSettings settings;
  private final Owner owner;
  private final long startNanos = System.nanoTime();
  private final Lcp lcp;
  private final Meter meter;
  private final SessionClock clock;

  private boolean heard;
  private int mtu = Ppp.MAX_MRU;
  private @Nullable Authenticator authenticator;
  private String user = "";
  private boolean authenticated;
  private @Nullable Integer address;

  /** By the numbers of their protocols. */
  private final Map<Integer, NetworkControl> networks = new LinkedHashMap<>();

  /** Those of which nothing will come unless the client begins anew. */
  private final Set<NetworkControl> finished = new HashSet<>();

  private volatile @Nullable Ipv6Line ipv6;
  private @Nullable PppSession session;
  private Duration openTime = Duration.ZERO;
  private int foreignSource;
  private IspEvent.@Nullable Reason ending;
  private String endingDetail = "";
  private boolean ended;

  PppLink(int id, MacAddress peer, int maxMru, EventLoop loop, IspSettings settings, Owner owner) {
    this.id = id;
    this.peer = peer;
    this.loop = loop;
    this.settings = settings;
    this.owner = owner;
    this.lcp = new Lcp(loop, this::send, maxMru, settings, this);
    this.meter =
        new Meter(
            packet -> owner.forward(this, packet), packet -> send(Ppp.protocolOf(packet), packet));
    this.clock = new SessionClock(loop, meter, this::terminate);
  }

  int id() {
    return id;
  }

  MacAddress peer() {
    return peer;
  }

  /** Whether the client has sent anything: it knows its session then. */
  boolean hasHeard() {
    return heard;
  }

  @Nullable Integer address() {
    return address;
  }

  /** Who the client has proved to be; empty before that. */
  String user() {
    return authenticated ? user : "";
  }

  /** Its IPv6, or null if it has none. From any thread. */
  @Nullable Ipv6Line ipv6() {
    return ipv6;
  }

  boolean isOpen() {
    return session != null && session.state() == PppSession.State.OPEN;
  }

  /** The longest IP packet the client takes. */
  int mtu() {
    return mtu;
  }

  void start() {
    lcp.open();
  }

  private void send(int protocol, ByteBuffer packet) {
    owner.send(this, protocol, packet);
  }

  /** Takes what follows the PPPoE header: a protocol number and a packet. */
  void received(ByteBuffer frame) {
    if (ended || frame.remaining() < Short.BYTES) {
      return;
    }
    heard = true;
    lcp.heard();
    int protocol = Short.toUnsignedInt(frame.getShort());
    Authenticator asked = authenticator;
    NetworkControl network = networks.get(Ppp.controlOf(protocol));
    if (protocol == Ppp.LCP) {
      lcp.received(frame);
    } else if (!lcp.isOpened() || ending != null) {
      return; // RFC 1661 section 3.4: silently discarded
    } else if (asked != null && protocol == asked.protocol()) {
      asked.received(frame);
    } else if (!authenticated) {
      return; // RFC 1661 section 3.5
    } else if (network == null) {
      lcp.rejectProtocol(protocol, frame);
    } else if (protocol == Ppp.controlOf(protocol)) {
      network.negotiation().received(frame);
    } else if (network.isOpened() && network.accept(frame)) {
      meter.fromClient(frame);
    }
  }

  /** Sends an IP packet to the client, at the rate of its account. */
  void deliver(ByteBuffer packet) {
    meter.toClient(packet);
  }

  /** The client sent a packet with a source that is not its own. */
  void sentFrom(int source) {
    PppSession open = session;
    if (open != null && source != foreignSource) {
      foreignSource = source;
      owner.record(new IspEvent.ForeignSource(Instant.now(), peer, open, Ipv4.toInet(source)));
    }
  }

  @Override
  public void linkOpened(AuthMethod method, int mru) {
    mtu = mru;
    authenticator = Authenticator.of(method, loop, this::send, settings, owner, this);
    authenticator.start();
  }

  @Override
  public void authenticated(String user) {
    this.user = user;
    authenticated = true;
    if (address == null) {
      address = owner.allocateAddress(user);
    }
    Integer assigned = address;
    if (assigned == null) {
      terminate(IspEvent.Reason.NO_ADDRESS, "No address free");
      return;
    }
    Account.Terms terms = owner.terms(user);
    meter.shape(loop, terms);
    Ipcp ipcp = new Ipcp(loop, this::send, settings, assigned, this);
    networks.put(Ppp.IPCP, ipcp);
    ipcp.negotiation().open();
    Ipv6Line line = owner.ipv6(this, this::send);
    ipv6 = line;
    if (line != null) {
      networks.put(Ppp.IPV6CP, line.control());
      line.control().negotiation().listen();
      var unused = loop.schedule(IPV4_FIRST, line.control().negotiation()::ask);
    }
  }

  private void askForIpv6() {
    NetworkControl network = networks.get(Ppp.IPV6CP);
    if (network != null) {
      network.negotiation().ask();
    }
  }

  @Override
  public void refused(String user, Refusal refusal) {
    if (refusal.reason() == IspEvent.Reason.LIMIT) {
      owner.record(
          new IspEvent.SessionRefused(
              Instant.now(), peer, IspEvent.Limit.ACCOUNT, refusal.detail()));
      terminate(refusal.reason(), refusal.detail());
    } else {
      owner.record(
          new IspEvent.AuthenticationFailed(Instant.now(), peer, id, user, refusal.detail()));
      terminate(refusal.reason(), "Authentication failed");
    }
  }

  @Override
  public void addressAgreed() {
    NetworkControl network = networks.get(Ppp.IPCP);
    if (network != null) {
      networkOpened(network);
    }
    askForIpv6();
    Integer assigned = address;
    PppSession renumbered = session;
    if (assigned != null && renumbered != null) {
      Inet4Address before = renumbered.address();
      renumbered.address(assigned);
      renumbered.state(PppSession.State.OPEN);
      owner.opened(this, renumbered);
      owner.record(new IspEvent.SessionRenumbered(Instant.now(), peer, renumbered, before));
    } else if (assigned != null) {
      Duration setupTime = Duration.ofNanos(System.nanoTime() - startNanos);
      PppSession opened = new PppSession(loop, this, id, user, assigned, peer, setupTime, meter);
      session = opened;
      owner.opened(this, opened);
      owner.record(new IspEvent.SessionOpened(Instant.now(), peer, opened));
      clock.start(owner.terms(user));
    }
  }

  @Override
  public void addressLost() {
    if (session == null || session.state() != PppSession.State.RENUMBERING) {
      leaveOpen();
    }
  }

  /** Has the client take another address. */
  void renumber(PppSession renumbered, int to) {
    Integer from = address;
    if (renumbered != session
        || !isOpen()
        || from == null
        || !(networks.get(Ppp.IPCP) instanceof Ipcp network)) {
      throw new IllegalStateException(renumbered + " is not open; await another one first");
    }
    if (!owner.takeAddress(to)) {
      throw new IllegalStateException(
          Ipv4.toString(to) + " is taken; renumber to an address that nobody has");
    }
    owner.closed(this, renumbered);
    renumbered.state(PppSession.State.RENUMBERING);
    owner.releaseAddress(from);
    address = to;
    network.renumber(to);
  }

  @Override
  public void networkFinished(NetworkControl network, String why, boolean byPeer) {
    finished.add(network);
    askForIpv6(); // there may be no IPv4 to wait for
    if (finished.containsAll(networks.values())) {
      terminate(
          byPeer ? IspEvent.Reason.CLIENT : IspEvent.Reason.NEGOTIATION,
          network.name() + " ended: " + why);
    }
  }

  @Override
  public void networkOpened(NetworkControl network) {
    finished.remove(network);
  }

  @Override
  public void sendIpv6(ByteBuffer packet) {
    send(Ppp.IPV6, packet);
  }

  @Override
  public void record(IspEvent event) {
    owner.record(event);
  }

  @Override
  public void protocolRejected(int protocol) {
    Authenticator asked = authenticator;
    if (asked != null && protocol == asked.protocol()) {
      terminate(IspEvent.Reason.NEGOTIATION, "The client does not authenticate itself after all");
      return;
    }
    NetworkControl network = networks.get(Ppp.controlOf(protocol));
    if (network != null) {
      network.negotiation().abandon();
      if (protocol == Ppp.IPCP || protocol == Ppp.IPV4) {
        leaveOpen();
      }
      networkFinished(network, "the client does not know it", false);
    }
  }

  @Override
  public void peerSilent() {
    end(IspEvent.Reason.SILENCE, "no answer to LCP echo requests", true);
  }

  @Override
  public void linkClosed() {
    leaveNetwork();
  }

  @Override
  public void linkFinished(String why, boolean byPeer) {
    end(byPeer ? IspEvent.Reason.CLIENT : IspEvent.Reason.NEGOTIATION, why, true);
  }

  /** The ISP ends the session in an orderly way. */
  void terminate() {
    terminate(IspEvent.Reason.ISP, "Terminated by the ISP");
  }

  private void terminate(IspEvent.Reason reason, String detail) {
    if (ended || ending != null) {
      return;
    }
    ending = reason;
    endingDetail = detail;
    leaveNetwork();
    lcp.close(detail);
  }

  /** The ISP ends the session at once. */
  void drop() {
    end(IspEvent.Reason.ISP, "dropped by the ISP", true);
  }

  /** The client sent a PADT. */
  void abandoned(String detail) {
    end(IspEvent.Reason.CLIENT, detail, false);
  }

  private void end(IspEvent.Reason reason, String detail, boolean tellClient) {
    if (ended) {
      return;
    }
    ended = true;
    leaveNetwork();
    lcp.abandon();
    clock.stop();
    owner.ended(this, tellClient);
    // What began the end is the reason, not the answer to it.
    IspEvent.Reason begun = ending;
    owner.record(
        new IspEvent.SessionTerminated(
            Instant.now(),
            peer,
            id,
            user,
            begun == null ? reason : begun,
            begun == null ? detail : endingDetail,
            openTime,
            meter.traffic()));
  }

  private void leaveNetwork() {
    authenticated = false;
    if (authenticator != null) {
      authenticator.stop();
      authenticator = null;
    }
    leaveOpen();
    Ipv6Line line = ipv6;
    if (line != null) {
      line.close();
    }
    networks.values().forEach(network -> network.negotiation().abandon());
    networks.clear();
    finished.clear();
  }

  private void leaveOpen() {
    PppSession left = session;
    if (left == null) {
      return;
    }
    if (left.state() == PppSession.State.OPEN) {
      owner.closed(this, left);
    }
    meter.clear();
    if (ending != null && !ended) {
      left.state(PppSession.State.TERMINATING);
    } else {
      left.state(PppSession.State.CLOSED);
      openTime = openTime.plus(left.duration());
      session = null;
    }
  }
}
