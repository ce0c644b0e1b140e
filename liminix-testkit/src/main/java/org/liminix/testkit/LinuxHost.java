package org.liminix.testkit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.liminix.console.Transcript;
import org.liminix.net.DhcpLease;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.process.Deadline;
import org.liminix.process.Evidence;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;
import org.liminix.qemu.GuestResult;

/**
 * A computer with the real network stack of this machine's Linux: namespaces of its own with a
 * network card on a segment, in which real programs run, {@code curl}, {@code dig}, {@code iperf3},
 * {@code dnsmasq}. It needs no root, though programs believe they are root.
 *
 * <pre>{@code
 * try (LinuxHost pc = LinuxHost.on(LAN).dhcp().start(segments)) {
 *   DhcpLease lease = pc.awaitLease(Duration.ofSeconds(30));
 *   GuestResult page = pc.run("curl", "--silent", "http://192.168.1.1/").orThrow();
 *   LinuxProgram server = pc.start("iperf3", "-s");
 * }
 * }</pre>
 *
 * <p>Programs see the files of this machine as the user who runs this JVM does. Their own are
 * {@code /etc/resolv.conf}, {@code /run} (an empty place in memory), {@code /proc} and the
 * hostname. All user ids but one are missing: servers that would drop root want to be told not to,
 * as {@code dnsmasq --user=root}. IPv6 addresses are used at once, without duplicate address
 * detection.
 *
 * <p>It needs {@code /dev/net/tun}, user namespaces, {@code iproute2} and {@code perl-base}; {@link
 * #problem} says what is missing and what to do about it.
 *
 * <p>Thread-safe; methods that wait honour interrupts. Whoever started it closes it, which ends all
 * that runs on it; so does the end of the JVM, even by {@code kill -9}.
 */
public final class LinuxHost implements Evidence, AutoCloseable {
  /** What {@link #dhcp()} waits at most: a router that is just booting fits in. */
  private static final Duration DHCP_PATIENCE = Duration.ofSeconds(30);

  private final String name;
  private final List<LinuxCard> cards;
  private final List<MacAddress> addresses;
  private final LinuxNamespace namespace;
  private final UdhcpcClient dhcpClient;
  private final Runnable onClose;
  private final CommandLog commands;
  private final Set<LinuxProgram> programs = ConcurrentHashMap.newKeySet();
  private final AtomicInteger runs = new AtomicInteger();
  private final AtomicBoolean closed = new AtomicBoolean();

  private LinuxHost(
      LinuxHostSpec spec,
      String name,
      List<MacAddress> addresses,
      LinuxNamespace namespace,
      Runnable onClose) {
    this.name = name;
    this.cards = spec.cards();
    this.addresses = addresses;
    this.namespace = namespace;
    this.onClose = onClose;
    this.commands = new CommandLog(name);
    this.dhcpClient = new UdhcpcClient(this, spec.hostname(name));
  }

  static LinuxHost start(LinuxHostSpec spec, Segments segments, Runnable onClose) {
    String name = spec.name();
    List<MacAddress> addresses =
        spec.cards().stream()
            .map(card -> Optional.ofNullable(card.mac()).orElseGet(MacAddress::random))
            .toList();
    LinuxNamespace namespace = LinuxNamespace.start(spec, name, addresses, segments);
    LinuxHost host = new LinuxHost(spec, name, addresses, namespace, onClose);
    try {
      for (int i = 0; i < spec.cards().size(); i++) {
        if (spec.cards().get(i).dhcp()) {
          host.dhcpClient.keepLeased("eth" + i);
        }
      }
    } catch (RuntimeException e) {
      namespace.close(); // the segments are the caller's
      throw e;
    }
    return host;
  }

  /** Begins the description of a host with a card on that network. */
  public static LinuxHostBuilder on(Network network) {
    return new LinuxHostBuilder(network);
  }

  /** Why this machine cannot run such hosts, and what to do about it; empty if it can. */
  public static Optional<String> problem() {
    return NamespaceSupport.problem();
  }

  /** Whether this machine can run such hosts. */
  public static boolean isSupported() {
    return problem().isEmpty();
  }

  /** What captures and messages call it. */
  public String name() {
    return name;
  }

  /** The address of its first card, {@code eth0}. */
  public MacAddress macAddress() {
    return addresses.get(0);
  }

  /** The address of its card on that network. */
  public MacAddress macAddress(Network network) {
    for (int i = 0; i < cards.size(); i++) {
      if (cards.get(i).network().equals(network)) {
        return addresses.get(i);
      }
    }
    throw new IllegalArgumentException(name + " has no card on " + network);
  }

  /** Where what belongs to this run is kept; it is removed with the host. */
  Path runDirectory() {
    return namespace.directory().path();
  }

  /**
   * Runs a program to its end, at most 60 s.
   *
   * @param words the program and its arguments; no shell is between
   * @throws WaitTimeoutException if it has not ended by then; it is killed
   * @throws LinuxHostException if the host ends before
   */
  public GuestResult run(String... words) {
    return command(words).run();
  }

  /** Starts a program, such as a server, and returns while it runs. */
  public LinuxProgram start(String... words) {
    return command(words).start();
  }

  /** A program that is to run in a way of its own. */
  public LinuxCommand command(String... words) {
    return new LinuxCommand(this, List.of(words));
  }

  GuestResult run(LinuxCommand command) {
    requireOpen();
    int number = runs.incrementAndGet();
    Path input = namespace.directory().file(number + ".in");
    Path output = namespace.directory().file(number + ".out");
    Path errors = namespace.directory().file(number + ".err");
    try {
      Files.write(input, command.inputOrNothing());
      ProcessBuilder builder =
          new ProcessBuilder(namespace.words(command.directoryOrDefault(), false, command.words()));
      builder.environment().put("PATH", LinuxNamespace.path());
      builder.environment().putAll(command.environment());
      // Files rather than pipes: what a daemon left behind holds open keeps nobody waiting.
      builder.redirectInput(input.toFile());
      builder.redirectOutput(output.toFile()).redirectError(errors.toFile());
      CommandLog.Entry entry = commands.begin(command.toString());
      Process process = builder.start();
      try {
        if (!process.waitFor(command.timeoutOrDefault().toNanos(), TimeUnit.NANOSECONDS)) {
          throw new WaitTimeoutException(
              "%s on %s has not ended within %s; it said:%n%s"
                  .formatted(
                      command,
                      name,
                      Deadline.readable(command.timeoutOrDefault()),
                      (text(output) + "\n" + text(errors)).strip().indent(4)));
        }
        requireAlive(command);
        GuestResult result =
            new GuestResult(command.words(), process.exitValue(), text(output), text(errors));
        entry.end(result);
        return result;
      } catch (InterruptedException e) {
        throw new WaitInterruptedException(command + " on " + name, e);
      } finally {
        LinuxProgram.killAll(process.descendants());
        process.destroyForcibly();
        entry.abandon();
      }
    } catch (IOException e) {
      requireOpen();
      throw new LinuxHostException("Cannot run " + command + " on " + name + ": " + e, e);
    } finally {
      delete(input);
      delete(output);
      delete(errors);
    }
  }

  private static String text(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.UTF_8).replaceFirst("\\n+\\z", "");
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      file.toFile().deleteOnExit();
    }
  }

  LinuxProgram start(LinuxCommand command) {
    return start(command, line -> {});
  }

  /** As above, with somebody who gets each line that it has printed. */
  LinuxProgram start(LinuxCommand command, Consumer<Transcript.Line> follower) {
    requireOpen();
    List<String> words = new ArrayList<>(List.of("env", "PATH=" + LinuxNamespace.path()));
    command.environment().forEach((variable, value) -> words.add(variable + "=" + value));
    words.addAll(namespace.words(command.directoryOrDefault(), true, command.words()));
    CommandLog.Entry entry = commands.begin(command + " &");
    LinuxProgram program =
        LinuxProgram.start(
            words,
            command.words(),
            follower,
            ended -> {
              entry.end(ended.output());
              programs.remove(ended);
            });
    entry.follow(program::output);
    programs.add(program);
    if (closed.get()) {
      program.close();
      requireOpen();
    }
    return program;
  }

  private void requireOpen() {
    if (closed.get()) {
      throw new IllegalStateException(name + " is closed");
    }
  }

  private void requireAlive(LinuxCommand command) {
    if (closed.get()) {
      throw new LinuxHostException(name + " was closed while it ran " + command);
    }
    if (namespace.exit().isDone()) {
      throw new LinuxHostException(
          "%s has ended while it ran %s; it said:%n%s"
              .formatted(name, command, namespace.lastWords().indent(4)));
    }
  }

  /** Gets a lease within half a minute, see {@link #dhcp(Duration)}. */
  public DhcpLease dhcp() {
    return dhcp(DHCP_PATIENCE);
  }

  /**
   * Has a real DHCP client, busybox's {@code udhcpc}, get a lease for {@code eth0} and keep it, and
   * waits for it.
   *
   * @throws org.liminix.process.MissingToolException if this machine has no busybox
   * @throws WaitTimeoutException if no server gives one in time; the client goes on
   */
  public DhcpLease dhcp(Duration timeout) {
    requireOpen();
    dhcpClient.keepLeased("eth0");
    return dhcpClient.awaitLease(timeout);
  }

  /** The lease it has now. It is renewed while the host runs. */
  public Optional<DhcpLease> lease() {
    return dhcpClient.lease();
  }

  /** Waits until the host has a lease, for one described with {@link LinuxHostBuilder#dhcp}. */
  public DhcpLease awaitLease(Duration timeout) {
    return dhcpClient.awaitLease(timeout);
  }

  @Override
  public String summary() {
    return "LinuxHost " + name + " on " + networks() + ": " + commands.summary();
  }

  private String networks() {
    return String.join(
        ", ", cards.stream().map(card -> card.network().name()).toArray(String[]::new));
  }

  /** Writes what it has run, and what that said, to {@code NAME-commands.txt}. */
  @Override
  public void saveTo(Path directory) throws IOException {
    String fileName = name.replaceAll("[^\\w.-]+", "-") + "-commands.txt";
    Files.writeString(directory.resolve(fileName), commands.text());
  }

  /**
   * Ends all that runs on it, waits until it is gone, and takes it off its networks. Idempotent.
   */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      namespace.close();
      List.copyOf(programs).forEach(LinuxProgram::close);
      onClose.run();
    }
  }

  @Override
  public String toString() {
    return "LinuxHost[" + name + " on " + networks() + "]";
  }
}
