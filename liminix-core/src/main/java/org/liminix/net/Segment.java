package org.liminix.net;

import com.google.common.collect.ObjectArrays;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.liminix.process.WaitInterruptedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An Ethernet: frames in, frames out. A switch in this JVM that learns which station is behind
 * which port, to which in-process stations attach and QEMUs are plugged. On the shared networks of
 * the multicast convention the group is one more port, so that machines started by other people and
 * programs take part.
 *
 * <pre>{@code
 * Segment lan = segments.get(Network.LAN);
 * Station station = lan.attach("probe", frame -> seen.add(frame.remaining()));
 * Plug plug = lan.plug("router", runDirectory.resolve("lan.sock"));
 * }</pre>
 *
 * <p>A station that does not keep up loses frames and holds nobody else up. Thread-safe; closed by
 * its {@link Segments}.
 */
public final class Segment {
  private static final Logger log = LoggerFactory.getLogger(Segment.class);

  private static final int HEADER = 14;

  private final Network network;
  private final EventLoop loop;
  private final @Nullable MulticastPort group;
  private final MacTable stations = new MacTable();
  private final SendQueue sends;
  private Port[] ports = {};
  private Capture[] captures = {};
  private FrameLog[] logs = {};
  private FrameHandler[] mirrors = {};
  private int parts;
  private boolean closed;

  private Segment(Network network, EventLoop loop, @Nullable InetSocketAddress group) {
    this.network = network;
    this.loop = loop;
    this.sends = new SendQueue(this);
    this.group = group == null ? null : new MulticastPort(this, group);
  }

  static Segment open(Network network, EventLoop loop, Optional<InetSocketAddress> group) {
    Segment segment = new Segment(network, loop, group.orElse(null));
    if (segment.group != null) {
      try {
        Bridges.add(segment, segment.group.group());
        segment.group.open();
        segment.add(segment.group);
      } catch (RuntimeException e) {
        segment.group.release();
        throw e;
      }
    }
    return segment;
  }

  /** The name it was looked up by. */
  public Network network() {
    return network;
  }

  /** The loop on which everything on this segment happens. */
  public EventLoop loop() {
    return loop;
  }

  /**
   * Attaches an in-process station.
   *
   * @param name what captures and reports call it
   * @param handler called on the loop for every frame that the switch sends this way
   */
  public Station attach(String name, FrameHandler handler) {
    StationPort port = new StationPort(this, name, handler);
    add(port);
    return port;
  }

  /**
   * Prepares the place of a QEMU.
   *
   * @param station what captures and reports call it
   * @param socket where to listen if this segment is private: a path of at most 107 bytes that does
   *     not exist, in a directory only its owner can enter
   * @throws NetworkException if the socket cannot be made; the message says why
   */
  public Plug plug(String station, Path socket) {
    if (group != null) {
      return new Plug.Multicast(group.group(), group.localAddress());
    }
    StreamPort port = new StreamPort(this, station, socket);
    try {
      port.listen();
      add(port);
    } catch (RuntimeException e) {
      detach(port); // if only the wait for its joining was interrupted
      port.release();
      throw e;
    }
    return new Plug.Stream(socket, port);
  }

  /**
   * Records everything that passes from now on.
   *
   * @param pcapng the file to write; what it held before is lost
   * @throws NetworkException if it cannot be written
   */
  public Capture capture(Path pcapng) {
    return capture(pcapng, Optional.empty());
  }

  /**
   * Records those frames that are wanted.
   *
   * @param pcapng the file to write; what it held before is lost
   * @param wanted called on the loop
   * @throws NetworkException if it cannot be written
   */
  public Capture capture(Path pcapng, Predicate<Frame> wanted) {
    return capture(pcapng, Optional.of(wanted));
  }

  private Capture capture(Path pcapng, Optional<Predicate<Frame>> wanted) {
    Capture capture = Capture.open(pcapng, this, wanted);
    try {
      loop.call(
          () -> {
            refuseIfClosed("capture to " + pcapng);
            captures = ObjectArrays.concat(captures, capture);
          });
    } catch (RuntimeException e) {
      capture.end();
      throw e;
    }
    return capture;
  }

  /**
   * Has a handler called for every frame that passes from now on, whomever it is for, as the mirror
   * port of a switch does; those that a damaged {@link Cable} loses among them.
   *
   * @param handler called on the loop, before the frame goes on its way
   * @return what ends that when it is closed
   */
  public AutoCloseable mirror(FrameHandler handler) {
    loop.call(
        () -> {
          refuseIfClosed("mirror it");
          mirrors = ObjectArrays.concat(mirrors, handler);
        });
    return () ->
        detach(
            () ->
                mirrors =
                    Stream.of(mirrors)
                        .filter(other -> other != handler)
                        .toArray(FrameHandler[]::new));
  }

  /** Keeps everything that passes from now on, to wait for and to look at. */
  public FrameLog log() {
    FrameLog added = new FrameLog(this);
    loop.call(
        () -> {
          refuseIfClosed("log");
          logs = ObjectArrays.concat(logs, added);
        });
    return added;
  }

  /**
   * Sends a frame that no station has sent, as one that comes from somewhere else: to the station
   * with its destination's address if there is one, else to all.
   *
   * @param frame an Ethernet frame from position to limit, copied; the position is left alone
   */
  public void inject(ByteBuffer frame) {
    Station stranger = attach("injected", ignored -> {});
    stranger.send(frame);
    loop.call(sends::carry);
    stranger.close();
  }

  /**
   * Joins this segment to a network of the multicast convention, so that machines started by hand
   * on it and what is here hear each other.
   *
   * @param network as {@link Network#LAN}
   * @throws NetworkException if it has no group, cannot be joined, or is connected with this
   *     segment already, so that frames would go round for ever
   */
  public Bridge bridge(Network network) {
    return bridge(
        network
            .group()
            .orElseThrow(
                () ->
                    new NetworkException(
                        "Network %s has no multicast group to bridge %s to; give an address and port"
                            .formatted(network, this.network))));
  }

  /**
   * Joins this segment to a multicast group, as QEMU's {@code -netdev
   * socket,mcast=GROUP:PORT,localaddr=127.0.0.1} does.
   *
   * @param group an IPv4 multicast address and a port
   * @throws IllegalArgumentException if the address is not one of a group
   * @throws NetworkException if it cannot be joined, or is connected with this segment already, so
   *     that frames would go round for ever
   */
  public Bridge bridge(InetSocketAddress group) {
    Network.requireGroup(network.name(), group);
    MulticastPort port = new MulticastPort(this, group);
    Bridges.add(this, group);
    try {
      port.open();
      add(port);
    } catch (RuntimeException e) {
      detach(port); // if only the wait for its joining was interrupted
      port.release();
      throw e;
    }
    return new Bridge(port);
  }

  /**
   * What has passed so far, of each that is attached now, in the order in which they were attached.
   * A group of the multicast convention is one of them.
   */
  public List<StationStatistics> statistics() {
    return loop.compute(() -> Stream.of(ports).map(Port::statistics).toList());
  }

  /**
   * What has passed so far of one station.
   *
   * @param station the name by which it is known here
   * @throws NetworkException if there is no such station, or there are two; the message lists them
   */
  public StationStatistics statistics(String station) {
    return loop.compute(() -> port(station).statistics());
  }

  /**
   * The cable of a station, to be damaged.
   *
   * @param station the name by which it is known here: that of the machine or host
   * @throws NetworkException if there is no such station, or there are two; the message lists them
   */
  public Cable cable(String station) {
    return loop.compute(() -> port(station)).cable;
  }

  private Port port(String station) {
    List<Port> found = Stream.of(ports).filter(port -> port.name().equals(station)).toList();
    if (found.size() != 1) {
      throw new NetworkException(
          "%s stations on %s are called %s; those there are: %s"
              .formatted(
                  found.isEmpty() ? "No" : found.size(),
                  network,
                  station,
                  Stream.of(ports).map(Port::name).sorted().collect(Collectors.joining(", "))));
    }
    return found.get(0);
  }

  /**
   * Divides the segment: these stations hear each other, but none of the others, nor they them.
   * Calling it again divides it further.
   *
   * @throws NetworkException if there is no such station, or there are two
   */
  public void partition(String... stations) {
    change(
        () -> {
          List<Port> apart = Stream.of(stations).map(this::port).toList();
          parts++;
          apart.forEach(port -> port.part = parts);
        });
  }

  /** Makes a divided segment whole. Cables stay as they are. */
  public void heal() {
    change(
        () -> {
          parts = 0;
          Stream.of(ports).forEach(port -> port.part = 0);
        });
  }

  /** Changes how frames are carried, for those that are sent from now on. */
  void change(Runnable change) {
    loop.call(
        () -> {
          sends.carry();
          change.run();
        });
  }

  private void add(Port port) {
    loop.call(
        () -> {
          refuseIfClosed("attach " + port.name());
          port.attached = true;
          ports = ObjectArrays.concat(ports, port);
        });
  }

  private void refuseIfClosed(String what) {
    if (closed) {
      throw new NetworkException("Segment " + network + " is closed: " + what + " before that");
    }
  }

  /** Forgets a port. On the loop; a frame on its way through the switch still reaches the rest. */
  void remove(Port port) {
    int index = Arrays.asList(ports).indexOf(port);
    if (index >= 0) {
      Port[] fewer = new Port[ports.length - 1];
      System.arraycopy(ports, 0, fewer, 0, index);
      System.arraycopy(ports, index + 1, fewer, index, fewer.length - index);
      ports = fewer;
      stations.forget(port);
      port.attached = false;
      port.release();
    }
  }

  /** {@link #remove} from any thread; waits until it has happened. */
  void detach(Port port) {
    detach(() -> remove(port));
  }

  /** Tells a capture of no more frames. From any thread; waits until that is so. */
  void detach(Capture capture) {
    detach(
        () ->
            captures =
                Stream.of(captures).filter(other -> other != capture).toArray(Capture[]::new));
  }

  /** Tells a log of no more frames. From any thread; waits until that is so. */
  void detach(FrameLog log) {
    detach(() -> logs = Stream.of(logs).filter(other -> other != log).toArray(FrameLog[]::new));
  }

  private void detach(Runnable removal) {
    try {
      loop.call(removal);
    } catch (RejectedExecutionException e) {
      log.trace("It went with {}", this, e);
    } catch (WaitInterruptedException e) {
      log.debug("It leaves {} without being waited for", this, e);
    }
  }

  SendQueue sends() {
    return sends;
  }

  /**
   * Carries one frame from a port to where it belongs. On the loop; the caller ends its batch with
   * {@link #flush()}.
   *
   * @param frame read-only; its position and limit are the same afterwards
   */
  void forward(Port from, ByteBuffer frame) {
    int length = frame.remaining();
    if (length < HEADER) {
      return; // no receiver could tell whom it is for
    }
    from.framesSent++;
    from.bytesSent += length;
    Cable.Direction way = from.cable.fromStation();
    if (way.isGood()) {
      carry(from, frame, "");
      return;
    }
    Frame copy = Frame.of(from.name(), "", frame);
    Impairer.Fate fate = way.decide(copy);
    if (fate.lost().isEmpty()) {
      way.carry(fate, copy, (arrived, note) -> carry(from, arrived, note));
    } else {
      record(from, frame, fate.note());
    }
  }

  /** Carries a frame that has reached the switch. */
  private void carry(Port from, ByteBuffer frame, String note) {
    int start = frame.position();
    int end = frame.limit();
    long destination = mac(frame, start);
    long source = mac(frame, start + MacAddress.LENGTH);
    if (!isGroup(source) && from.attached) {
      stations.learn(source, from);
    }
    Port to = isGroup(destination) ? null : stations.find(destination);
    Port[] all = ports;
    boolean good = note.isEmpty() && parts == 0;
    for (Port port : all) {
      good &= port.cable.toStation().isGood();
    }
    if (!good) {
      carryOnBadCables(from, to, frame, note);
      return;
    }
    record(from, frame, "");
    for (Port port : all) {
      if (port != from && isWanted(port, to)) {
        deliver(port, frame);
        frame.limit(end).position(start);
      }
    }
  }

  /** The group is a shared medium: its other members see what passes here, too. */
  private boolean isWanted(Port port, @Nullable Port to) {
    return to == null || port == to || port == group;
  }

  /** What becomes of the frame is decided for all before it is recorded. */
  private void carryOnBadCables(Port from, @Nullable Port to, ByteBuffer frame, String note) {
    Frame copy = Frame.of(from.name(), note, frame);
    Map<Port, Impairer.Fate> fates = new LinkedHashMap<>();
    StringBuilder notes = new StringBuilder(note);
    for (Port port : ports) {
      if (port == from || !isWanted(port, to)) {
        continue;
      }
      String fate;
      if (port.part != from.part) {
        fate = "lost: partition";
      } else {
        Impairer.Fate decided = port.cable.toStation().decide(copy);
        fate = decided.note();
        if (decided.lost().isEmpty()) {
          fates.put(port, decided);
        }
      }
      if (!fate.isEmpty()) {
        notes.append(notes.length() == 0 ? "" : "; ").append("to " + port.name() + ": " + fate);
      }
    }
    record(from, frame, notes.toString());
    fates.forEach(
        (port, fate) ->
            port.cable
                .toStation()
                .carry(
                    fate,
                    copy,
                    (arrived, ignored) -> {
                      if (port.attached) {
                        deliver(port, arrived);
                      }
                    }));
  }

  private void record(Port from, ByteBuffer frame, String note) {
    for (FrameHandler mirror : mirrors) {
      show(mirror, frame);
    }
    if (captures.length == 0 && logs.length == 0) {
      return;
    }
    ByteBuffer comment =
        note.isEmpty()
            ? from.captureComment
            : StandardCharsets.UTF_8.encode("from " + from.name() + "; " + note);
    Frame copy = null;
    for (Capture capture : captures) {
      if (capture.isFiltered()) {
        copy = copy == null ? Frame.of(from.name(), note, frame) : copy;
        if (!capture.wants(copy)) {
          continue;
        }
      }
      capture.record(comment, frame);
    }
    for (FrameLog log : logs) {
      copy = copy == null ? Frame.of(from.name(), note, frame) : copy;
      log.add(copy);
    }
  }

  private void show(FrameHandler mirror, ByteBuffer frame) {
    int start = frame.position();
    int end = frame.limit();
    try {
      mirror.received(frame);
    } catch (RuntimeException | Error e) {
      log.error("A mirror of {} failed on a frame", this, e);
    }
    frame.limit(end).position(start);
  }

  private static void deliver(Port port, ByteBuffer frame) {
    int length = frame.remaining();
    long dropped = port.dropped();
    try {
      port.deliver(frame);
      if (port.dropped() == dropped) {
        port.framesReceived++;
        port.bytesReceived += length;
      }
    } catch (RuntimeException | Error e) {
      log.error("{} on {} failed on a frame", port.name(), port.segment.network, e);
    }
  }

  /** Ends a batch of {@link #forward}: what was collected for sockets is written to them. */
  void flush() {
    for (Port port : ports) {
      port.flush();
    }
  }

  private static long mac(ByteBuffer frame, int at) {
    return (frame.getShort(at) & 0xffffL) << 32 | (frame.getInt(at + 2) & 0xffff_ffffL);
  }

  private static boolean isGroup(long mac) {
    return (mac >> 40 & 1) != 0;
  }

  /** Ends the segment and everything on it. On the loop. Idempotent. */
  void close() {
    sends.carry(); // what was sent before the end still passes
    closed = true;
    for (Port port : ports) {
      remove(port);
    }
    for (Capture capture : captures) {
      capture.end();
    }
    captures = new Capture[0];
    logs = new FrameLog[0];
    mirrors = new FrameHandler[0];
  }

  @Override
  public String toString() {
    return "Segment[" + network + "]";
  }
}
