package org.liminix.tftp;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One transfer of a {@link TftpServer}, or a request it refused, as it is at the moment of asking.
 *
 * <pre>{@code
 * TftpTransfer kernel = tftp.awaitTransfer("uImage", Duration.ofSeconds(30));
 * assertThat(kernel.retransmits()).isZero();
 * }</pre>
 *
 * <p>Thread-safe; its numbers grow while the transfer runs. Nobody closes it.
 */
public final class TftpTransfer {
  /** How a transfer stands. */
  public enum State {
    /** Under way. */
    RUNNING,
    /** The other side has everything. */
    COMPLETED,
    /** Began, or would have, and went wrong: {@link TftpTransfer#reason()} says how. */
    FAILED,
    /** Not begun: the client is not allowed, or what it asked for is not to be had. */
    REFUSED
  }

  private static final int MOST_REASON = 1000;

  private final TftpRequest request;
  private final long startNanos = System.nanoTime();
  private volatile State state = State.RUNNING;
  private volatile String reason = "";
  private volatile @Nullable TftpError error;
  private volatile long bytes;
  private volatile long size = -1;
  private volatile long endNanos;
  private volatile int retransmits;
  private volatile int blockSize;
  private volatile int window;

  TftpTransfer(TftpRequest request) {
    this.request = request;
  }

  /** What was asked for, and by whom. */
  public TftpRequest request() {
    return request;
  }

  /** The file's name as the client sent it. */
  public String file() {
    return request.file();
  }

  /** How it stands. */
  public State state() {
    return state;
  }

  /** Why it failed or was refused; empty otherwise. */
  public String reason() {
    return reason;
  }

  /** The error that ended it, whichever side sent it. */
  public Optional<TftpError> error() {
    return Optional.ofNullable(error);
  }

  /** How many bytes have arrived at the other side. */
  public long bytes() {
    return bytes;
  }

  /** How many bytes there are, where that is known before the end. */
  public OptionalLong size() {
    return size < 0 ? OptionalLong.empty() : OptionalLong.of(size);
  }

  /** How long it took, or has been under way. */
  public Duration duration() {
    return Duration.ofNanos(
        Math.max(1, (state == State.RUNNING ? System.nanoTime() : endNanos) - startNanos));
  }

  /** The mean rate so far. */
  public double bytesPerSecond() {
    return bytes * 1e9 / duration().toNanos();
  }

  /** How many packets were sent again. */
  public int retransmits() {
    return retransmits;
  }

  /** Bytes in a block, as negotiated. */
  public int blockSize() {
    return blockSize;
  }

  /** Blocks in a window, as negotiated. */
  public int window() {
    return window;
  }

  void terms(int blockSize, int window, long size) {
    this.blockSize = blockSize;
    this.window = window;
    this.size = size;
  }

  void progressed(long bytes) {
    this.bytes = bytes;
  }

  // Only the event loop writes, so reading and writing need not be one step.
  @SuppressWarnings("NonAtomicVolatileUpdate")
  void repeated(int packets) {
    retransmits += packets;
  }

  void ended(State state, @Nullable TftpError error, String reason) {
    this.endNanos = System.nanoTime();
    this.error = error;
    this.reason = TftpRequest.printable(reason, MOST_REASON); // may quote a name or a client
    this.state = state;
  }

  /** One line a person understands. */
  @Override
  public String toString() {
    return switch (state) {
      case RUNNING -> request + ": " + amount() + " so far";
      case COMPLETED -> request + ": " + amount() + terms();
      case FAILED -> request + ": failed after " + amount() + terms() + ": " + reason;
      case REFUSED -> request + ": refused: " + reason;
    };
  }

  private String amount() {
    return Units.bytes(bytes)
        + " in "
        + Units.time(duration())
        + ", "
        + Units.rate(bytesPerSecond());
  }

  private String terms() {
    return " (blksize "
        + blockSize
        + (window > 1 ? ", windowsize " + window : "")
        + (retransmits > 0 ? ", " + retransmits + " sent again" : "")
        + ")";
  }
}
