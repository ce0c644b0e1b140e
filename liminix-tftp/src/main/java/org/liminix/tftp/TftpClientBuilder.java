package org.liminix.tftp;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.liminix.net.DatagramHost;
import org.liminix.tftp.internal.RetryTimer;
import org.liminix.tftp.internal.Wire;

/**
 * What a {@link TftpClient} is to be like. Begun by {@link TftpClient#to(String)}. Not thread-safe.
 */
public final class TftpClientBuilder {
  private static final int DEFAULT_BLOCK_SIZE = 1468;
  private static final int DEFAULT_WINDOW = 8;
  private static final int DEFAULT_RETRIES = 5;
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(1);

  /** The sender repairs first; the receiver only helps where the sender does not. */
  private static final Duration FLOOR = Duration.ofMillis(200);

  private static final Duration CEILING = Duration.ofSeconds(5);

  private final InetSocketAddress server;
  private @Nullable Integer port;
  private @Nullable Integer blockSize;
  private @Nullable Integer window;
  private @Nullable Integer retries;
  private @Nullable Duration timeout;
  private @Nullable Long maxDownload;
  private @Nullable DatagramHost host;
  private boolean plain;
  private boolean netascii;

  TftpClientBuilder(InetSocketAddress server) {
    this.server = Objects.requireNonNull(server);
  }

  /** The port where the server takes requests. */
  public TftpClientBuilder port(int port) {
    once(this.port, "port");
    range(port, 1, 65535, "A port");
    this.port = port;
    return this;
  }

  /** The block size to ask for (RFC 2348), 8 to 65464 bytes; 1468 unless set. */
  public TftpClientBuilder blockSize(int bytes) {
    once(blockSize, "blockSize");
    range(bytes, Wire.MIN_BLOCK_SIZE, Wire.MAX_BLOCK_SIZE, "A block size");
    blockSize = bytes;
    return this;
  }

  /** The window to ask for (RFC 7440), in blocks; 8 unless set. */
  public TftpClientBuilder window(int blocks) {
    once(window, "window");
    range(blocks, 1, 65535, "A window");
    window = blocks;
    return this;
  }

  /** Asks for nothing: RFC 1350 as it was. */
  public TftpClientBuilder withoutOptions() {
    plain = true;
    return this;
  }

  /** Transfers text, with line ends translated, instead of bytes. */
  public TftpClientBuilder netascii() {
    netascii = true;
    return this;
  }

  /** How often a packet is sent again before the server counts as gone; 5 unless set. */
  public TftpClientBuilder retries(int count) {
    once(retries, "retries");
    range(count, 1, 100, "The number of retries");
    retries = count;
    return this;
  }

  /**
   * How long the first answer is waited for; a second unless set. From then on the measured round
   * trip decides, within 200 ms and 5 s.
   */
  public TftpClientBuilder timeout(Duration timeout) {
    once(this.timeout, "timeout");
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("A timeout is longer than " + timeout);
    }
    this.timeout = timeout;
    return this;
  }

  /**
   * The most bytes of a file that is fetched; unless set 1 GiB into memory, and into a file what
   * the disk holds.
   */
  public TftpClientBuilder maxDownload(long bytes) {
    once(maxDownload, "maxDownload");
    if (bytes < 1) {
      throw new IllegalArgumentException("maxDownload(…) takes at least 1 byte, not " + bytes);
    }
    maxDownload = bytes;
    return this;
  }

  /** Lives on a host of an emulated segment. */
  public TftpClientBuilder on(DatagramHost host) {
    once(this.host, "on");
    this.host = Objects.requireNonNull(host);
    return this;
  }

  private static void once(@Nullable Object before, String setter) {
    if (before != null) {
      throw new IllegalStateException(setter + "(…) was already called; decide for one");
    }
  }

  private static void range(int value, int least, int most, String what) {
    if (value < least || value > most) {
      throw new IllegalArgumentException(
          what + " lies between " + least + " and " + most + ", not at " + value);
    }
  }

  /** Makes the client ready; nothing is sent yet. */
  public TftpClient start() {
    if (plain && (blockSize != null || window != null)) {
      throw new IllegalStateException(
          "withoutOptions() conflicts with blockSize(…) and window(…), which are options");
    }
    return TftpClient.start(
        new ClientSpec(
            port == null ? server : new InetSocketAddress(server.getAddress(), port),
            host,
            blockSize == null ? DEFAULT_BLOCK_SIZE : blockSize,
            window == null ? DEFAULT_WINDOW : window,
            plain,
            netascii,
            maxDownload == null ? Long.MAX_VALUE : maxDownload,
            new RetryTimer.Patience(
                timeout == null ? DEFAULT_TIMEOUT : timeout,
                FLOOR,
                CEILING,
                retries == null ? DEFAULT_RETRIES : retries)));
  }
}
