package org.liminix.net;

import com.google.common.collect.ObjectArrays;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
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
    Capture capture = Capture.open(pcapng, this);
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

  private void add(Port port) {
    loop.call(
        () -> {
          refuseIfClosed("attach " + port.name());
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
    if (frame.remaining() < HEADER) {
      return; // no receiver could tell whom it is for
    }
    int start = frame.position();
    int end = frame.limit();
    long destination = mac(frame, start);
    long source = mac(frame, start + MacAddress.LENGTH);
    if (!isGroup(source)) {
      stations.learn(source, from);
    }
    for (Capture capture : captures) {
      capture.record(from.captureComment, frame);
    }
    Port to = isGroup(destination) ? null : stations.find(destination);
    for (Port port : ports) {
      // The group is a shared medium: its other members see what passes here, too.
      boolean wanted = to == null || port == to || port == group;
      if (port != from && wanted) {
        deliver(port, frame);
        frame.limit(end).position(start);
      }
    }
  }

  private static void deliver(Port port, ByteBuffer frame) {
    try {
      port.deliver(frame);
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
  }

  @Override
  public String toString() {
    return "Segment[" + network + "]";
  }
}
