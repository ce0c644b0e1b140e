package org.liminix.net;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * What a bad line does to the frames on it, in the terms of Linux's netem: loss, delay, jitter,
 * rate, reordering, duplicates, corruption and an MTU.
 *
 * <pre>{@code
 * Impairment dsl = Impairment.none().rate(2_000_000).delay(Duration.ofMillis(20)).loss(0.01);
 * segments.get(ACCESS).cable("router").impair(dsl);
 * }</pre>
 *
 * <p>Chance comes from a seed: the same frames in the same order meet the same fate. An immutable
 * value, of which each method returns a changed copy.
 *
 * @see Cable
 */
public final class Impairment {
  private static final Duration DEFAULT_QUEUE = Duration.ofMillis(200);

  private static final Impairment NONE = new Impairment(new Settings());

  final Settings settings;

  private Impairment(Settings settings) {
    this.settings = settings;
  }

  /** What it is made of; a copy is changed before anybody else sees it. */
  static final class Settings implements Cloneable {
    double loss;
    double duplicate;
    double corrupt;
    double reorder;
    Duration delay = Duration.ZERO;
    Duration jitter = Duration.ZERO;
    long bitsPerSecond; // 0 if there is no limit
    Duration queue = DEFAULT_QUEUE;
    int mtu; // 0 if there is no limit
    long seed = 1;
    Optional<Predicate<Frame>> only = Optional.empty();

    private Settings copy() {
      try {
        return (Settings) clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }
  }

  private interface Change {
    void to(Settings settings);
  }

  private Impairment with(Change change) {
    Settings changed = settings.copy();
    change.to(changed);
    return new Impairment(changed);
  }

  /** A good line. */
  public static Impairment none() {
    return NONE;
  }

  /** Loses frames with this probability, from 0 to 1. */
  public Impairment loss(double probability) {
    double checked = probability("loss", probability);
    return with(settings -> settings.loss = checked);
  }

  /** Has every frame arrive so much later. Times are kept to a millisecond. */
  public Impairment delay(Duration delay) {
    Duration checked = time("delay", delay);
    return with(settings -> settings.delay = checked);
  }

  /**
   * Varies the delay by up to this much both ways, every value as likely. Frames do not overtake
   * each other for it; {@link #reorder} has them do so.
   */
  public Impairment jitter(Duration jitter) {
    Duration checked = time("jitter", jitter);
    return with(settings -> settings.jitter = checked);
  }

  /**
   * Carries no more than so many bits a second, of frames without preamble and checksum. What comes
   * faster waits, see {@link #queue}.
   */
  public Impairment rate(long bitsPerSecond) {
    if (bitsPerSecond <= 0) {
      throw new IllegalArgumentException(
          "rate(%d): a rate is positive; to stop everything, use Cable.pull()"
              .formatted(bitsPerSecond));
    }
    return with(settings -> settings.bitsPerSecond = bitsPerSecond);
  }

  /** How long a frame waits for its turn at most, else it is lost; by default 200 ms. */
  public Impairment queue(Duration longest) {
    Duration checked = time("queue", longest);
    return with(settings -> settings.queue = checked);
  }

  /**
   * Holds a frame back with this probability until the next one has passed, or for 100 ms if none
   * comes.
   */
  public Impairment reorder(double probability) {
    double checked = probability("reorder", probability);
    return with(settings -> settings.reorder = checked);
  }

  /** Has a frame arrive twice with this probability. */
  public Impairment duplicate(double probability) {
    double checked = probability("duplicate", probability);
    return with(settings -> settings.duplicate = checked);
  }

  /**
   * Inverts a bit behind the Ethernet header with this probability, which an Ethernet's own
   * checksum has not found.
   */
  public Impairment corrupt(double probability) {
    double checked = probability("corrupt", probability);
    return with(settings -> settings.corrupt = checked);
  }

  /** Loses frames that carry more than so many bytes behind their header, and says nothing. */
  public Impairment mtu(int bytes) {
    if (bytes <= 0) {
      throw new IllegalArgumentException("mtu(" + bytes + "): an MTU is positive, as 1492");
    }
    return with(settings -> settings.mtu = bytes);
  }

  /** Touches only frames that match; the others pass at once. Called on the segments' loop. */
  public Impairment only(Predicate<Frame> frames) {
    return with(settings -> settings.only = Optional.of(frames));
  }

  /** Another course of chance. */
  public Impairment seed(long seed) {
    return with(settings -> settings.seed = seed);
  }

  private static double probability(String name, double probability) {
    if (!(probability >= 0 && probability <= 1)) {
      throw new IllegalArgumentException(
          name
              + "("
              + probability
              + "): a probability is from 0 to 1, as 0.01 for one in a hundred");
    }
    return probability;
  }

  private static Duration time(String name, Duration time) {
    if (time.isNegative()) {
      throw new IllegalArgumentException(name + "(" + time + "): a time is not negative");
    }
    return time;
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("Impairment[seed ").append(settings.seed);
    add(text, settings.loss > 0, "loss " + settings.loss);
    add(text, !settings.delay.isZero(), "delay " + settings.delay.toMillis() + " ms");
    add(text, !settings.jitter.isZero(), "jitter " + settings.jitter.toMillis() + " ms");
    add(text, settings.bitsPerSecond > 0, "rate " + settings.bitsPerSecond + " bit/s");
    add(text, settings.reorder > 0, "reorder " + settings.reorder);
    add(text, settings.duplicate > 0, "duplicate " + settings.duplicate);
    add(text, settings.corrupt > 0, "corrupt " + settings.corrupt);
    add(text, settings.mtu > 0, "MTU " + settings.mtu);
    add(text, settings.only.isPresent(), "only some frames");
    return text.append(']').toString();
  }

  private static void add(StringBuilder text, boolean wanted, String part) {
    if (wanted) {
      text.append(", ").append(part);
    }
  }
}
