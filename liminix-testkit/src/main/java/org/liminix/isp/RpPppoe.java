package org.liminix.isp;

import java.io.IOException;
import java.net.Inet4Address;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.liminix.console.Transcript;
import org.liminix.net.MacAddress;
import org.liminix.net.internal.Ipv4;
import org.liminix.process.LiminixException;
import org.liminix.qemu.Vm;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An ISP made of what runs at many real ones: Debian's {@code pppoe-server} (RP-PPPoE) and {@code
 * pppd} in a virtual machine of its own, which routes between its sessions and the world.
 *
 * <pre>{@code
 * try (RpPppoe isp = RpPppoe.account("ann", "secret").dns("10.0.2.53").start(segments)) {
 *   IspSession session = isp.awaitSession(Duration.ofMinutes(1));
 *   String log = isp.vm().shell().run("cat /run/log/pppd").output();
 * }
 * }</pre>
 *
 * <p>The options are those of {@link BorderNetworkGateway} as far as these programs have them. It
 * sends the first LCP request before most clients listen, and the second one three seconds later:
 * that is how they are. Debian's {@code pppoe-server} is built without support of the kernel's
 * PPPoE, so every packet passes through a process.
 *
 * <p>The machine boots once and is restored at every later start, with the same network cards, so
 * there can be one on a network. The first start of all makes its image from Debian packages, see
 * {@link org.liminix.testkit.RouterImage}.
 *
 * <p>Thread-safe, but for its machine's shell. Whoever started it closes it.
 */
public final class RpPppoe implements Isp {
  private static final Logger log = LoggerFactory.getLogger(RpPppoe.class);

  /** For the server to tell its clients that it ends. */
  private static final Duration FAREWELL = Duration.ofSeconds(2);

  /** What the scripts of pppd say, see {@link RpPppoeGuest}. */
  private static final Pattern UP =
      Pattern.compile("isp: up (\\d+) (\\d+):([0-9a-fA-F:]{17}) ([0-9.]+) (.*?)\\s*$");

  private static final Pattern DOWN = Pattern.compile("isp: down (\\d+):");

  private final IspSettings settings;
  private final Vm vm;
  private final Runnable onClose;
  private final SessionTable sessions = new SessionTable();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final ReentrantLock shellLock = new ReentrantLock();

  RpPppoe(IspSettings settings, Vm vm, Runnable onClose) {
    this.settings = settings;
    this.vm = vm;
    this.onClose = onClose;
    var unusedFollower = vm.console().follow(this::heard); // ends with the console
    var unused =
        vm.exit().whenComplete((status, failure) -> sessions.ended("its machine has ended"));
  }

  /** Begins the description of an ISP with one account; more may follow. */
  public static RpPppoeBuilder account(String user, String secret) {
    return new RpPppoeBuilder().account(user, secret);
  }

  /** An ISP with the account that the tests of Liminix dial. */
  public static RpPppoeBuilder likeLiminix() {
    return account("db123@a.1", "NotReallyTheSecret");
  }

  private void heard(Transcript.Line line) {
    Matcher up = UP.matcher(line.text());
    if (up.find()) {
      int process = Integer.parseInt(up.group(1));
      sessions.opened(
          new GuestSession(
              Integer.parseInt(up.group(2)),
              up.group(5),
              Ipv4.toInet(Ipv4.parse(up.group(4))),
              MacAddress.parse(up.group(3)),
              session -> run("kill " + process)));
      return;
    }
    Matcher down = DOWN.matcher(line.text());
    if (down.find()) {
      sessions.ended(Integer.parseInt(down.group(1)));
    }
  }

  private void run(String command) {
    shellLock.lock();
    try {
      vm.shell().run(command);
    } finally {
      shellLock.unlock();
    }
  }

  /** The machine it runs on. */
  public Vm vm() {
    return vm;
  }

  @Override
  public String kind() {
    return "RP-PPPoE";
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
    return sessions.await(timeout, vm.name());
  }

  /** Its sessions, and the state of its machine. */
  @Override
  public String summary() {
    return this + "\n" + vm.summary().indent(4).stripTrailing();
  }

  /** Writes what its machine has kept. */
  @Override
  public void saveTo(Path directory) throws IOException {
    vm.saveTo(directory);
  }

  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    sayFarewell();
    vm.close();
    sessions.ended("it is closed");
    onClose.run();
  }

  private void sayFarewell() {
    List<GuestSession> open = sessions.open();
    if (open.isEmpty() || !vm.isAlive()) {
      return;
    }
    try {
      run("killall pppoe-server");
      open.get(0).awaitEnd(FAREWELL);
    } catch (LiminixException e) {
      log.debug("{} ends without a word to its clients", vm.name(), e);
    }
  }

  @Override
  public String toString() {
    return "RpPppoe[" + sessions() + "]";
  }
}
