package org.liminix.net;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Where something is plugged into the switch of a segment. Confined to the loop. */
abstract class Port {
  /** QEMU's NET_BUFSIZE: no frame of a guest is longer, whatever its MTU and offloads. */
  static final int MAX_FRAME = 4096 + 65536;

  final Segment segment;
  private final String name;

  /** What captures say about frames from here. */
  final ByteBuffer captureComment;

  final Cable cable;

  /** Confined to the loop: whether the switch still knows it. */
  boolean attached;

  /** Confined to the loop: which part of a divided segment it is in. */
  int part;

  /** Confined to the loop, as those that follow: what came from here. */
  long framesSent;

  long bytesSent;
  long framesReceived;
  long bytesReceived;

  /** Written on the loop, read from anywhere. */
  private volatile long dropped;

  Port(Segment segment, String name) {
    this.segment = segment;
    this.name = name;
    this.cable = new Cable(this);
    this.captureComment = StandardCharsets.UTF_8.encode("from " + name).asReadOnlyBuffer();
  }

  public String name() {
    return name;
  }

  public long dropped() {
    return dropped;
  }

  /** On the loop. */
  final StationStatistics statistics() {
    return new StationStatistics(
        name, framesSent, bytesSent, framesReceived, bytesReceived, dropped);
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // only the loop writes it
  final void drop() {
    dropped++;
  }

  /** Takes a frame from the switch: consumes or copies it before it returns. */
  abstract void deliver(ByteBuffer frame);

  /** Sends what {@link #deliver} has collected; called at the end of a batch. */
  void flush() {}

  /** Lets go of what the port holds; the segment has already forgotten it. */
  abstract void release();
}
