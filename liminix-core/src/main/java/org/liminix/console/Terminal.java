package org.liminix.console;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.function.Consumer;

/** What a person sits at: keys come from it, and what is said goes to it. */
interface Terminal extends AutoCloseable {
  /** The most that is read at a time. */
  int CHUNK_BYTES = 4096;

  /** How large its window is. */
  record Size(int rows, int columns) {}

  /** What is typed next, or an empty array at the end; one thread at a time waits for it. */
  byte[] read() throws IOException;

  void write(byte[] bytes) throws IOException;

  /** Has the listener told the size, and each new one, on some other thread. */
  void onSize(Consumer<Size> listener);

  /** Leaves it as it was. Idempotent. */
  @Override
  void close();

  /** Two streams whose modes and size are somebody else's business; they stay open. */
  static Terminal of(InputStream in, OutputStream out) {
    return new Terminal() {
      @Override
      public byte[] read() throws IOException {
        byte[] chunk = new byte[CHUNK_BYTES];
        int count = in.read(chunk);
        return count < 0 ? new byte[0] : Arrays.copyOf(chunk, count);
      }

      @Override
      public void write(byte[] bytes) throws IOException {
        out.write(bytes);
        out.flush();
      }

      @Override
      public void onSize(Consumer<Size> listener) {}

      @Override
      public void close() {}
    };
  }
}
