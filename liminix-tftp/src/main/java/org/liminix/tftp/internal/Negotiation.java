package org.liminix.tftp.internal;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the two sides agreed on (RFC 2347): the terms of one transfer.
 *
 * @param blockSize bytes in each block but the last (RFC 2348)
 * @param window blocks sent before an acknowledgement is awaited (RFC 7440)
 * @param timeout what the client asked for (RFC 2349), or null
 * @param size the whole transfer in bytes as far as the other side said so (RFC 2349), or -1
 * @param answer the options accepted, as the client spelled them, {@code blksize} first: before
 *     2025-02 U-Boot's lwIP client reads only the first option; empty if no OACK is due
 */
public record Negotiation(
    int blockSize, int window, @Nullable Duration timeout, long size, Map<String, String> answer) {

  private static final String BLKSIZE = "blksize";
  private static final String TIMEOUT = "timeout";
  private static final String TSIZE = "tsize";
  private static final String WINDOWSIZE = "windowsize";

  /** The terms of RFC 1350, without options. */
  public static Negotiation none() {
    return new Negotiation(Wire.DEFAULT_BLOCK_SIZE, 1, null, -1, Map.of());
  }

  /**
   * The most a server grants.
   *
   * @param blockSize largest block
   * @param window most blocks in a window
   * @param windowBytes most bytes in a window: what a transfer may hold in memory
   */
  public record Limits(int blockSize, int window, int windowBytes) {
    int windowFor(int size) {
      return Math.max(1, Math.min(window, windowBytes / size));
    }
  }

  /**
   * The server's side: what it can grant it grants, the rest it leaves out of its answer, which is
   * how RFC 2347 says no.
   *
   * @param size what a read will deliver, or -1 if that is not known and goes unanswered; for a
   *     write the answer repeats what the client announced
   */
  public static Negotiation answer(RequestPacket request, long size, Limits limits) {
    Map<String, String> asked = request.options();
    Map<String, String> answer = new LinkedHashMap<>();
    int blockSize = Wire.DEFAULT_BLOCK_SIZE;
    int window = 1;
    Duration timeout = null;
    long announced = -1;

    String name = find(asked, BLKSIZE);
    if (name != null) {
      // A number above the range is clamped: RFC 2348 lets the server answer with less.
      long value = number(asked.get(name));
      if (value >= Wire.MIN_BLOCK_SIZE) {
        blockSize = (int) Math.min(value, Math.min(limits.blockSize(), Wire.MAX_BLOCK_SIZE));
        answer.put(name, Integer.toString(blockSize));
      }
    }
    name = find(asked, WINDOWSIZE);
    if (name != null) {
      long value = number(asked.get(name));
      if (value >= 1) {
        window = (int) Math.min(value, limits.windowFor(blockSize));
        answer.put(name, Integer.toString(window));
      }
    }
    name = find(asked, TIMEOUT);
    if (name != null) {
      long value = number(asked.get(name));
      if (value >= 1 && value <= 255) {
        // To be repeated exactly (RFC 2349); U-Boot refuses any other value.
        timeout = Duration.ofSeconds(value);
        answer.put(name, Long.toString(value));
      }
    }
    name = find(asked, TSIZE);
    if (name != null) {
      long value = number(asked.get(name));
      if (request.opcode() == Wire.WRQ && value >= 0) {
        announced = value;
        answer.put(name, Long.toString(value));
      } else if (request.opcode() == Wire.RRQ && size >= 0 && value >= 0) {
        answer.put(name, Long.toString(size));
      }
    }
    return new Negotiation(blockSize, window, timeout, announced, answer);
  }

  /**
   * The client's side: what of its options the server took.
   *
   * @throws MalformedPacketException if the answer grants what was not asked for
   */
  public static Negotiation accept(ByteBuffer oack, Map<String, String> asked)
      throws MalformedPacketException {
    ByteBuffer rest = oack.duplicate();
    rest.position(rest.position() + 2);
    Map<String, String> granted = RequestPacket.options(rest);
    int blockSize = Wire.DEFAULT_BLOCK_SIZE;
    int window = 1;
    Duration timeout = null;
    long size = -1;
    for (Map.Entry<String, String> option : granted.entrySet()) {
      String name = option.getKey().toLowerCase(Locale.ROOT);
      long value = number(option.getValue());
      String ours = asked.get(name);
      if (ours == null) {
        throw new MalformedPacketException("The server granted " + name + ", which nobody wanted");
      }
      long wanted = number(ours);
      boolean valid =
          switch (name) {
            case BLKSIZE -> value >= Wire.MIN_BLOCK_SIZE && value <= wanted;
            case WINDOWSIZE -> value >= 1 && value <= wanted;
            case TIMEOUT -> value == wanted;
            default -> value >= 0;
          };
      if (!valid) {
        throw new MalformedPacketException(
            "The server granted " + name + " " + option.getValue() + " when asked for " + ours);
      }
      switch (name) {
        case BLKSIZE -> blockSize = (int) value;
        case WINDOWSIZE -> window = (int) value;
        case TIMEOUT -> timeout = Duration.ofSeconds(value);
        default -> size = value;
      }
    }
    return new Negotiation(blockSize, window, timeout, size, granted);
  }

  /** The options a client sends, in lower case and in the order U-Boot and the RFCs use. */
  public static Map<String, String> request(
      int blockSize, int window, @Nullable Duration timeout, long size) {
    Map<String, String> options = new LinkedHashMap<>();
    if (size >= 0) {
      options.put(TSIZE, Long.toString(size));
    }
    if (blockSize != Wire.DEFAULT_BLOCK_SIZE) {
      options.put(BLKSIZE, Integer.toString(blockSize));
    }
    if (window != 1) {
      options.put(WINDOWSIZE, Integer.toString(window));
    }
    if (timeout != null) {
      options.put(TIMEOUT, Long.toString(timeout.toSeconds()));
    }
    return options;
  }

  /** The size that options in lower case announce, or -1. */
  public static long sizeIn(Map<String, String> options) {
    return number(options.get(TSIZE));
  }

  private static @Nullable String find(Map<String, String> asked, String option) {
    for (String name : asked.keySet()) {
      if (name.equalsIgnoreCase(option)) {
        return name;
      }
    }
    return null;
  }

  /** A decimal number without sign, or -1; larger than a long is as large as a long. */
  static long number(@Nullable String text) {
    if (text == null || text.isEmpty()) {
      return -1;
    }
    long value = 0;
    for (int i = 0; i < text.length(); i++) {
      char digit = text.charAt(i);
      if (digit < '0' || digit > '9') {
        return -1;
      }
      value = value > (Long.MAX_VALUE - 9) / 10 ? Long.MAX_VALUE : value * 10 + (digit - '0');
    }
    return value;
  }
}
