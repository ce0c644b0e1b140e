package org.liminix.tftp.internal;

import java.nio.ByteBuffer;

/** Content that is in memory. */
public final class BytesSource implements Source {
  private final ByteBuffer bytes;
  private final int size;

  /** Sends the array, which is not copied. */
  public BytesSource(byte[] bytes) {
    this.bytes = ByteBuffer.wrap(bytes);
    this.size = bytes.length;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void fill(ByteBuffer target) {
    int count = Math.min(bytes.remaining(), target.remaining());
    target.put(target.position(), bytes, bytes.position(), count);
    target.position(target.position() + count);
    bytes.position(bytes.position() + count);
  }

  @Override
  public void close() {}
}
