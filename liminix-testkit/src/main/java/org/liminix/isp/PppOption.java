package org.liminix.isp;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One option of a Configure packet (RFC 1661 section 6).
 *
 * @param type its number in the protocol that negotiates
 * @param data read-only; use {@link #intValue}, {@link #shortValue} or a duplicate
 */
record PppOption(int type, ByteBuffer data) {
  private static final int HEADER = 2;

  static PppOption of(int type, byte... data) {
    return new PppOption(type, ByteBuffer.wrap(data).asReadOnlyBuffer());
  }

  static PppOption ofInt(int type, int value) {
    return new PppOption(
        type, ByteBuffer.allocate(Integer.BYTES).putInt(value).flip().asReadOnlyBuffer());
  }

  static PppOption ofShort(int type, int value) {
    return new PppOption(
        type, ByteBuffer.allocate(Short.BYTES).putShort((short) value).flip().asReadOnlyBuffer());
  }

  boolean isInt() {
    return data.remaining() == Integer.BYTES;
  }

  boolean isShort() {
    return data.remaining() == Short.BYTES;
  }

  int intValue() {
    return data.getInt(0);
  }

  int shortValue() {
    return Short.toUnsignedInt(data.getShort(0));
  }

  /** Parses all that is left in the buffer; empty if it is no sequence of options. */
  static Optional<List<PppOption>> parse(ByteBuffer options) {
    ByteBuffer rest = options.duplicate();
    List<PppOption> parsed = new ArrayList<>();
    while (rest.hasRemaining()) {
      if (rest.remaining() < HEADER) {
        return Optional.empty();
      }
      int type = Byte.toUnsignedInt(rest.get());
      int length = Byte.toUnsignedInt(rest.get()) - HEADER;
      if (length < 0 || length > rest.remaining()) {
        return Optional.empty();
      }
      byte[] data = new byte[length];
      rest.get(data);
      parsed.add(of(type, data));
    }
    return Optional.of(parsed);
  }

  static void putAll(ByteBuffer out, List<PppOption> options) {
    for (PppOption option : options) {
      out.put((byte) option.type).put((byte) (HEADER + option.data.remaining()));
      out.put(option.data.duplicate());
    }
  }
}
