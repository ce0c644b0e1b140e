package org.liminix.net;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.liminix.net.PingFailedException.Reason;
import org.liminix.net.internal.Futures;
import org.liminix.process.Deadline;

/** The pings under way from an in-process host. Confined to the loop. */
final class Pinger {
  /** As ping(8) does. */
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private static final byte[] DATA = new byte[56];

  private final EventLoop loop;
  private final String host;
  private final InternetLayer.Layers layers;
  private final Map<Integer, Pending> pending = new HashMap<>();
  private int nextIdentifier = (int) System.nanoTime() & 0xffff;

  Pinger(EventLoop loop, String host, InternetLayer.Layers layers) {
    this.loop = loop;
    this.host = host;
    this.layers = layers;
  }

  /** Sends requests until one is answered, an error comes or the time is up. */
  CompletableFuture<Ping> ping(InetAddress target, Duration timeout) {
    Pending ping = new Pending(target, layers.to(target), timeout);
    pending.put(ping.identifier, ping);
    Futures.whenDone(ping.result, (reply, failure) -> ping.end());
    ping.deadline = loop.schedule(timeout, ping::timeUp);
    ping.sendRequest();
    return ping.result;
  }

  private @Nullable Pending find(InetAddress target, int identifier) {
    Pending ping = pending.get(identifier);
    return ping != null && ping.target.equals(target) ? ping : null;
  }

  /** An echo reply came. */
  void answered(InetAddress source, int identifier, int sequence, int ttl) {
    Pending ping = find(source, identifier);
    if (ping != null) {
      ping.answered(sequence, ttl);
    }
  }

  /** An error about an echo request came. */
  void failed(InetAddress target, int identifier, Reason reason, InetAddress reporter, String why) {
    Pending ping = find(target, identifier);
    if (ping != null) {
      ping.fail(reason, reporter, why);
    }
  }

  /** An echo request could not be sent. */
  void unsent(InetAddress target, int identifier, boolean noRoute) {
    Pending ping = find(target, identifier);
    if (ping == null) {
      return;
    }
    if (noRoute) {
      ping.fail(
          Reason.NO_ROUTE,
          null,
          "no route from %s; give it a gateway".formatted(ping.layer.addresses()));
    } else {
      ping.hopSilent = true; // it may yet come up: the next request asks again
    }
  }

  private final class Pending {
    private final int identifier;
    private final InetAddress target;
    private final InternetLayer layer;
    private final Duration timeout;
    private final CompletableFuture<Ping> result = new CompletableFuture<>();
    private final Map<Integer, Long> sentNanos = new HashMap<>();
    private EventLoop.@Nullable Timer next;
    private EventLoop.@Nullable Timer deadline;
    private boolean hopSilent;

    Pending(InetAddress target, InternetLayer layer, Duration timeout) {
      while (pending.containsKey(nextIdentifier)) {
        nextIdentifier = (nextIdentifier + 1) & 0xffff;
      }
      this.identifier = nextIdentifier;
      nextIdentifier = (nextIdentifier + 1) & 0xffff;
      this.target = target;
      this.layer = layer;
      this.timeout = timeout;
    }

    void sendRequest() {
      next = loop.schedule(INTERVAL, this::sendRequest);
      int sequence = sentNanos.size();
      sentNanos.put(sequence, System.nanoTime());
      if (!layer.sendEcho(target, identifier, sequence, ByteBuffer.wrap(DATA))) {
        fail(Reason.NO_ROUTE, null, "the host has no address; give it one or await its lease");
      }
    }

    void answered(int sequence, int ttl) {
      Long sent = sentNanos.get(sequence);
      if (sent != null) {
        Duration roundTrip = Duration.ofNanos(System.nanoTime() - sent);
        result.complete(new Ping(target, roundTrip, ttl, sentNanos.size()));
      }
    }

    void timeUp() {
      if (hopSilent) {
        InetAddress gateway = layer.gatewayTo(target);
        fail(
            layer.silence(),
            null,
            gateway == null
                ? "nobody on the segment has this address"
                : "the gateway %s does not answer %s"
                    .formatted(
                        gateway.getHostAddress(),
                        layer.silence() == Reason.NO_ARP_REPLY
                            ? "ARP"
                            : "neighbour solicitations"));
      } else {
        fail(Reason.NO_REPLY, null, sentNanos.size() + " requests were sent, nothing came back");
      }
    }

    void fail(Reason reason, @Nullable InetAddress reporter, String why) {
      String by = reporter == null ? "" : ", says " + reporter.getHostAddress();
      String message =
          "Ping of %s from %s failed within %s: %s%s"
              .formatted(target.getHostAddress(), host, Deadline.readable(timeout), why, by);
      result.completeExceptionally(new PingFailedException(reason, reporter, message));
    }

    void end() {
      pending.remove(identifier, this);
      if (next != null) {
        next.cancel();
      }
      if (deadline != null) {
        deadline.cancel();
      }
    }
  }
}
