package org.liminix.net;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.DelayLine;
import org.liminix.net.internal.RateLimit;

/**
 * Does what an {@link Impairment} says to the frames of one direction. When it is told another one,
 * frames that are under way stay so, and none that comes later arrives before them. Confined to the
 * loop.
 */
final class Impairer {
  /** A frame that is held back for the next one waits no longer. */
  private static final Duration HELD = Duration.ofMillis(100);

  /** What may be on its way. */
  private static final int MOST_BYTES = 1 << 24;

  private static final int HEADER = 14;

  private final Segment segment;
  private final int direction;
  private Impairment.Settings settings;
  private boolean good;
  private SplittableRandom random;
  private final DelayLine<Waiting> line;
  private @Nullable RateLimit rate;
  private int bytesInLine;
  private long lastDueNanos = System.nanoTime();
  private long changedDueNanos = lastDueNanos; // when what was sent before the change has arrived
  private @Nullable Waiting held;

  private long passed;
  private long lost;
  private long duplicated;
  private long corrupted;
  private long reordered;

  Impairer(Segment segment, int direction) {
    this.segment = segment;
    this.direction = direction;
    this.settings = Impairment.none().settings;
    this.good = true;
    this.random = random(settings);
    this.line = new DelayLine<>(segment.loop(), this::arrive, segment::flush);
  }

  /** Both directions of a cable have the same seed and must not have the same fate. */
  private SplittableRandom random(Impairment.Settings settings) {
    return new SplittableRandom(settings.seed * 31 + direction);
  }

  /** Does this from the next frame on. */
  void set(Impairment impairment) {
    settings = impairment.settings;
    good = impairment == Impairment.none();
    random = random(settings);
    rate =
        settings.bitsPerSecond > 0
            ? new RateLimit(settings.bitsPerSecond, settings.queue, System.nanoTime())
            : null;
    Waiting before = held;
    if (before != null) { // none of those that come now is meant to overtake it
      letGo(before);
    }
    changedDueNanos = lastDueNanos;
  }

  private static long later(long one, long other) {
    return one - other > 0 ? one : other;
  }

  /** Told of frames that have arrived. */
  interface Receiver {
    /**
     * A frame is there.
     *
     * @param note what happened to it, or an empty text
     */
    void arrived(ByteBuffer frame, String note);
  }

  /**
   * What is to become of a frame.
   *
   * @param lost why it does not arrive, or an empty text
   * @param corruptedBit which bit behind the header is inverted, or -1
   * @param duplicated whether it arrives twice
   * @param overtaken whether it waits for the next one
   * @param dueNanos when it arrives
   * @param delayNanos how much later that is than now
   */
  record Fate(
      String lost,
      int corruptedBit,
      boolean duplicated,
      boolean overtaken,
      long dueNanos,
      long delayNanos) {
    /** For captures. */
    String note() {
      if (!lost.isEmpty()) {
        return "lost: " + lost;
      }
      StringBuilder note = new StringBuilder();
      long millis = TimeUnit.NANOSECONDS.toMillis(delayNanos);
      add(note, millis > 0, "delayed " + millis + " ms");
      add(note, overtaken, "held back");
      add(note, corruptedBit >= 0, "corrupted at byte " + (HEADER + corruptedBit / 8));
      add(note, duplicated, "duplicated");
      return note.toString();
    }

    private static void add(StringBuilder note, boolean wanted, String part) {
      if (wanted) {
        note.append(note.length() == 0 ? "" : ", ").append(part);
      }
    }
  }

  private record Waiting(ByteBuffer frame, String note, long dueNanos, Receiver receiver) {}

  /** Whether frames pass as if it were not there. */
  boolean isGood() {
    return good && line.isEmpty() && held == null;
  }

  Cable.Counts counts() {
    return new Cable.Counts(passed, lost, duplicated, corrupted, reordered);
  }

  Fate lose(String why) {
    lost++;
    return new Fate(why, -1, false, false, 0, 0);
  }

  Fate decide(Frame frame) {
    long now = System.nanoTime();
    if (good || (settings.only.isPresent() && !settings.only.get().test(frame))) {
      passed++;
      long due = later(now, changedDueNanos);
      return new Fate("", -1, false, false, due, due - now);
    }
    // Drawn for every frame, so that one setting does not change what another one does.
    boolean loses = random.nextDouble() < settings.loss;
    boolean duplicates = random.nextDouble() < settings.duplicate;
    boolean corrupts = random.nextDouble() < settings.corrupt;
    boolean overtakes = random.nextDouble() < settings.reorder;
    double jitter = 2 * random.nextDouble() - 1;
    int payload = frame.length() - HEADER;
    int bit = random.nextInt(Math.max(1, payload) * Byte.SIZE);
    if (loses) {
      return lose("by chance");
    }
    if (settings.mtu > 0 && payload > settings.mtu) {
      return lose(payload + " bytes, more than " + settings.mtu);
    }
    long sent = rate == null ? now : rate.admit(frame.length(), now);
    if (sent == RateLimit.NO_ROOM) {
      return lose("no room in the queue");
    }
    if (bytesInLine + frame.length() > MOST_BYTES) {
      return lose("no room on the line");
    }
    long delay =
        Math.max(0, settings.delay.toNanos() + (long) (jitter * settings.jitter.toNanos()));
    long due = later(sent + delay, lastDueNanos);
    lastDueNanos = due;
    passed++;
    duplicated += duplicates ? 1 : 0;
    boolean changed = corrupts && payload > 0;
    corrupted += changed ? 1 : 0;
    return new Fate("", changed ? bit : -1, duplicates, overtakes && held == null, due, due - now);
  }

  /** Carries a frame that is not lost: at once if its time has come, else later. */
  void carry(Fate fate, Frame frame, Receiver receiver) {
    ByteBuffer bytes = frame.bytes();
    if (fate.corruptedBit() >= 0) {
      ByteBuffer changed = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
      int at = HEADER + fate.corruptedBit() / Byte.SIZE;
      changed.put(at, (byte) (changed.get(at) ^ 1 << fate.corruptedBit() % Byte.SIZE));
      bytes = changed.asReadOnlyBuffer();
    }
    long due = fate.dueNanos();
    add(new Waiting(bytes, fate.note(), due, receiver), fate.overtaken());
    if (fate.duplicated()) {
      add(new Waiting(bytes.duplicate(), "the duplicate", due, receiver), false);
    }
  }

  private void add(Waiting frame, boolean overtaken) {
    if (overtaken) {
      reordered++;
      held = frame;
      var unused = segment.loop().schedule(HELD, () -> letGo(frame));
      return;
    }
    if (frame.dueNanos() - System.nanoTime() <= 0 && line.isBeforeAll(frame.dueNanos())) {
      frame.receiver().arrived(frame.frame(), frame.note());
    } else {
      enqueue(frame);
    }
    Waiting before = held;
    if (before != null) {
      held = null;
      add(new Waiting(before.frame(), before.note(), frame.dueNanos(), before.receiver()), false);
    }
  }

  /** None has overtaken it. */
  private void letGo(Waiting frame) {
    if (frame.equals(held)) {
      held = null;
      add(frame, false);
      segment.flush();
    }
  }

  private void enqueue(Waiting frame) {
    bytesInLine += frame.frame().remaining();
    line.add(frame, frame.dueNanos());
  }

  private void arrive(Waiting frame) {
    bytesInLine -= frame.frame().remaining();
    frame.receiver().arrived(frame.frame(), frame.note());
  }
}
