package org.liminix.isp;

import java.net.Inet4Address;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.liminix.process.Evidence;

/**
 * An Internet service provider that sells PPPoE (RFC 2516), as far as a test of a router has to
 * know it: who may dial in, and who is online. What it runs on is of no concern to such a test,
 * which so holds for every kind.
 *
 * <pre>{@code
 * void dials(Isp isp, Vm router) {
 *   IspSession session = isp.awaitSession(Duration.ofSeconds(60));
 *   assertThat(session.user()).isIn(isp.accounts().keySet());
 *   session.terminate();
 *   session.awaitEnd(Duration.ofSeconds(10));
 * }
 * }</pre>
 *
 * <p>{@link BorderNetworkGateway}, which runs in this JVM, starts in no time and offers much more;
 * the others are to show that a router gets along with what is in the field, too.
 *
 * <p>Thread-safe; methods that wait honour interrupts and throw {@link
 * org.liminix.process.WaitTimeoutException}. Whoever started it closes it.
 */
public interface Isp extends AutoCloseable, Evidence {
  /** What it is, for reports and the names of tests: "RP-PPPoE". */
  String kind();

  /** The secrets of those who may dial in, by user. */
  Map<String, String> accounts();

  /** Its own end of every session. */
  Inet4Address localAddress();

  /** Its address in the world, which hosts there use as their gateway. */
  Inet4Address worldAddress();

  /** The sessions in which packets flow at this moment, by number. */
  List<? extends IspSession> sessions();

  /** Waits until packets flow in some session, and returns one in which they do. */
  IspSession awaitSession(Duration timeout);

  /** Ends every session and leaves the networks. Idempotent. */
  @Override
  void close();
}
