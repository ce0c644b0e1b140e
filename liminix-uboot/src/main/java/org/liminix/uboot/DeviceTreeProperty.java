package org.liminix.uboot;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A property of a {@link DeviceTreeNode}: a name and bytes, whose type only its reader knows.
 *
 * <pre>{@code
 * DeviceTreeProperty.cells("reg", 0x0, 0x40000000, 0x0, 0x1000).asCells();
 * DeviceTreeProperty.string("status", "okay").asString();
 * }</pre>
 *
 * <p>Immutable and thread-safe. Types: Devicetree Specification 0.4, section 2.2.4.
 */
public final class DeviceTreeProperty {
  private static final int PRINTED = 64;

  private final String name;
  private final ImageData value;
  private final long offset;

  private DeviceTreeProperty(String name, ImageData value, long offset) {
    this.name = name;
    this.value = value;
    this.offset = offset;
  }

  /** A property without a value, true by being there. */
  public static DeviceTreeProperty flag(String name) {
    return bytes(name, ImageData.empty());
  }

  /** One string. */
  public static DeviceTreeProperty string(String name, String value) {
    return strings(name, List.of(value));
  }

  /** A list of strings. */
  public static DeviceTreeProperty strings(String name, List<String> values) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (String value : values) {
      if (value.indexOf('\0') >= 0) {
        throw new IllegalArgumentException("A string of property " + name + " contains a NUL");
      }
      bytes.writeBytes(value.getBytes(StandardCharsets.UTF_8));
      bytes.write(0);
    }
    return bytes(name, ImageData.of(bytes.toByteArray()));
  }

  /** 32-bit cells. */
  public static DeviceTreeProperty cells(String name, long... cells) {
    ByteBuffer bytes = ByteBuffer.allocate(cells.length * 4);
    for (long cell : cells) {
      if (cell < Integer.MIN_VALUE || cell > 0xffff_ffffL) {
        throw new IllegalArgumentException(
            "0x%x of property %s does not fit a 32-bit cell; split it or use u64"
                .formatted(cell, name));
      }
      bytes.putInt((int) cell);
    }
    return bytes(name, ImageData.of(bytes.rewind()));
  }

  /** One 64-bit number. */
  public static DeviceTreeProperty u64(String name, long value) {
    return bytes(name, ImageData.of(ByteBuffer.allocate(8).putLong(0, value)));
  }

  /** Any bytes. */
  public static DeviceTreeProperty bytes(String name, ImageData value) {
    if (name.isEmpty() || name.indexOf('\0') >= 0 || name.indexOf('/') >= 0) {
      throw new IllegalArgumentException("Not the name of a property: \"" + name + '"');
    }
    return new DeviceTreeProperty(name, value, 0);
  }

  /** As it was found in a device tree, however odd its name. */
  static DeviceTreeProperty parsed(String name, ImageData value, long offset) {
    return new DeviceTreeProperty(name, value, offset);
  }

  /** Where the value stands in the file it was read from; 0 if it was not read. */
  long offset() {
    return offset;
  }

  /** The name. */
  public String name() {
    return name;
  }

  /** The value as bytes, which are shared. */
  public ImageData asBytes() {
    return value;
  }

  /**
   * The value as one string.
   *
   * @throws IllegalStateException if it is not exactly one string
   */
  public String asString() {
    List<String> strings = asStrings();
    if (strings.size() != 1) {
      throw mismatch("one string");
    }
    return strings.get(0);
  }

  /**
   * The value as a list of strings.
   *
   * @throws IllegalStateException if the last one has no closing NUL
   */
  public List<String> asStrings() {
    byte[] bytes = value.toByteArray();
    if (bytes.length > 0 && bytes[bytes.length - 1] != 0) {
      throw mismatch("strings, each closed by a NUL");
    }
    List<String> strings = new ArrayList<>();
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        strings.add(new String(bytes, start, i - start, StandardCharsets.UTF_8));
        start = i + 1;
      }
    }
    return List.copyOf(strings);
  }

  /**
   * The value as unsigned 32-bit cells.
   *
   * @throws IllegalStateException if its length is no multiple of 4
   */
  public List<Long> asCells() {
    if (value.size() % 4 != 0) {
      throw mismatch("32-bit cells");
    }
    ByteBuffer bytes = value.toByteBuffer();
    List<Long> cells = new ArrayList<>();
    while (bytes.hasRemaining()) {
      cells.add(bytes.getInt() & 0xffff_ffffL);
    }
    return List.copyOf(cells);
  }

  /**
   * The value as one unsigned 32-bit number.
   *
   * @throws IllegalStateException if it is not 4 bytes long
   */
  public long asU32() {
    if (value.size() != 4) {
      throw mismatch("one 32-bit cell");
    }
    return asCells().get(0);
  }

  /**
   * The value as one 64-bit number.
   *
   * @throws IllegalStateException if it is not 8 bytes long
   */
  public long asU64() {
    if (value.size() != 8) {
      throw mismatch("one 64-bit number");
    }
    return value.toByteBuffer().getLong();
  }

  private IllegalStateException mismatch(String wanted) {
    return new IllegalStateException("Property " + this + " does not hold " + wanted);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof DeviceTreeProperty that
        && name.equals(that.name)
        && value.equals(that.value);
  }

  @Override
  public int hashCode() {
    return Objects.hash(name, value);
  }

  /** The property in the notation of device tree sources, with long values cut short. */
  @Override
  public String toString() {
    if (value.size() == 0) {
      return name;
    }
    byte[] bytes = value.slice(0, Math.min(value.size(), PRINTED)).toByteArray();
    String more = value.size() > PRINTED ? " … (" + value.size() + " bytes)" : "";
    return name + " = " + (isText(bytes) ? '"' + text(bytes) + '"' : hex(bytes)) + more;
  }

  private static boolean isText(byte[] bytes) {
    for (byte b : bytes) {
      if (b != 0 && (b < ' ' || b > '~')) {
        return false;
      }
    }
    return bytes[0] != 0;
  }

  private static String text(byte[] bytes) {
    String text = new String(bytes, StandardCharsets.US_ASCII);
    return (text.endsWith("\0") ? text.substring(0, text.length() - 1) : text)
        .replace("\0", "\", \"");
  }

  private static String hex(byte[] bytes) {
    StringBuilder hex = new StringBuilder("[");
    for (byte b : bytes) {
      hex.append(hex.length() > 1 ? " " : "").append("%02x".formatted(b));
    }
    return hex.append(']').toString();
  }
}
