package org.liminix.net;

import com.google.common.base.Ascii;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import org.liminix.net.internal.DnsName;
import org.liminix.net.internal.EventLog;

/**
 * A name server (RFC 1035, AAAA of RFC 3596) that knows what a test tells it, on an in-process host
 * or at a port of this machine.
 *
 * <pre>{@code
 * EthernetHost host = EthernetHost.on(WORLD).address("10.0.2.53/24").gateway("10.0.2.1").start(segments);
 * try (DnsServer dns =
 *     DnsServer.on(host)
 *         .address("www.example.org", "10.0.2.2", "fd00::2")
 *         .alias("ftp.example.org", "www.example.org")
 *         .answer(q -> q.type() == DnsRecord.TXT ? Optional.of(DnsAnswer.refused()) : Optional.empty())
 *         .start()) {
 *   router.shell().run("nslookup www.example.org").orThrow();
 *   dns.awaitQuery("www.example.org", Duration.ofSeconds(5));
 * }
 * }</pre>
 *
 * <p>It calls itself authoritative for all it is asked, or for its {@link DnsServerBuilder#zone
 * zones}, and to stand in for an ISP's resolver it offers recursion, too. Names are compared
 * without regard to case and returned as they were asked. Answers too long for the client, 512
 * bytes unless it says otherwise (RFC 6891), are marked as truncated; there is no TCP to repeat the
 * question over.
 *
 * <p>Thread-safe; methods that wait honour interrupts and throw {@link
 * org.liminix.process.WaitTimeoutException}. Whoever started it closes it; it stops with its host.
 */
public final class DnsServer implements AutoCloseable {
  private final DatagramHost host;
  private final EventLog<DnsQuery> queries = new EventLog<>();
  private final DnsResponder responder;

  DnsServer(DatagramHost host, DnsSettings settings) {
    this.host = host;
    this.responder = host.loop().compute(() -> new DnsResponder(settings, host, queries));
  }

  /** Begins a name server on that host. */
  public static DnsServerBuilder on(DatagramHost host) {
    return new DnsServerBuilder(host);
  }

  /** Where questions go. */
  public InetSocketAddress address() {
    return responder.localAddress();
  }

  /** The questions so far, oldest first; a very long history loses its beginning. */
  public List<DnsQuery> queries() {
    return queries.all();
  }

  /**
   * The first question about that name, of those that have come and those that will.
   *
   * @param name in upper or lower case
   */
  public DnsQuery awaitQuery(String name, Duration timeout) {
    String wanted = DnsName.check(name);
    return queries.await(
        query -> Ascii.equalsIgnoreCase(query.question().name(), wanted),
        timeout,
        "question about " + wanted + " at " + this);
  }

  /** The first question that matches, of those that have come and those that will. */
  public DnsQuery awaitQuery(Predicate<? super DnsQuery> predicate, Duration timeout) {
    return queries.await(predicate, timeout, "such question at " + this);
  }

  /** Answers nobody any more. Idempotent. */
  @Override
  public void close() {
    try {
      host.loop().execute(responder::close);
    } catch (RejectedExecutionException e) {
      // It ended with its host.
    }
  }

  @Override
  public String toString() {
    return "DnsServer[" + address() + "]";
  }
}
