package org.liminix.net;

import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What connects a station, in-process host or machine to the switch of a {@link Segment}, for tests
 * that damage it.
 *
 * <pre>{@code
 * Cable cable = segments.get(LAN).cable("router");
 * cable.impair(Impairment.none().loss(0.1).seed(7));
 * cable.toStation().impair(Impairment.none().delay(Duration.ofMillis(300)));
 * cable.pull();
 * cable.plug();
 * }</pre>
 *
 * <p>Changes hold from the next frame on; what is on its way already arrives, and before what is
 * sent after the change. Captures name in each packet's comment what happened to it, and hold lost
 * frames, too. A machine does not notice a pulled cable as such: its carrier is QEMU's to take,
 * with {@code vm.link(LAN).down()}.
 *
 * <p>Thread-safe. It is gone with its station: one that comes again has a good cable.
 */
public final class Cable {
  private final Port port;
  private final Direction fromStation;
  private final Direction toStation;

  Cable(Port port) {
    this.port = port;
    this.fromStation = new Direction(0);
    this.toStation = new Direction(1);
  }

  /** The name of the station. */
  public String station() {
    return port.name();
  }

  /** What the station sends. */
  public Direction fromStation() {
    return fromStation;
  }

  /** What it receives. */
  public Direction toStation() {
    return toStation;
  }

  /** Does this to frames in both directions, in place of what was done before. */
  public void impair(Impairment impairment) {
    call(
        () -> {
          fromStation.set(impairment);
          toStation.set(impairment);
        });
  }

  /** Makes it a good cable again, which is plugged. */
  public void repair() {
    call(
        () -> {
          fromStation.set(Impairment.none());
          toStation.set(Impairment.none());
          setPulled(false);
        });
  }

  /** Loses everything, until {@link #plug} or {@link #repair}. */
  public void pull() {
    call(() -> setPulled(true));
  }

  /** Ends {@link #pull}. */
  public void plug() {
    call(() -> setPulled(false));
  }

  private void setPulled(boolean pulled) {
    fromStation.pulled = pulled;
    toStation.pulled = pulled;
  }

  private void call(Runnable change) {
    try {
      port.segment.change(change);
    } catch (RejectedExecutionException e) {
      throw closed(e);
    }
  }

  private NetworkException closed(RejectedExecutionException e) {
    return new NetworkException(
        "The segments are closed, and the cable of " + station() + " with them", e);
  }

  @Override
  public String toString() {
    return "Cable[" + station() + " on " + port.segment.network() + "]";
  }

  /**
   * What has happened to frames in a direction.
   *
   * @param passed frames that were carried on, each once
   * @param lost frames that were not, for whatever reason
   * @param duplicated frames that were carried on twice
   * @param corrupted frames that were changed
   * @param reordered frames that were overtaken
   */
  public record Counts(long passed, long lost, long duplicated, long corrupted, long reordered) {}

  /** One of the two ways on a cable. */
  public final class Direction {
    private final int index;
    private @Nullable Impairer impairer; // once it was damaged; this and the next are of the loop
    private boolean pulled;

    private Direction(int index) {
      this.index = index;
    }

    /** Does this to frames that go this way, in place of what was done before. */
    public void impair(Impairment impairment) {
      call(() -> set(impairment));
    }

    /** Loses everything that goes this way, until {@link #plug} or {@link Cable#repair}. */
    public void pull() {
      call(() -> pulled = true);
    }

    /** Ends {@link #pull}, and {@link Cable#pull} for this way. */
    public void plug() {
      call(() -> pulled = false);
    }

    /** What has happened to frames while it was damaged; it is not counted while it is good. */
    public Counts counts() {
      Supplier<Counts> read = () -> impairer().counts();
      try {
        return port.segment.loop().compute(read);
      } catch (RejectedExecutionException e) {
        throw closed(e);
      }
    }

    private void set(Impairment impairment) {
      impairer().set(impairment);
    }

    private Impairer impairer() {
      if (impairer == null) {
        impairer = new Impairer(port.segment, index);
      }
      return impairer;
    }

    /** Whether frames that go this way need a look at all. */
    boolean isGood() {
      return !pulled && (impairer == null || impairer.isGood());
    }

    Impairer.Fate decide(Frame frame) {
      return pulled ? impairer().lose("cable pulled") : impairer().decide(frame);
    }

    void carry(Impairer.Fate fate, Frame frame, Impairer.Receiver receiver) {
      impairer().carry(fate, frame, receiver);
    }
  }
}
