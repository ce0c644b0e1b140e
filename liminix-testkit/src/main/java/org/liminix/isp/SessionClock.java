package org.liminix.isp;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.process.Deadline;

/** Ends a session that is too old or too idle for its account. Confined to the loop. */
final class SessionClock {
  /** How a session is ended. */
  interface Ender {
    void end(IspEvent.Reason reason, String detail);
  }

  private final EventLoop loop;
  private final Meter meter;
  private final Ender ender;
  private EventLoop.@Nullable Timer age;
  private EventLoop.@Nullable Timer idleness;
  private boolean running;

  SessionClock(EventLoop loop, Meter meter, Ender ender) {
    this.loop = loop;
    this.meter = meter;
    this.ender = ender;
  }

  /** Begins to count, unless it does so already. */
  void start(Account.Terms terms) {
    if (running) {
      return;
    }
    running = true;
    Duration oldest = terms.sessionTimeout;
    if (oldest != null) {
      String detail = "Session timeout after " + Deadline.readable(oldest);
      age = loop.schedule(oldest, () -> ender.end(IspEvent.Reason.SESSION_TIMEOUT, detail));
    }
    Duration idlest = terms.idleTimeout;
    if (idlest != null) {
      idleness = loop.schedule(idlest, () -> look(idlest));
    }
  }

  private void look(Duration idlest) {
    Duration rest = idlest.minusNanos(meter.idleNanos());
    if (rest.isNegative() || rest.isZero()) {
      ender.end(IspEvent.Reason.IDLE, "Idle timeout after " + Deadline.readable(idlest));
    } else {
      idleness = loop.schedule(rest, () -> look(idlest));
    }
  }

  void stop() {
    if (age != null) {
      age.cancel();
    }
    if (idleness != null) {
      idleness.cancel();
    }
  }
}
