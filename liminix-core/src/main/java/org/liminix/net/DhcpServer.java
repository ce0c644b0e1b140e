package org.liminix.net;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import org.liminix.net.internal.EventLog;

/**
 * A DHCP server (RFC 2131, options of RFC 2132) on an in-process host: what a LAN has where no
 * router is, what the WORLD has behind a router that is a DHCP client, and what a board boots from.
 *
 * <pre>{@code
 * EthernetHost host = EthernetHost.on(LAN).address("192.168.1.1/24").start(segments);
 * try (DhcpServer dhcp =
 *     DhcpServer.on(host)
 *         .pool("192.168.1.10", "192.168.1.99")
 *         .router("192.168.1.1")
 *         .dns("192.168.1.1")
 *         .lease(Duration.ofMinutes(2))
 *         .start()) {
 *   DhcpBinding lease = dhcp.awaitLease(Duration.ofSeconds(30));
 *   host.ping(lease.address(), Duration.ofSeconds(5));
 * }
 * }</pre>
 *
 * <p>A client is known by its client identifier, or by its card if it has none, and gets the same
 * address each time as long as nobody else has it; a {@link DhcpServerBuilder#fixed fixed} one goes
 * with the card. An address that was not the client's before is offered after ARP has shown that it
 * is nobody's. A client that knows only BOOTP gets one for ever (RFC 1534). Leases are kept in
 * memory and end with the server.
 *
 * <p>Thread-safe; methods that wait honour interrupts and throw {@link
 * org.liminix.process.WaitTimeoutException}. Whoever started it closes it; it stops with its host.
 */
public final class DhcpServer implements AutoCloseable {
  private final EthernetHost host;
  private final EventLog<DhcpEvent> events = new EventLog<>();
  private final DhcpResponder responder;

  DhcpServer(EthernetHost host, DhcpSettings settings) {
    this.host = host;
    this.responder = host.loop().compute(() -> new DhcpResponder(settings, host, events));
  }

  /**
   * Begins a server on that host.
   *
   * @throws IllegalStateException if the host has no address
   */
  public static DhcpServerBuilder on(EthernetHost host) {
    return new DhcpServerBuilder(host);
  }

  /** The leases that run now, by address. */
  public List<DhcpBinding> leases() {
    return host.loop().compute(responder::leases);
  }

  /** The first lease of a client, of those that run and those to come. */
  public DhcpBinding awaitLease(Duration timeout) {
    return awaitLease(lease -> true, timeout);
  }

  /** The first lease of that card, of those that run and those to come. */
  public DhcpBinding awaitLease(MacAddress client, Duration timeout) {
    return awaitLease(lease -> lease.client().equals(client), timeout);
  }

  /** The first lease that matches, of those that run and those to come. */
  public DhcpBinding awaitLease(Predicate<? super DhcpBinding> wanted, Duration timeout) {
    DhcpEvent event =
        events.await(
            e ->
                e instanceof DhcpEvent.Granted granted
                    && wanted.test(granted.binding())
                    && responder.isGranted(granted.binding()),
            timeout,
            "such DHCP lease of " + host.name());
    return ((DhcpEvent.Granted) event).binding();
  }

  /** What has happened so far, oldest first; a very long history loses its beginning. */
  public List<DhcpEvent> events() {
    return events.all();
  }

  /** The first event that matches, of those that have happened and those that will. */
  public DhcpEvent awaitEvent(Predicate<? super DhcpEvent> predicate, Duration timeout) {
    return events.await(predicate, timeout, "such DHCP event at " + host.name());
  }

  /** The first event of a kind, of those that have happened and those that will. */
  public <E extends DhcpEvent> E awaitEvent(Class<E> kind, Duration timeout) {
    return kind.cast(
        events.await(
            kind::isInstance,
            timeout,
            "DHCP event " + kind.getSimpleName() + " at " + host.name()));
  }

  /**
   * Ends a lease before its time, as after a change of the network: the client is refused when it
   * would renew, and for the time of a lease nobody gets the address.
   */
  public void revoke(DhcpBinding lease) {
    host.loop().call(() -> responder.revoke(lease));
  }

  /** Answers nobody any more. Clients keep what they have. Idempotent. */
  @Override
  public void close() {
    try {
      host.loop().execute(responder::close);
    } catch (RejectedExecutionException e) {
      // It ended with its host's segments.
    }
  }

  @Override
  public String toString() {
    return "DhcpServer[" + host.name() + "]";
  }
}
