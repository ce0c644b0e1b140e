package org.liminix.qemu;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.internal.Annex;
import org.liminix.net.internal.Ipv4;
import org.liminix.process.Deadline;
import org.liminix.process.Executable;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.UnixSocket;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A door between an emulated network and this machine: QEMU's user-mode network stack in a QEMU
 * without a machine. A test opens {@code http://127.0.0.1:PORT/} and reaches the web server of the
 * router; computers on the network reach a server in the JVM.
 *
 * <pre>{@code
 * HostDoor lan = HostDoor.on(LAN).address("192.168.1.250/24").forward("192.168.1.1", 80).start(segments);
 * client.send(HttpRequest.newBuilder(lan.uri("192.168.1.1", 80)).build(), BodyHandlers.ofString());
 *
 * HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
 * HostDoor world =
 *     HostDoor.on(WORLD).address("10.0.2.9/24").expose(80, server.getAddress().getPort()).start(segments);
 * }</pre>
 *
 * <p>On the network the door is one IPv4 address, which answers ARP and pings. Only what is
 * forwarded and exposed passes: nobody on the network reaches anything else of this machine or
 * beyond, and the DHCP, DNS and TFTP servers of QEMU's stack are not seen there. On this machine
 * its ports are chosen by the system, on 127.0.0.1 only.
 *
 * <p>Thread-safe. Whoever started it closes it; it never outlives the JVM.
 */
public final class HostDoor implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(HostDoor.class);

  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final String STACK = "host";
  private static final String SEGMENT = "segment";

  /** A line of {@code info usernet}: a port of this machine, and where it leads. */
  private static final Pattern FORWARD =
      Pattern.compile("(TCP|UDP)\\[HOST_FORWARD\\] +\\S+ +127\\.0\\.0\\.1 +(\\d+) +(\\S+) +(\\d+)");

  /** Any will do, for none emulates a processor here. */
  private static final List<String> PROGRAMS =
      Stream.of("x86_64", "mipsel", "mips", "aarch64", "arm")
          .map(processor -> "qemu-system-" + processor)
          .toList();

  private final HostDoorSpec spec;
  private final String name;
  private final Runnable onClose;
  private final DoorGate gate;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private final SupervisedProcess process;
  private final Qmp qmp;
  private final Map<DoorGate.Place, Integer> ports = new ConcurrentHashMap<>();
  private final AtomicBoolean closed = new AtomicBoolean();

  private HostDoor(HostDoorSpec spec, Segments segments, Runnable onClose) throws IOException {
    this.spec = spec;
    this.name = spec.name();
    this.onClose = onClose;
    this.gate = new DoorGate(spec.address().address(), spec.exposed());
    try {
      String program = program();
      RunDirectory directory = keep(RunDirectory.create(name));
      UnixSocket.Listener control = keep(UnixSocket.listen(directory.socket("control")));
      Annex annex =
          keep(Annex.open(segments.get(spec.network()), name, directory.socket(SEGMENT), gate));
      QemuCommandLine.NetworkCard plugged =
          new QemuCommandLine.NetworkCard(SEGMENT, annex.plug(), MacAddress.random());
      process =
          keep(
              SupervisedProcess.of(
                      List.of(
                          program,
                          "-name",
                          QemuCommandLine.escaped(name),
                          "-nodefaults",
                          "-no-user-config",
                          "-display",
                          "none",
                          "-M",
                          "none",
                          "-netdev",
                          spec.netdev(STACK),
                          "-netdev",
                          QemuCommandLine.netdev(plugged),
                          "-netdev",
                          "hubport,id=hub-host,hubid=0,netdev=" + STACK,
                          "-netdev",
                          "hubport,id=hub-segment,hubid=0,netdev=" + SEGMENT,
                          "-chardev",
                          QemuCommandLine.connected("control", control.path()),
                          "-mon",
                          "chardev=control,mode=control"))
                  .directory(directory)
                  .logName("qemu.log")
                  .start());
      var unused = process.exit().thenRun(() -> closeQuietly(control));
      qmp = Qmp.open(name, keep(accept(control)));
      qmp.awaitNegotiated(TIMEOUT);
      spec.forwards().forEach(this::open);
    } catch (RuntimeException | IOException e) {
      release();
      throw e;
    }
  }

  /** Begins the description of a door to that network. */
  public static HostDoorBuilder on(Network network) {
    return new HostDoorBuilder(network);
  }

  static HostDoor start(HostDoorSpec spec, Segments segments, Runnable onClose) {
    try {
      return new HostDoor(spec, segments, onClose);
    } catch (IOException e) {
      throw new VmException("Cannot open a door to " + spec.network() + ": " + e, e);
    }
  }

  private static String program() {
    return PROGRAMS.stream()
        .flatMap(name -> Executable.named(name).lookUp().stream())
        .findFirst()
        .orElseGet(
            () -> Executable.named(PROGRAMS.get(0)).fromDebianPackage("qemu-system-x86").find())
        .toString();
  }

  private <T extends AutoCloseable> T keep(T resource) {
    resources.push(resource);
    return resource;
  }

  private UnixSocket accept(UnixSocket.Listener listener) throws IOException {
    try {
      return listener.accept(Deadline.after(TIMEOUT));
    } catch (ClosedChannelException e) {
      throw new VmException(
          "The QEMU of %s ended at once; it said:%n%s"
              .formatted(name, process.lastOutput().indent(4)),
          e);
    }
  }

  /** What captures and messages call it. */
  public String name() {
    return name;
  }

  /**
   * Makes a TCP port of a computer on the network reachable, unless it is already.
   *
   * @param host an IPv4 address of the door's network
   * @return the port at 127.0.0.1 that leads there
   */
  public int forward(String host, int port) {
    return open(HostDoorBuilder.place(spec.address(), DoorGate.TCP, host, port));
  }

  /** As {@link #forward}, for UDP: for one local client at a time. */
  public int forwardUdp(String host, int port) {
    return open(HostDoorBuilder.place(spec.address(), Ipv4.UDP, host, port));
  }

  private synchronized int open(DoorGate.Place place) {
    Optional<Integer> known = Optional.ofNullable(ports.get(place));
    if (known.isPresent()) {
      return known.get();
    }
    if (closed.get()) {
      throw new IllegalStateException(name + " is closed");
    }
    gate.forward(place);
    String protocol = place.protocol() == DoorGate.TCP ? "tcp" : "udp";
    String host = Ipv4.toString(place.address());
    // The system chooses the port, and the stack is asked which: nobody else can take it between.
    String said =
        qmp.monitor(
            "hostfwd_add %s %s:127.0.0.1:0-%s:%d".formatted(STACK, protocol, host, place.port()));
    String table = qmp.monitor("info usernet");
    Matcher matcher = FORWARD.matcher(table);
    while (matcher.find()) {
      if (matcher.group(1).equalsIgnoreCase(protocol)
          && matcher.group(3).equals(host)
          && matcher.group(4).equals(Integer.toString(place.port()))) {
        int port = Integer.parseInt(matcher.group(2));
        ports.put(place, port);
        return port;
      }
    }
    throw new VmException(
        "QEMU of %s has not forwarded a port to %s:%d: %s%n%s"
            .formatted(name, host, place.port(), said.strip(), table.indent(4)));
  }

  /**
   * The port at 127.0.0.1 that leads to a TCP port that is forwarded.
   *
   * @throws IllegalArgumentException if it is not
   */
  public int port(String host, int port) {
    return known(DoorGate.TCP, host, port);
  }

  /** As {@link #port}, for UDP. */
  public int udpPort(String host, int port) {
    return known(Ipv4.UDP, host, port);
  }

  private int known(int protocol, String host, int port) {
    return Optional.ofNullable(ports.get(new DoorGate.Place(protocol, Ipv4.parse(host), port)))
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "%s does not lead to port %d of %s: call forward(\"%s\", %d)"
                        .formatted(name, port, host, host, port)));
  }

  /** Where the web server at a TCP port that is forwarded can be reached. */
  public URI uri(String host, int port) {
    return URI.create("http://127.0.0.1:" + port(host, port) + "/");
  }

  /** Closes it, with all connections through it. Idempotent. */
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      release();
      onClose.run();
    }
  }

  private void release() {
    resources.forEach(HostDoor::closeQuietly);
    resources.clear();
  }

  private static void closeQuietly(AutoCloseable resource) {
    try {
      resource.close();
    } catch (Exception e) {
      log.warn("Closing {} failed", resource, e);
    }
  }

  @Override
  public String toString() {
    return "HostDoor[" + name + " on " + spec.network() + "]";
  }
}
