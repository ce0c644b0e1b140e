package org.liminix.tftp.internal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** What a transfer sends, read once from start to end on the transfer's event loop. */
public interface Source extends Closeable {
  /** How many bytes there are, or -1 if that is known only at the end. */
  long size();

  /**
   * Fills the buffer; leaves room in it only at the end.
   *
   * @throws ContentChangedException if what was read so far is not one content: thrown before the
   *     buffer that holds the end is handed out, so nobody ever completes a mix
   */
  void fill(ByteBuffer target) throws IOException;

  /** Signals a file that was changed while it was being sent. */
  final class ContentChangedException extends IOException {
    private static final long serialVersionUID = 1L;

    public ContentChangedException(String message) {
      super(message);
    }
  }
}
