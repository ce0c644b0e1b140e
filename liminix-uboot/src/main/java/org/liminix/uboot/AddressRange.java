package org.liminix.uboot;

/**
 * A range of addresses or offsets, in bytes.
 *
 * <pre>{@code
 * AddressRange ram = new AddressRange(0x80000000L, 0x8000000);
 * boolean fits = ram.contains(new AddressRange(0x81000000L, kernel.size()));
 * }</pre>
 *
 * <p>Immutable and thread-safe.
 *
 * @param start the first address
 * @param size how many bytes; may be 0
 */
public record AddressRange(long start, long size) {
  /** Checks that the range neither begins nor ends out of bounds. */
  public AddressRange {
    if (start < 0 || size < 0 || start > Long.MAX_VALUE - size) {
      throw new IllegalArgumentException(
          "0x%x bytes at 0x%x are not a range of 63-bit addresses".formatted(size, start));
    }
  }

  /** The range between two addresses, the second of which is the first one outside. */
  public static AddressRange between(long start, long end) {
    return new AddressRange(start, end - start);
  }

  /** The first address after the range. */
  public long end() {
    return start + size;
  }

  /** Whether the other range lies in this one. */
  public boolean contains(AddressRange other) {
    return start <= other.start && other.end() <= end();
  }

  /** Whether the two share a byte. */
  public boolean overlaps(AddressRange other) {
    return size > 0 && other.size > 0 && start < other.end() && other.start < end();
  }

  /** The range in hexadecimal, the end being the first address outside. */
  @Override
  public String toString() {
    return "0x%x..0x%x".formatted(start, end());
  }
}
