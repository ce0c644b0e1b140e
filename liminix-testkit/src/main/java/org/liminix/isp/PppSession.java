package org.liminix.isp;

import java.net.Inet4Address;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.liminix.net.EventLoop;
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
    /** The ISP has asked the client to terminate and waits for its answer. */
    TERMINATING,
    /** It has ended, or agrees on its terms anew. */
    CLOSED
  }

  private final EventLoop loop;
  private final PppLink link;
  private final int id;
  private final String user;
  private final int address;
  private final MacAddress peer;
  private final Duration setupTime;
  private final CompletableFuture<PppSession> end = new CompletableFuture<>();
  private volatile State state = State.OPEN;

  PppSession(
      EventLoop loop,
      PppLink link,
      int id,
      String user,
      int address,
      MacAddress peer,
      Duration setupTime) {
    this.loop = loop;
    this.link = link;
    this.id = id;
    this.user = user;
    this.address = address;
    this.peer = peer;
    this.setupTime = setupTime;
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

  /** The address the client was given. */
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

  void state(State state) {
    this.state = state;
    if (state != State.OPEN) {
      end.complete(this);
    }
  }

  @Override
  public String toString() {
    return "PppSession[%d %s %s %s %s]".formatted(id, user, Ipv4.toString(address), peer, state);
  }
}
