package org.liminix.isp;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.liminix.isp.IspFaults.Stage;
import org.liminix.isp.Pppoe.Tag;
import org.liminix.net.EventLoop;

/** The {@link IspFaults} of the moment, as they come about. Confined to the loop. */
final class Misbehaviour {
  private final EventLoop loop;
  private volatile IspFaults faults;
  private boolean lineDown;
  private boolean closed;
  private EventLoop.@Nullable Timer flap;

  Misbehaviour(EventLoop loop, IspFaults faults) {
    this.loop = loop;
    this.faults = faults;
    change(faults);
  }

  /** What is wrong at the moment. From any thread. */
  IspFaults faults() {
    return faults;
  }

  void change(IspFaults next) {
    stop();
    faults = next;
    Duration up = next.settings.up;
    Duration down = next.settings.down;
    if (up != null && down != null) {
      flap = loop.schedule(up, () -> flap(true, up, down));
    }
  }

  private void flap(boolean nowDown, Duration up, Duration down) {
    lineDown = nowDown;
    flap = loop.schedule(nowDown ? down : up, () -> flap(!nowDown, up, down));
  }

  private void stop() {
    lineDown = false;
    if (flap != null) {
      flap.cancel();
    }
  }

  /** What is delayed does not come any more. */
  void close() {
    stop();
    closed = true;
  }

  /** Whether nothing gets to the clients or comes from them. */
  boolean isLineDown() {
    return lineDown;
  }

  /** Lets the ISP see to what a client wants: at once, late or never. */
  void at(Stage stage, Runnable deed) {
    Duration delay = faults.settings.delays.get(stage);
    if (faults.settings.silent.contains(stage)) {
      return;
    }
    if (delay == null) {
      deed.run();
    } else {
      var unused =
          loop.schedule(
              delay,
              () -> {
                if (!closed) {
                  deed.run();
                }
              });
    }
  }

  /** Hands a link what its client sent: at once, late or never. */
  void receive(PppLink link, ByteBuffer frame) {
    Optional<Stage> stage =
        isGood() || frame.remaining() < Short.BYTES
            ? Optional.empty()
            : Stage.of(
                Short.toUnsignedInt(frame.getShort(frame.position())),
                frame.duplicate().position(frame.position() + Short.BYTES));
    if (stage.isEmpty()) {
      link.received(frame);
    } else if (faults.settings.delays.containsKey(stage.get())) {
      ByteBuffer copy = ByteBuffer.allocate(frame.remaining()).put(frame).flip();
      at(stage.get(), () -> link.received(copy));
    } else {
      at(stage.get(), () -> link.received(frame));
    }
  }

  private boolean isGood() {
    return faults.settings.silent.isEmpty() && faults.settings.delays.isEmpty();
  }

  /** Whether the ISP says this to a client. */
  boolean says(int protocol, ByteBuffer packet) {
    return faults.settings.silent.isEmpty()
        || Stage.of(protocol, packet)
            .filter(stage -> stage != Stage.ECHO)
            .filter(faults.settings.silent::contains)
            .isEmpty();
  }

  Optional<String> onlyService() {
    return Optional.ofNullable(faults.settings.service);
  }

  Optional<Tag> sessionRefusal() {
    return Optional.ofNullable(faults.settings.refusal);
  }

  boolean refusesAuthentication() {
    return faults.settings.refuseAuthentication;
  }

  boolean hasNoAddresses() {
    return faults.settings.noAddresses;
  }

  boolean swallows(ByteBuffer packet) {
    return packet.remaining() > faults.settings.longest;
  }

  /** Hangs up on sessions whose time has come. */
  void planHangUp(List<PppLink> opened) {
    Duration after = faults.settings.hangUp;
    IspFaults planned = faults;
    if (after != null) {
      for (PppLink link : opened) {
        var unused =
            loop.schedule(
                after,
                () -> {
                  if (planned == faults) {
                    link.drop();
                  }
                });
      }
    }
  }
}
