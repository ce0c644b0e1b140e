package org.liminix.net;

import java.nio.ByteBuffer;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The address of a station on an Ethernet (IEEE 802 MAC-48), written {@code 52:54:00:12:34:56}.
 *
 * <p>An immutable value.
 */
public final class MacAddress {
  /** The address of everybody. */
  public static final MacAddress BROADCAST = new MacAddress(0xffff_ffff_ffffL);

  /** The length in bytes. */
  public static final int LENGTH = 6;

  private static final long GROUP_BIT = 1L << 40;
  private static final long LOCAL_BIT = 1L << 41;
  private static final String FORM =
      "\\p{XDigit}{1,2}(:\\p{XDigit}{1,2}){5}|\\p{XDigit}{1,2}(-\\p{XDigit}{1,2}){5}";

  private final long value;

  private MacAddress(long value) {
    this.value = value;
  }

  /** The address in the low 48 bits of a number, first byte highest. */
  public static MacAddress of(long value) {
    return new MacAddress(value & BROADCAST.value);
  }

  /** Parses six hexadecimal bytes between colons or hyphens. */
  public static MacAddress parse(String text) {
    if (!Pattern.matches(FORM, text)) {
      throw new IllegalArgumentException(
          "\"" + text + "\" is no MAC address; write one like 52:54:00:12:34:56");
    }
    long value = 0;
    for (String octet : text.split("[:-]", -1)) {
      value = value << 8 | Integer.parseInt(octet, 16);
    }
    return new MacAddress(value);
  }

  /** Reads the next six bytes. */
  public static MacAddress read(ByteBuffer buffer) {
    long high = buffer.getShort() & 0xffffL;
    return new MacAddress(high << 32 | (buffer.getInt() & 0xffff_ffffL));
  }

  /** A random unicast address from the range for local administration, which no vendor owns. */
  public static MacAddress random() {
    long random = ThreadLocalRandom.current().nextLong() & BROADCAST.value;
    return new MacAddress((random | LOCAL_BIT) & ~GROUP_BIT);
  }

  /** Writes its six bytes. */
  public void write(ByteBuffer buffer) {
    buffer.putShort((short) (value >> 32)).putInt((int) value);
  }

  /** The address as a number, first byte highest. */
  public long toLong() {
    return value;
  }

  /** Whether it names a group of stations, of which {@link #BROADCAST} is one. */
  public boolean isMulticast() {
    return (value & GROUP_BIT) != 0;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof MacAddress that && value == that.value;
  }

  @Override
  public int hashCode() {
    return Long.hashCode(value);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(17);
    for (int shift = 40; shift >= 0; shift -= 8) {
      text.append(Character.forDigit((int) (value >> (shift + 4)) & 0xf, 16));
      text.append(Character.forDigit((int) (value >> shift) & 0xf, 16));
      if (shift > 0) {
        text.append(':');
      }
    }
    return text.toString();
  }
}
