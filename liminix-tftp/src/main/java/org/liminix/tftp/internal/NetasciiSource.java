package org.liminix.tftp.internal;

import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Text on its way to a host of another kind (RFC 1350 section 5, RFC 764): a line feed becomes
 * carriage return and line feed, a carriage return is followed by a zero.
 */
public final class NetasciiSource implements Source {
  private final Source local;
  private final ByteBuffer plain = ByteBuffer.allocate(4 * 1024).limit(0);
  private boolean ended;
  private int owed = -1; // the second of a pair that did not fit

  public NetasciiSource(Source local) {
    this.local = local;
  }

  /** Not known without reading it all. */
  @Override
  public long size() {
    return -1;
  }

  @Override
  public void fill(ByteBuffer target) throws IOException {
    while (target.hasRemaining()) {
      if (owed >= 0) {
        target.put((byte) owed);
        owed = -1;
      } else if (plain.hasRemaining()) {
        byte next = plain.get();
        if (next == '\n') {
          target.put((byte) '\r');
          owed = '\n';
        } else {
          target.put(next);
          owed = next == '\r' ? 0 : -1;
        }
      } else if (ended) {
        return;
      } else {
        plain.clear();
        local.fill(plain);
        ended = plain.hasRemaining();
        plain.flip();
      }
    }
  }

  @Override
  public void close() throws IOException {
    local.close();
  }
}
