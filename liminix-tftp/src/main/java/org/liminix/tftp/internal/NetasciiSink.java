package org.liminix.tftp.internal;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Text on its way from a host of another kind: the inverse of {@link NetasciiSource}. */
public final class NetasciiSink implements Sink {
  private final Sink local;
  private boolean returned; // the last byte was a carriage return, not yet written

  public NetasciiSink(Sink local) {
    this.local = local;
  }

  @Override
  public void write(ByteBuffer bytes) throws IOException {
    ByteBuffer plain = ByteBuffer.allocate(bytes.remaining() + 1);
    while (bytes.hasRemaining()) {
      byte next = bytes.get();
      if (returned) {
        returned = false;
        if (next == '\n') {
          plain.put(next);
          continue;
        }
        plain.put((byte) '\r');
        if (next == 0) {
          continue;
        }
      }
      if (next == '\r') {
        returned = true;
      } else {
        plain.put(next);
      }
    }
    local.write(plain.flip());
  }

  @Override
  public void finish() throws IOException {
    if (returned) {
      local.write(ByteBuffer.wrap(new byte[] {'\r'}));
    }
    local.finish();
  }

  @Override
  public void close() throws IOException {
    local.close();
  }
}
