package org.liminix.net;

import java.time.Duration;
import java.util.List;
import java.util.function.Predicate;
import org.liminix.net.internal.EventLog;

/**
 * What has passed on a {@link Segment} since it was begun, for tests that wait for a frame and
 * tests that ask afterwards.
 *
 * <pre>{@code
 * try (FrameLog log = segments.get(LAN).log()) {
 *   router.shell().run("udhcpc -i eth0 -n -q").orThrow();
 *   Frame request = log.await(frame -> frame.dhcp().isPresent(), Duration.ofSeconds(10));
 *   assertThat(log.frames(frame -> frame.dns().isPresent())).isEmpty();
 * }
 * }</pre>
 *
 * <p>It holds the last 10,000 frames, those that a damaged {@link Cable} lost among them, each as
 * it was sent. Thread-safe. Whoever began it closes it; what it holds stays.
 */
public final class FrameLog implements AutoCloseable {
  private final Segment segment;
  private final EventLog<Frame> frames = new EventLog<>();

  FrameLog(Segment segment) {
    this.segment = segment;
  }

  /** A frame passes. On the loop. */
  void add(Frame frame) {
    frames.add(frame);
  }

  /** All frames, oldest first. */
  public List<Frame> frames() {
    return frames.all();
  }

  /** Those that match, oldest first. */
  public List<Frame> frames(Predicate<? super Frame> wanted) {
    return frames().stream().filter(wanted).toList();
  }

  /**
   * The first frame that matches, of those that have passed and those that will.
   *
   * @throws org.liminix.process.WaitTimeoutException if none has when the time is up; the message
   *     lists the last ten that have
   */
  public Frame await(Predicate<? super Frame> wanted, Duration timeout) {
    return frames.await(wanted, timeout, "such frame on " + segment.network());
  }

  /** Records no more. Idempotent. */
  @Override
  public void close() {
    segment.detach(this);
  }

  @Override
  public String toString() {
    return "FrameLog[" + segment.network() + "]";
  }
}
