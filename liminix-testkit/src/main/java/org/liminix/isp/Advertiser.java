package org.liminix.isp;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;

/**
 * When a router advertises itself without being asked (RFC 4861 section 6.2.4): three times soon
 * after its start, then now and then, but three times before the addresses that hosts make
 * themselves would cease to be preferred. Confined to the loop.
 */
final class Advertiser {
  /** RFC 4861 section 10: MAX_INITIAL_RTR_ADVERT_INTERVAL would be 16 seconds at most. */
  private static final Duration INITIAL = Duration.ofSeconds(4);

  private static final int MAX_INITIAL = 3;

  private static final Duration LONGEST = Duration.ofMinutes(5);

  private final EventLoop loop;
  private final Duration interval;
  private final Runnable advertise;
  private int sent;
  private EventLoop.@Nullable Timer next;

  /**
   * @param preferred how long addresses stay preferred that are made from an advertisement
   */
  Advertiser(EventLoop loop, Duration preferred, Runnable advertise) {
    this.loop = loop;
    this.interval = shorter(LONGEST, preferred.dividedBy(3));
    this.advertise = advertise;
  }

  private static Duration shorter(Duration one, Duration other) {
    return one.compareTo(other) < 0 ? one : other;
  }

  void start() {
    sent = 0;
    advertise();
  }

  private void advertise() {
    next =
        loop.schedule(
            ++sent < MAX_INITIAL ? shorter(INITIAL, interval) : interval, this::advertise);
    advertise.run();
  }

  void stop() {
    if (next != null) {
      next.cancel();
      next = null;
    }
  }
}
