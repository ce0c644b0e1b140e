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
  private static final Duration PAUSE = Duration.ofMillis(1);

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

  private final Pace pace;
  private boolean repairing;
  private long repairEnd;
  private int singles;
  private boolean everyBlock; // the peer acknowledges each block whatever the window
  private long retried = -1; // the last block that the timer sent again
  private boolean needless; // and the peer turned out to have had it
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
    this.pace = new Pace(window);
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
        retriedNeedlessly();
        return;
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
    if (retried >= 0 && acknowledged > retried) {
      retried = -1;
      pace.confirmLoss();
    }
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

  /**
   * The copies were answered after the originals had been: nothing was missing, the answer was
   * merely slow, and this one says nothing of what was sent since. The idea is that of TCP's Eifel
   * detection (RFC 3522): what a needless retry slowed down is as fast again.
   */
  private void retriedNeedlessly() {
    if (!needless) {
      needless = true;
      timer.tooEager();
      pace.dismissLoss();
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
    pace.windowArrived();
  }

  /** Goes back to the block behind the last acknowledged one, in smaller bursts. */
  private void repair(long nowNanos) {
    repairing = true;
    repairEnd = highest;
    pace.lost();
    owner.repeated((int) (sent - acknowledged));
    sent = acknowledged;
    transmit(nowNanos);
  }

  /** Sends again what was not acknowledged in time. */
  public void retry(long nowNanos) {
    if (ended) {
      return;
    }
    pace.suspectLoss();
    owner.repeated((int) (highest - acknowledged));
    repairing = true;
    repairEnd = highest;
    sent = acknowledged;
    silent = true;
    retried = highest;
    needless = false;
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
      int allowance = pace.burst();
      long end = acknowledged + window;
      int slot = (int) (sent % window);
      while (allowance > 0 && !blocked) {
        int run = load(slot, (int) Math.min(Math.min(allowance, end - sent), window - slot));
        if (run == 0) {
          break;
        }
        sendRun(slot, run);
        allowance -= run;
        slot += run;
        if (slot == window) {
          slot = 0;
        }
      }
      highest = Math.max(highest, sent);
      if (silent) {
        timer.prolong(nowNanos); // the count of retries goes on
      } else {
        timer.sent(nowNanos);
      }
      if (!blocked && sent < Math.min(end, last < 0 ? end : last)) {
        pause();
      }
    } catch (IOException e) {
      close();
      owner.sourceFailed(e);
    }
  }

  /** How many blocks from that slot on lie end to end in the ring, after reading missing ones. */
  private int load(int slot, int most) throws IOException {
    int wanted = most > 1 ? Math.min(most, mostAtOnce()) : most;
    int ready = (int) (filled - sent);
    while (ready < wanted && last < 0) {
      fill((slot + ready) * stride);
      ready++;
    }
    return Math.min(wanted, ready);
  }

  private int mostAtOnce() {
    int packets = link.packetsAtOnce();
    return packets == 1 ? 1 : Math.min(packets, Math.max(1, Wire.MAX_DATAGRAM / stride));
  }

  private void fill(int start) throws IOException {
    filled++;
    ring.limit(start + stride).position(start);
    ring.putShort((short) Wire.DATA).putShort((short) filled);
    source.fill(ring);
    if (ring.hasRemaining()) {
      last = filled;
      lastLength = ring.position() - start - Wire.HEADER;
    }
  }

  private void sendRun(int slot, int run) {
    int start = slot * stride;
    int length = run * stride - (sent + run == last ? blockSize - lastLength : 0);
    ring.limit(start + length).position(start);
    if (link.send(ring, stride)) {
      sent += run;
    } else {
      sent += (ring.position() - start) / stride;
      blocked = true;
    }
  }

  private void pause() {
    if (pacer == null) {
      pacer =
          loop.schedule(
              PAUSE,
              () -> {
                pacer = null;
                transmit(System.nanoTime());
              });
    }
  }

  /** How often the peer lost something. */
  public int losses() {
    return pace.losses();
  }

  /** How many blocks at once the peer bears; the whole window as long as that is not known. */
  public int borne() {
    return pace.borne();
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
