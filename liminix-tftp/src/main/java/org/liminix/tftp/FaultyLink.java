package org.liminix.tftp;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.liminix.net.EventLoop;
import org.liminix.tftp.internal.Link;
import org.liminix.tftp.internal.Wire;

/** A transfer's port behind a bad cable. */
final class FaultyLink implements Link, Link.Handler {
  private final EventLoop loop;
  private final Handler handler;
  private final Link link;
  private final List<TftpFaults.Rule> rules;
  private final List<Loser> losers = new ArrayList<>();
  private final Map<TftpFaults.Packet, Long> counts = new EnumMap<>(TftpFaults.Packet.class);
  private final Deque<Runnable> heldBack = new ArrayDeque<>();
  private boolean stalled;
  private boolean closed;

  private record Loser(TftpFaults.Packet packet, double share, Random random) {}

  FaultyLink(
      EventLoop loop, TftpFaults faults, InetSocketAddress peer, Handler handler, Factory factory) {
    this.loop = loop;
    this.handler = handler;
    this.rules = faults.rules();
    for (TftpFaults.Loss loss : faults.losses()) {
      losers.add(new Loser(loss.packet(), loss.share(), new Random(loss.seed())));
    }
    this.link = factory.open(peer, this);
  }

  @Override
  public InetSocketAddress peer() {
    return link.peer();
  }

  @Override
  public boolean send(ByteBuffer packets, int size) {
    while (packets.hasRemaining()) {
      int length = Math.min(size, packets.remaining());
      ByteBuffer packet = copy(packets.slice(packets.position(), length));
      packets.position(packets.position() + length);
      pass(packet, link::send);
    }
    return true;
  }

  @Override
  public void received(ByteBuffer packet) {
    pass(copy(packet), handler::received);
  }

  /** Where a packet goes unless something happens to it. */
  private interface Way {
    void pass(ByteBuffer packet);
  }

  private void pass(ByteBuffer packet, Way way) {
    TftpFaults.Packet kind = kind(packet);
    if (kind == null) {
      way.pass(packet);
      return;
    }
    long number = counts.merge(kind, 1L, Long::sum);
    List<Runnable> behind = new ArrayList<>(heldBack);
    heldBack.clear();
    if (!stalled && !lost(kind)) {
      meddle(packet, kind, number, way);
    }
    if (!stalled) {
      behind.forEach(Runnable::run);
    }
  }

  private boolean lost(TftpFaults.Packet kind) {
    boolean lost = false;
    for (Loser loser : losers) {
      lost |= loser.packet() == kind && loser.random().nextDouble() < loser.share();
    }
    return lost;
  }

  private void meddle(ByteBuffer packet, TftpFaults.Packet kind, long number, Way way) {
    int copies = 1;
    Duration delay = Duration.ZERO;
    boolean swap = false;
    ByteBuffer passing = packet;
    for (TftpFaults.Rule rule : rules) {
      if (rule.packet() != kind || rule.number() != number) {
        continue;
      }
      TftpFaults.Action action = rule.action();
      if (action instanceof TftpFaults.Action.Drop) {
        copies = 0;
      } else if (action instanceof TftpFaults.Action.Delay late) {
        delay = delay.plus(late.by());
      } else if (action instanceof TftpFaults.Action.Duplicate) {
        copies++;
      } else if (action instanceof TftpFaults.Action.Swap) {
        swap = true;
      } else if (action instanceof TftpFaults.Action.Corrupt) {
        int last = passing.limit() - 1;
        passing.put(last, (byte) ~passing.get(last));
      } else if (action instanceof TftpFaults.Action.Fail failure) {
        passing = Wire.error(failure.error().code(), failure.message());
      } else if (action instanceof TftpFaults.Action.Stall) {
        stalled = true;
        copies = 0;
      } else if (action instanceof TftpFaults.Action.Run run) {
        run.action().run();
      }
    }
    ByteBuffer result = passing;
    int times = copies;
    Runnable delivery =
        () -> {
          for (int i = 0; i < times && !closed; i++) {
            way.pass(result.duplicate());
          }
        };
    if (swap) {
      heldBack.add(delivery);
    } else if (delay.isZero()) {
      delivery.run();
    } else {
      loop.schedule(delay, delivery);
    }
  }

  private static TftpFaults.@Nullable Packet kind(ByteBuffer packet) {
    return switch (Wire.opcode(packet)) {
      case Wire.DATA -> TftpFaults.Packet.DATA;
      case Wire.ACK -> TftpFaults.Packet.ACK;
      case Wire.OACK -> TftpFaults.Packet.OACK;
      case Wire.ERROR -> TftpFaults.Packet.ERROR;
      default -> null;
    };
  }

  private static ByteBuffer copy(ByteBuffer packet) {
    return ByteBuffer.allocate(packet.remaining()).put(packet.duplicate()).flip();
  }

  @Override
  public void strayed(ByteBuffer packet, InetSocketAddress source) {
    handler.strayed(packet, source);
  }

  @Override
  public void unreachable() {
    handler.unreachable();
  }

  @Override
  public void writable() {
    handler.writable();
  }

  @Override
  public void sendTo(ByteBuffer packet, InetSocketAddress destination) {
    link.sendTo(packet, destination);
  }

  @Override
  public void close() {
    closed = true;
    link.close();
  }
}
