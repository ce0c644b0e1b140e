package org.liminix.net.internal;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.liminix.net.Network;
import org.liminix.net.Plug;
import org.liminix.net.Segment;
import org.liminix.net.Segments;
import org.liminix.net.Station;

/**
 * A private segment behind one station of another segment, with a gate between them: for a process
 * that speaks the stream protocol of a {@link Plug.Stream} and is to see, or to be seen, in part
 * only; and for one that cannot join a multicast group itself.
 *
 * <p>Thread-safe. Closed by whoever opened it, after the process has ended.
 */
public final class Annex implements AutoCloseable {
  private final Segments inner;
  private final Station inside;
  private final Station outside;
  private final Plug.Stream plug;

  /**
   * What passes. A gate is called on the loop of the side from which the frame comes, and may
   * change the frame in a copy.
   */
  public interface Gate {
    /** What the process gets of a frame of the segment; null if nothing. */
    @Nullable ByteBuffer inward(ByteBuffer frame);

    /** What the segment gets of a frame of the process; null if nothing. */
    @Nullable ByteBuffer outward(ByteBuffer frame);
  }

  /** Lets everything pass. */
  public static final Gate OPEN =
      new Gate() {
        @Override
        public ByteBuffer inward(ByteBuffer frame) {
          return frame;
        }

        @Override
        public ByteBuffer outward(ByteBuffer frame) {
          return frame;
        }
      };

  private Annex(Segment segment, String name, Path socket, Gate gate) {
    inner = Segments.isolated();
    try {
      Segment behind = inner.get(Network.named(name));
      inside = behind.attach("gate", frame -> pass(gate.outward(frame), false));
      plug = (Plug.Stream) behind.plug(name, socket);
      outside = segment.attach(name, frame -> pass(gate.inward(frame), true));
    } catch (RuntimeException | Error e) {
      inner.close();
      throw e;
    }
  }

  /**
   * Adds a station of that name to the segment, and listens for the process behind it.
   *
   * @param socket as for {@link Segment#plug}
   */
  public static Annex open(Segment segment, String name, Path socket, Gate gate) {
    return new Annex(segment, name, socket, gate);
  }

  private void pass(@Nullable ByteBuffer frame, boolean inward) {
    if (frame != null) {
      (inward ? inside : outside).send(frame);
    }
  }

  /** Where the process is plugged in. */
  public Plug.Stream plug() {
    return plug;
  }

  /** Takes the station off the segment. Idempotent. */
  @Override
  public void close() {
    outside.close();
    inner.close();
  }
}
