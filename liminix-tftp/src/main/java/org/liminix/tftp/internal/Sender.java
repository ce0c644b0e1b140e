package org.liminix.tftp.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;

/**
 * Sends content as numbered blocks and repairs what gets lost: the sender of RFC 1350 with the
 * windows of RFC 7440, lock-step being a window of one. Used on its event loop only.
 *
 * <p>Blocks are counted in a long; the wire carries the low 16 bits, so numbers roll over to 0. A
 * duplicate acknowledgement never makes it send twice (the Sorcerer's Apprentice); only a window's
 * acknowledgement that names a gap does, once for each flight.
 */
public final class Sender {
  /** The pause between bursts after a loss, the resolution of the loop's timers. */
  private static final Duration PACE = Duration.ofMillis(1);

  /**
   * Windows without a loss after which bursts grow again; twice as many after each further loss,
   * for a board whose receive ring is too small will lose at the same size again.
   */
  private static final int CLEAN_WINDOWS = 16;

  private static final int MOST_CLEAN_WINDOWS = 1 << 14;

  /** The most segments Linux cuts one send into. */
  private static final int MOST_IN_RUN = 64;

  /** Told how the sending goes. */
  public interface Owner {
    /** So many bytes of the content have arrived. */
    void progressed(long bytes, long nowNanos);

    /** So many packets were sent again. */
    void repeated(int packets);

    /** The content did not yield; the transfer is over. */
    void sourceFailed(IOException cause);

    /** All has arrived. */
    void completed();
  }

  private final EventLoop loop;
  private final Link link;
  private final Source source;
  private final RetryTimer timer;
  private final Owner owner;
  private final BufferPool pool;
  private final int blockSize;
  private final int stride;
  private final int window;
  private final ByteBuffer ring;

  private long acknowledged; // the last block the peer has
  private long sent; // the last block of the current flight that went out
  private long highest; // the last block that ever went out
  private long filled; // the last block in the ring
  private long last = -1; // the final block, once it is known
  private int lastLength;

  private int burst;
  private int cleanWindows;
  private int cleanWindowsNeeded = CLEAN_WINDOWS;
  private int losses;
  private boolean repairing;
  private long repairEnd;
  private int singles;
  private boolean everyBlock; // the peer acknowledges each block whatever the window
  private long retried = -1; // the last block that the timer sent again
  private boolean silent; // the timer fired and nothing has arrived since
  private boolean blocked;
  private boolean ended;
  private EventLoop.@Nullable Timer pacer;

  public Sender(
      EventLoop loop,
      Link link,
      Source source,
      Negotiation terms,
      RetryTimer timer,
      BufferPool pool,
      Owner owner) {
    this.loop = loop;
    this.link = link;
    this.source = source;
    this.timer = timer;
    this.owner = owner;
    this.pool = pool;
    this.blockSize = terms.blockSize();
    this.stride = Wire.HEADER + blockSize;
    this.window = terms.window();
    this.burst = window;
    this.ring = pool.take(stride * window);
  }

  /** Sends the first window. */
  public void start(long nowNanos) {
    transmit(nowNanos);
  }

  /** Handles the block number of an acknowledgement. */
  public void acknowledged(int number, long nowNanos) {
    if (ended) {
      return;
    }
    int ahead = (number - (int) acknowledged) & 0xffff;
    if (ahead == 0) {
      if (acknowledged == retried) {
        retried = -1;
        timer.tooEager();
      }
      // In lock-step a repeated acknowledgement says nothing new; in a window it says that the
      // block behind it is missing (RFC 7440 section 4).
      if (window > 1 && highest > acknowledged && !repairing) {
        repair(nowNanos);
      }
      return;
    }
    if (ahead > highest - acknowledged) {
      return; // of an earlier turn, or of a block that was never sent
    }
    acknowledged += ahead;
    silent = false;
    sent = Math.max(sent, acknowledged);
    timer.answered(nowNanos);
    owner.progressed(
        acknowledged == last ? (last - 1) * blockSize + lastLength : acknowledged * blockSize,
        nowNanos);
    if (acknowledged == last) {
      close();
      owner.completed();
      return;
    }
    if (acknowledged == highest) {
      windowArrived();
      transmit(nowNanos);
    } else {
      acknowledgedPart(ahead, nowNanos);
    }
  }

  private void acknowledgedPart(int ahead, long nowNanos) {
    if (repairing && acknowledged >= repairEnd) {
      repairing = false;
    }
    if (everyBlock || repairing) {
      // Two steps of one after another while a repair is under way are no two gaps: this peer
      // acknowledges every block, and the window slides.
      singles = ahead == 1 ? singles + 1 : 0;
      everyBlock |= singles >= 2;
      timer.sent(nowNanos);
      if (everyBlock) {
        sent = highest;
        transmit(nowNanos);
      }
      return;
    }
    repair(nowNanos);
  }

  private void windowArrived() {
    repairing = false;
    if (burst < window && ++cleanWindows >= cleanWindowsNeeded) {
      cleanWindows = 0;
      burst = Math.min(window, burst * 2);
    }
  }

  /** Goes back to the block behind the last acknowledged one, in smaller bursts. */
  private void repair(long nowNanos) {
    repairing = true;
    repairEnd = highest;
    slowDown();
    owner.repeated((int) (sent - acknowledged));
    sent = acknowledged;
    transmit(nowNanos);
  }

  private void slowDown() {
    losses++;
    cleanWindows = 0;
    cleanWindowsNeeded = Math.min(MOST_CLEAN_WINDOWS, 2 * cleanWindowsNeeded);
    burst = Math.max(1, burst / 2);
  }

  /** Sends again what was not acknowledged in time. */
  public void retry(long nowNanos) {
    if (ended) {
      return;
    }
    slowDown();
    owner.repeated((int) (highest - acknowledged));
    repairing = true;
    repairEnd = highest;
    sent = acknowledged;
    silent = true;
    retried = highest;
    blocked = false;
    transmit(nowNanos);
  }

  /** The port takes packets again. */
  public void writable(long nowNanos) {
    if (blocked) {
      blocked = false;
      transmit(nowNanos);
    }
  }

  private void transmit(long nowNanos) {
    if (ended || blocked) {
      return;
    }
    try {
      int allowance = burst;
      long end = acknowledged + window;
      while (allowance > 0 && !blocked) {
        int run = load(end, allowance);
        if (run == 0) {
          break;
        }
        allowance -= run;
        sendRun(run);
      }
      highest = Math.max(highest, sent);
      if (silent) {
        timer.prolong(nowNanos); // the count of retries goes on
      } else {
        timer.sent(nowNanos);
      }
      if (!blocked && sent < Math.min(end, last < 0 ? end : last)) {
        pace();
      }
    } catch (IOException e) {
      close();
      owner.sourceFailed(e);
    }
  }

  /** How many blocks from the next on lie end to end in the ring, after reading missing ones. */
  private int load(long end, int allowance) throws IOException {
    int slot = (int) (sent % window);
    long to = Math.min(end, sent + Math.min(allowance, window - slot));
    to = Math.min(to, sent + Math.min(MOST_IN_RUN, Math.max(1, Wire.MAX_DATAGRAM / stride)));
    while (filled < to && last < 0) {
      fill();
    }
    return (int) (Math.min(to, filled) - sent);
  }

  private void fill() throws IOException {
    long block = filled + 1;
    int start = (int) (filled % window) * stride;
    ring.limit(start + stride).position(start);
    ring.putShort((short) Wire.DATA).putShort((short) block);
    source.fill(ring);
    if (ring.hasRemaining()) {
      last = block;
      lastLength = ring.position() - start - Wire.HEADER;
    }
    filled = block;
  }

  private void sendRun(int run) {
    int start = (int) (sent % window) * stride;
    int length = run * stride - (sent + run == last ? blockSize - lastLength : 0);
    ring.limit(start + length).position(start);
    boolean took = link.send(ring, stride);
    if (took) {
      sent += run;
    } else {
      sent += (ring.position() - start) / stride;
      blocked = true;
    }
  }

  private void pace() {
    if (pacer == null) {
      pacer =
          loop.schedule(
              PACE,
              () -> {
                pacer = null;
                transmit(System.nanoTime());
              });
    }
  }

  /** How often the peer lost something. */
  public int losses() {
    return losses;
  }

  /** Ends the sending and frees what it holds. Idempotent. */
  public void close() {
    if (!ended) {
      ended = true;
      timer.stop();
      if (pacer != null) {
        pacer.cancel();
        pacer = null;
      }
      pool.giveBack(ring);
    }
  }
}
