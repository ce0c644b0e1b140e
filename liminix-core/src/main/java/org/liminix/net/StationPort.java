package org.liminix.net;

import java.nio.ByteBuffer;

/** The port of an in-process station. */
final class StationPort extends Port implements Station {
  private final FrameHandler handler;

  StationPort(Segment segment, String name, FrameHandler handler) {
    super(segment, name);
    this.handler = handler;
  }

  @Override
  public void send(ByteBuffer frame) {
    if (frame.remaining() > MAX_FRAME) {
      throw new IllegalArgumentException(
          "A frame of " + frame.remaining() + " bytes: at most " + MAX_FRAME + " fit an Ethernet");
    }
    segment.sends().send(this, frame);
  }

  @Override
  void deliver(ByteBuffer frame) {
    handler.received(frame);
  }

  @Override
  public void close() {
    segment.detach(this);
  }

  @Override
  void release() {}

  @Override
  public String toString() {
    return "Station[" + name() + " on " + segment.network() + "]";
  }
}
