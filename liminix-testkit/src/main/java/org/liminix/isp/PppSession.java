package org.liminix.isp;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.liminix.net.EventLoop;
import org.liminix.net.Ipv6Network;
import org.liminix.net.MacAddress;
import org.liminix.net.internal.Futures;
import org.liminix.net.internal.Ipv4;

/**
 * What a client of the ISP has from the moment it got an address: its line.
 *
 * <pre>{@code
 * PppSession session = isp.awaitSession(Duration.ofSeconds(30));
 * session.drop();
 * isp.awaitSession(Duration.ofSeconds(30)); // the router dialled again
 * }</pre>
 *
 * <p>Thread-safe. It ends when one side ends it or the ISP is closed.
 */
public final class PppSession implements IspSession {
  /** How a session is. */
  public enum State {
    /** Packets flow. */
    OPEN,
    /** No packets flow until both sides agree on another address: {@link #renumber}. */
    RENUMBERING,
    /** The ISP has asked the client to terminate and waits for its answer. */
    TERMINATING,
    /** It has ended, or agrees on its terms anew. */
    CLOSED
  }

  private final EventLoop loop;
  private final PppLink link;
  private final int id;
  private final String user;
  private volatile int address;
  private final MacAddress peer;
  private final Duration setupTime;
  private final CompletableFuture<PppSession> end = new CompletableFuture<>();
  private final Meter meter;
  private final long openedNanos = System.nanoTime();
  private volatile long closedNanos;
  private volatile State state = State.OPEN;

  PppSession(
      EventLoop loop,
      PppLink link,
      int id,
      String user,
      int address,
      MacAddress peer,
      Duration setupTime,
      Meter meter) {
    this.loop = loop;
    this.link = link;
    this.id = id;
    this.user = user;
    this.address = address;
    this.peer = peer;
    this.setupTime = setupTime;
    this.meter = meter;
  }

  /** Its PPPoE session number, 1 to 65534. */
  @Override
  public int id() {
    return id;
  }

  /** Who the client proved to be. */
  @Override
  public String user() {
    return user;
  }

  /** The address the client was given; another one after {@link #renumber}. */
  @Override
  public Inet4Address address() {
    return Ipv4.toInet(address);
  }

  /** The card of the client. */
  @Override
  public MacAddress peer() {
    return peer;
  }

  /** How it is now. */
  public State state() {
    return state;
  }

  @Override
  public boolean isOpen() {
    return state == State.OPEN;
  }

  /** From the client's request of a session (PADR) until packets flowed. */
  public Duration setupTime() {
    return setupTime;
  }

  /**
   * Waits until IPv6 flows, too, and returns the client's address on the line (RFC 5072).
   *
   * @throws IllegalStateException if the ISP sells no IPv6
   */
  public Inet6Address awaitIpv6(Duration timeout) {
    Ipv6Line line = ipv6();
    return Futures.await(loop, line.opened()::copy, timeout, "IPv6 in " + this);
  }

  /**
   * Waits until a prefix has been delegated to the client (RFC 8415), and returns the first one.
   *
   * @throws IllegalStateException if the ISP sells no IPv6
   */
  public Ipv6Network awaitDelegation(Duration timeout) {
    Ipv6Line line = ipv6();
    return Futures.await(loop, line.delegated()::copy, timeout, "delegated prefix in " + this);
  }

  private Ipv6Line ipv6() {
    Ipv6Line line = link.ipv6();
    if (line == null) {
      throw new IllegalStateException(
          this + " is without IPv6, or its packets are too short; start the ISP with ipv6(…)");
    }
    return line;
  }

  /** The IPv6 network of the line, if it has one. */
  public Optional<Ipv6Network> ipv6Network() {
    return Optional.ofNullable(link.ipv6()).flatMap(Ipv6Line::network);
  }

  /** The prefixes that are delegated to the client at this moment. */
  public List<Ipv6Network> delegatedPrefixes() {
    return Optional.ofNullable(link.ipv6()).map(Ipv6Line::delegations).orElse(List.of());
  }

  /** For how long it has been open, or was. */
  public Duration duration() {
    return Duration.ofNanos(
        (state == State.CLOSED ? closedNanos : System.nanoTime()) - openedNanos);
  }

  /** What it has carried so far. */
  public PppTraffic traffic() {
    return meter.traffic();
  }

  /**
   * Gives the client another address while its session goes on: IPCP is negotiated anew, as RFC
   * 1661 section 4.4 allows in a state of Opened, and the client learns its new address by Nak (RFC
   * 1332 section 3.3). pppd takes its interface down and up for that. Packets flow again when an
   * {@link IspEvent.SessionRenumbered} has been recorded.
   *
   * <p>For a client that is disconnected and gets another address when it dials again, {@link
   * #drop} it at an ISP that {@linkplain BorderNetworkGatewayBuilder#freshAddresses gives fresh
   * addresses}.
   *
   * @param address in the pool or not
   * @throws IllegalStateException if it is somebody's, or this session is not open
   */
  public void renumber(String address) {
    int parsed = Ipv4.parse(address);
    loop.call(() -> link.renumber(this, parsed));
  }

  /**
   * Ends the session as the RFCs want it: an LCP Terminate-Request, and when the client has
   * answered or let the time pass, a PADT. From now on it is no longer among {@link
   * BorderNetworkGateway#sessions()}.
   */
  @Override
  public void terminate() {
    loop.call(link::terminate);
  }

  /** Ends the session with a PADT and no other word, as when a line is cut at the exchange. */
  public void drop() {
    loop.call(link::drop);
  }

  @Override
  public void awaitEnd(Duration timeout) {
    Futures.await(loop, end::copy, timeout, "end of " + this);
  }

  void state(State next) {
    if (next == State.CLOSED && state != State.CLOSED) {
      closedNanos = System.nanoTime();
    }
    state = next;
    if (next == State.TERMINATING || next == State.CLOSED) {
      end.complete(this);
    }
  }

  void address(int next) {
    address = next;
  }

  @Override
  public String toString() {
    return "PppSession[%d %s %s %s %s]".formatted(id, user, Ipv4.toString(address), peer, state);
  }
}
