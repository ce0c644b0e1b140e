package org.liminix.tftp.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Content collected in memory. */
public final class BytesSink implements Sink {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final long limit;

  /** Takes at most so many bytes. */
  public BytesSink(long limit) {
    this.limit = limit;
  }

  /** What has come. */
  public byte[] toByteArray() {
    return bytes.toByteArray();
  }

  @Override
  public void write(ByteBuffer data) throws IOException {
    if (bytes.size() + (long) data.remaining() > limit) {
      throw new TooLargeException("More than " + limit + " bytes were not expected");
    }
    byte[] chunk = new byte[data.remaining()];
    data.get(chunk);
    bytes.write(chunk, 0, chunk.length);
  }

  @Override
  public void finish() {}

  @Override
  public void close() {}
}
