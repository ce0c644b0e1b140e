package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** What a line has to carry, and whether it does. */
final class Bytes {
  private Bytes() {}

  static void assertCarries(ByteChannel near, ByteChannel far, byte[] bytes) throws Exception {
    CompletableFuture<byte[]> there =
        CompletableFuture.supplyAsync(() -> received(far, bytes.length));
    CompletableFuture<byte[]> back =
        CompletableFuture.supplyAsync(() -> received(near, bytes.length));
    CompletableFuture<Integer> sent = CompletableFuture.supplyAsync(() -> send(far, bytes));
    assertThat(send(near, bytes)).isEqualTo(bytes.length);
    assertThat(sent.get(100, TimeUnit.SECONDS)).isEqualTo(bytes.length);
    assertThat(there.get(100, TimeUnit.SECONDS)).isEqualTo(bytes);
    assertThat(back.get(100, TimeUnit.SECONDS)).isEqualTo(bytes);
  }

  private static int send(ByteChannel to, byte[] bytes) {
    try {
      return to.write(ByteBuffer.wrap(bytes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] received(ByteChannel from, int count) {
    ByteBuffer buffer = ByteBuffer.allocate(count);
    try {
      while (buffer.hasRemaining() && from.read(buffer) >= 0) {}
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return buffer.array();
  }

  /** A MiB of every byte after every other, CR LF, CR NUL, IAC SE and runs of IAC among them. */
  static byte[] noise() {
    byte[] noise = new byte[1 << 20];
    new Random(2217).nextBytes(noise);
    for (int i = 0; i < 65536; i++) {
      noise[2 * i] = (byte) (i >> 8);
      noise[2 * i + 1] = (byte) i;
    }
    return noise;
  }

  /** How the reading of a line ends, by a thread that begins to read it now. */
  static CompletableFuture<Throwable> endOf(ByteChannel line) {
    CompletableFuture<Throwable> end = new CompletableFuture<>();
    Thread reader =
        new Thread(
            () -> {
              ByteBuffer buffer = ByteBuffer.allocate(64);
              try {
                while (line.read(buffer.clear()) >= 0) {}
                end.completeExceptionally(new AssertionError("The line is at its end"));
              } catch (IOException | RuntimeException e) {
                end.complete(e);
              }
            });
    reader.setDaemon(true);
    reader.start();
    return end;
  }
}
