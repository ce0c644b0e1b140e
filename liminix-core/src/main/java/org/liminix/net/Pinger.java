package org.liminix.net;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.liminix.net.PingFailedException.Reason;
import org.liminix.net.internal.Futures;
import org.liminix.net.internal.Icmp;
import org.liminix.net.internal.Ipv4;
import org.liminix.net.internal.Ipv4Interface;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.process.Deadline;

/** The pings under way from an in-process host. Confined to the loop. */
final class Pinger {
  /** As ping(8) does. */
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  private static final byte[] DATA = new byte[56];

  private final EventLoop loop;
  private final Ipv4Interface card;
  private final String host;
  private final Map<Integer, Pending> pending = new HashMap<>();
  private final ByteBuffer packet = ByteBuffer.allocate(Ipv4.HEADER + Icmp.HEADER + DATA.length);
  private int nextIdentifier = (int) System.nanoTime() & 0xffff;

  Pinger(EventLoop loop, Ipv4Interface card, String host) {
    this.loop = loop;
    this.card = card;
    this.host = host;
  }

  /** Sends requests until one is answered, an error comes or the time is up. */
  CompletableFuture<Ping> ping(int target, Duration timeout) {
    Pending ping = new Pending(target, timeout);
    pending.put(ping.identifier, ping);
    Futures.whenDone(ping.result, (reply, failure) -> ping.end());
    ping.deadline = loop.schedule(timeout, ping::timeUp);
    ping.sendRequest();
    return ping.result;
  }

  /** An echo reply, whose ICMP header begins at the index. */
  void reply(ByteBuffer ip, int icmp) {
    Pending ping = pending.get(Short.toUnsignedInt(ip.getShort(icmp + 4)));
    if (ping != null && Ipv4.source(ip) == ping.target) {
      ping.answered(Short.toUnsignedInt(ip.getShort(icmp + 6)), Ipv4.ttl(ip));
    }
  }

  /** An ICMP error, whose header begins at the index: about one of our requests, maybe. */
  void error(ByteBuffer ip, int icmp) {
    ByteBuffer quoted = ip.duplicate().position(icmp + Icmp.HEADER);
    if (quoted.remaining() < Ipv4.HEADER) {
      return;
    }
    int request = quoted.position() + Ipv4.headerLength(quoted);
    if (Ipv4.protocol(quoted) == Ipv4.ICMP
        && quoted.limit() - request >= Icmp.HEADER
        && quoted.get(request) == Icmp.ECHO_REQUEST) {
      Pending ping = pending.get(Short.toUnsignedInt(quoted.getShort(request + 4)));
      if (ping != null && Ipv4.destination(quoted) == ping.target) {
        boolean expired = ip.get(icmp) == Icmp.TIME_EXCEEDED;
        ping.fail(
            expired ? Reason.TIME_EXCEEDED : Reason.UNREACHABLE,
            Ipv4.source(ip),
            expired
                ? "its time to live ended, as in a routing loop"
                : "unreachable (ICMP code " + ip.get(icmp + 1) + ")");
      }
    }
  }

  /** A packet of ours could not be sent: a request, maybe. */
  void unsent(ByteBuffer ip, boolean noRoute) {
    int icmp = ip.position() + Ipv4.headerLength(ip);
    if (Ipv4.protocol(ip) != Ipv4.ICMP || ip.get(icmp) != Icmp.ECHO_REQUEST) {
      return;
    }
    Pending ping = pending.get(Short.toUnsignedInt(ip.getShort(icmp + 4)));
    if (ping == null) {
      return;
    }
    if (noRoute) {
      ping.fail(
          Reason.NO_ROUTE, null, "no route from %s; give it a gateway".formatted(card.address()));
    } else {
      ping.hopSilent = true; // it may yet come up: the next request asks again
    }
  }

  private final class Pending {
    private final int identifier;
    private final int target;
    private final Duration timeout;
    private final CompletableFuture<Ping> result = new CompletableFuture<>();
    private final Map<Integer, Long> sentNanos = new HashMap<>();
    private EventLoop.@Nullable Timer next;
    private EventLoop.@Nullable Timer deadline;
    private boolean hopSilent;

    Pending(int target, Duration timeout) {
      while (pending.containsKey(nextIdentifier)) {
        nextIdentifier = (nextIdentifier + 1) & 0xffff;
      }
      this.identifier = nextIdentifier;
      nextIdentifier = (nextIdentifier + 1) & 0xffff;
      this.target = target;
      this.timeout = timeout;
    }

    void sendRequest() {
      Ipv4Prefix own = card.address();
      if (own == null) {
        fail(Reason.NO_ROUTE, null, "the host has no address; give it one or await its lease");
        return;
      }
      next = loop.schedule(INTERVAL, this::sendRequest);
      int sequence = sentNanos.size();
      packet.clear();
      int length = Icmp.HEADER + DATA.length;
      Ipv4.putHeader(packet, own.address(), target, Ipv4.ICMP, sequence, length);
      Icmp.putEcho(packet, Icmp.ECHO_REQUEST, identifier, sequence, ByteBuffer.wrap(DATA));
      sentNanos.put(sequence, System.nanoTime());
      card.send(packet.flip());
    }

    void answered(int sequence, int ttl) {
      Long sent = sentNanos.get(sequence);
      if (sent != null) {
        Duration roundTrip = Duration.ofNanos(System.nanoTime() - sent);
        result.complete(new Ping(Ipv4.toInet(target), roundTrip, ttl, sentNanos.size()));
      }
    }

    void timeUp() {
      Ipv4Prefix own = card.address();
      if (hopSilent && own != null) {
        Integer gateway = own.contains(target) ? null : card.gateway();
        fail(
            Reason.NO_ARP_REPLY,
            null,
            gateway == null
                ? "nobody on the segment has this address"
                : "the gateway " + Ipv4.toString(gateway) + " does not answer ARP");
      } else {
        fail(Reason.NO_REPLY, null, sentNanos.size() + " requests were sent, nothing came back");
      }
    }

    void fail(Reason reason, @Nullable Integer reporter, String why) {
      String by = reporter == null ? "" : ", says " + Ipv4.toString(reporter);
      String message =
          "Ping of %s from %s failed within %s: %s%s"
              .formatted(Ipv4.toString(target), host, Deadline.readable(timeout), why, by);
      result.completeExceptionally(
          new PingFailedException(
              reason, reporter == null ? null : Ipv4.toInet(reporter), message));
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
