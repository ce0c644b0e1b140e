package org.liminix.tftp.internal;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Takes numbered blocks in order and acknowledges them: the receiver of RFC 1350 with the windows
 * of RFC 7440. Used on its event loop only.
 */
public final class Receiver {
  /** Told how the receiving goes. */
  public interface Owner {
    /** So many bytes have arrived. */
    void progressed(long bytes, long nowNanos);

    /** An acknowledgement was sent again. */
    void repeated();

    /** The data cannot be kept; the transfer is over. */
    void sinkFailed(IOException cause);

    /** All has arrived and is kept; the last acknowledgement follows. */
    void completed();
  }

  private final Link link;
  private final Sink sink;
  private final RetryTimer timer;
  private final Owner owner;
  private final int blockSize;
  private final int window;

  private long received; // the last block that came in order
  private long bytes;
  private int sinceAcknowledged;
  private boolean gapReported;
  private boolean complete;
  private boolean failed;

  public Receiver(Link link, Sink sink, Negotiation terms, RetryTimer timer, Owner owner) {
    this.link = link;
    this.sink = sink;
    this.timer = timer;
    this.owner = owner;
    this.blockSize = terms.blockSize();
    this.window = terms.window();
  }

  /** Whether any block has come. */
  public boolean started() {
    return received > 0;
  }

  /** Handles a DATA packet, long enough to have a number. */
  public void received(ByteBuffer packet, long nowNanos) {
    if (failed) {
      return;
    }
    int ahead = (Wire.number(packet) - (int) received) & 0xffff;
    if (ahead == 1 && !complete) {
      next(packet, nowNanos);
    } else if (ahead == 0 || ahead > 0x8000) {
      // A block that was here before: its sender missed the acknowledgement. In a window all of
      // them come again, and one answer is enough.
      if (window == 1 || complete || !gapReported) {
        repeat();
      }
    } else if (!gapReported && !complete) {
      repeat();
    }
  }

  private void next(ByteBuffer packet, long nowNanos) {
    ByteBuffer data = packet.duplicate();
    data.position(data.position() + Wire.HEADER);
    int length = data.remaining();
    if (length > blockSize) {
      return; // not a block of this transfer
    }
    try {
      sink.write(data);
      if (length < blockSize) {
        sink.finish();
        complete = true;
      }
    } catch (IOException e) {
      failed = true;
      timer.stop();
      owner.sinkFailed(e);
      return;
    }
    received++;
    bytes += length;
    gapReported = false;
    timer.answered(nowNanos);
    owner.progressed(bytes, nowNanos);
    if (complete) {
      timer.stop();
      owner.completed();
      acknowledge(); // after the books are closed, for whoever looks at them on its arrival
    } else if (++sinceAcknowledged >= window) {
      acknowledge();
      timer.sent(nowNanos);
    } else {
      timer.sent(nowNanos);
    }
  }

  /** Says again how far it got, for want of new blocks. */
  public void retry() {
    if (!failed) {
      repeat();
      gapReported = false;
    }
  }

  private void repeat() {
    gapReported = true;
    owner.repeated();
    acknowledge();
  }

  private void acknowledge() {
    sinceAcknowledged = 0;
    link.send(Wire.ack(received));
  }
}
