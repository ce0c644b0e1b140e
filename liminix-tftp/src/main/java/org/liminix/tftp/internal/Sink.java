package org.liminix.tftp.internal;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Where a transfer's data goes. Closing one that was not finished leaves nothing behind. */
public interface Sink extends Closeable {
  /** Appends the bytes from position to limit. */
  void write(ByteBuffer bytes) throws IOException;

  /** Makes the whole content visible. */
  void finish() throws IOException;

  /** Signals content larger than the receiver wants, or has room for. */
  final class TooLargeException extends IOException {
    private static final long serialVersionUID = 1L;

    public TooLargeException(String message) {
      super(message);
    }

    public TooLargeException(String message, IOException cause) {
      super(message, cause);
    }
  }
}
