package org.liminix.net;

import java.nio.ByteBuffer;

/**
 * A place on a {@link Segment} where something in this JVM sends and receives Ethernet frames.
 *
 * <pre>{@code
 * Station station = segments.get(LAN).attach("sniffer", frame -> count++);
 * station.send(frame);
 * station.close();
 * }</pre>
 *
 * <p>Thread-safe. Whoever attached it closes it; closing the segments does so too.
 */
public interface Station extends AutoCloseable {
  /** The name under which it was attached, for captures and reports. */
  String name();

  /**
   * Puts a frame on the segment, or drops it when the segment is overloaded or closed, as an
   * Ethernet would. It reaches the others after this call, never during it, so an answer sent from
   * a {@link FrameHandler} cannot recurse.
   *
   * @param frame an Ethernet frame from position to limit, copied; the position is left alone
   */
  void send(ByteBuffer frame);

  /** How many frames to or from this station were dropped because somebody was too slow. */
  long dropped();

  /** Takes the station off the segment. Idempotent. */
  @Override
  void close();
}
