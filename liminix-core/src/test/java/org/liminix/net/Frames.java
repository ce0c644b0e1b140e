package org.liminix.net;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Frames with a text for payload, and a handler that keeps the texts it hears. */
final class Frames implements FrameHandler {
  private static final short LOCAL_EXPERIMENTAL = (short) 0x88b5;

  private final BlockingQueue<String> texts = new LinkedBlockingQueue<>();

  static ByteBuffer frame(MacAddress to, MacAddress from, String text) {
    byte[] payload = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer frame = ByteBuffer.allocate(14 + payload.length);
    to.write(frame);
    from.write(frame);
    return frame.putShort(LOCAL_EXPERIMENTAL).put(payload).flip();
  }

  static String text(ByteBuffer frame) {
    return StandardCharsets.UTF_8
        .decode(frame.duplicate().position(frame.position() + 14))
        .toString();
  }

  @Override
  public void received(ByteBuffer frame) {
    texts.add(text(frame));
  }

  /** The next text, or what says that there was none. */
  String next() throws InterruptedException {
    String text = texts.poll(10, TimeUnit.SECONDS);
    return text == null ? "(nothing in ten seconds)" : text;
  }

  boolean isEmpty() {
    return texts.isEmpty();
  }
}
