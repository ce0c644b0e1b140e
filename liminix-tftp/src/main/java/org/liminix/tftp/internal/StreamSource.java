package org.liminix.tftp.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

/** Content that comes from a stream, such as a file being uncompressed. */
public final class StreamSource implements Source {
  private static final int CHUNK = 8 * 1024;

  private final InputStream stream;
  private final long size;
  private final byte[] chunk = new byte[CHUNK];

  /** Sends what the stream yields; {@code size} is -1 if not known. */
  public StreamSource(InputStream stream, long size) {
    this.stream = stream;
    this.size = size;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void fill(ByteBuffer target) throws IOException {
    while (target.hasRemaining()) {
      int count = stream.read(chunk, 0, Math.min(CHUNK, target.remaining()));
      if (count < 0) {
        return;
      }
      target.put(chunk, 0, count);
    }
  }

  @Override
  public void close() throws IOException {
    stream.close();
  }
}
