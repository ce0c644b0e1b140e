package org.liminix.isp;

import java.io.IOException;
import java.net.Inet4Address;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.liminix.net.MacAddress;
import org.liminix.net.Segment;
import org.liminix.net.Segments;
import org.liminix.net.internal.Ipv4;
import org.liminix.process.Evidence;
import org.liminix.process.WaitTimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An ISP made of MikroTik's RouterOS, as the tests of Liminix have it, in a virtual machine of its
 * own: its "Cloud Hosted Router", whose disk the caller has.
 *
 * <pre>{@code
 * try (RouterOs isp = RouterOs.image(Path.of("chr.img")).account("ann", "secret").start(segments)) {
 *   IspSession session = isp.awaitSession(Duration.ofMinutes(1));
 * }
 * }</pre>
 *
 * <p>RouterOS is on MikroTik's download page under "Cloud Hosted Router", as "Raw disk image"; its
 * licence is the caller's business. The disk is never written. The machine has the access network
 * as its first card and the world as its second; it is configured through its guest agent, which
 * RouterOS starts on KVM only. It is ready when it answers to discovery.
 *
 * <p>RouterOS tells nobody of its sessions, so they are read off the access network. This class was
 * tested without RouterOS, against a double that speaks the documented protocol of its agent.
 *
 * <p>Thread-safe. Whoever started it closes it.
 */
public final class RouterOs implements Isp {
  private static final Logger log = LoggerFactory.getLogger(RouterOs.class);

  private final IspSettings settings;
  private final RouterOsAgent agent;
  private final AutoCloseable machine;
  private final Evidence evidence;
  private final AutoCloseable watch;
  private final Runnable onClose;
  private final SessionTable sessions = new SessionTable();
  private final AtomicBoolean closed = new AtomicBoolean();

  private RouterOs(
      IspSettings settings,
      RouterOsAgent agent,
      Segment access,
      MacAddress concentrator,
      AutoCloseable machine,
      Evidence evidence,
      Runnable onClose) {
    this.settings = settings;
    this.agent = agent;
    this.machine = machine;
    this.evidence = evidence;
    this.onClose = onClose;
    this.watch = SessionWatch.of(access, concentrator, new Watcher());
  }

  /**
   * Begins the description of an ISP with the accounts to come.
   *
   * @param disk raw or qcow2
   */
  public static RouterOsBuilder image(Path disk) {
    return new RouterOsBuilder(disk);
  }

  /** Makes a RouterOS that runs an ISP, and waits until it serves. */
  static RouterOs configure(
      IspSettings settings,
      Duration timeout,
      RouterOsAgent agent,
      Segments segments,
      AutoCloseable machine,
      Evidence evidence,
      Runnable onClose) {
    Segment access = segments.get(settings.access());
    long script = agent.run(RouterOsScript.configuration(settings));
    MacAddress concentrator;
    try {
      concentrator = DiscoveryProbe.await(access, settings.acName(), timeout);
    } catch (WaitTimeoutException e) {
      throw new WaitTimeoutException(
          e.getMessage()
              + agent
                  .outcome(script)
                  .map(said -> "; its configuration ended with " + said)
                  .orElse("; its configuration has said nothing"));
    }
    return new RouterOs(settings, agent, access, concentrator, machine, evidence, onClose);
  }

  @Override
  public String kind() {
    return "RouterOS";
  }

  @Override
  public Map<String, String> accounts() {
    return settings.secrets();
  }

  @Override
  public Inet4Address localAddress() {
    return Ipv4.toInet(settings.localAddress());
  }

  @Override
  public Inet4Address worldAddress() {
    return Ipv4.toInet(settings.worldAddress().address());
  }

  @Override
  public List<? extends IspSession> sessions() {
    return sessions.open();
  }

  @Override
  public IspSession awaitSession(Duration timeout) {
    return sessions.await(timeout, settings.acName());
  }

  /** Has RouterOS run a script in its own language, and does not wait for its end. */
  public void run(String script) {
    agent.run(script);
  }

  /** Its sessions, and the state of its machine. */
  @Override
  public String summary() {
    return this + "\n" + evidence.summary().indent(4).stripTrailing();
  }

  /** Writes what its machine has kept. */
  @Override
  public void saveTo(Path directory) throws IOException {
    evidence.saveTo(directory);
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    close(watch);
    close(machine);
    sessions.ended("it is closed");
    onClose.run();
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      log.warn("Closing {} failed", part, e);
    }
  }

  @Override
  public String toString() {
    return "RouterOs[" + sessions() + "]";
  }

  private final class Watcher implements SessionWatch.Listener {
    @Override
    public void opened(SessionWatch.Opened session) {
      sessions.opened(
          new GuestSession(
              session.id(),
              session.user(),
              Ipv4.toInet(session.address()),
              session.peer(),
              ending -> run(RouterOsScript.termination(ending))));
    }

    @Override
    public void ended(int id) {
      sessions.ended(id);
    }
  }
}
