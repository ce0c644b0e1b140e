package org.liminix.testkit.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * As much of an ELF file as kernels and their modules need: entry point, sections by name, loadable
 * segments. Both word sizes and byte orders (System V ABI, chapters 4 and 5).
 */
final class ElfFile {
  private static final int SHT_NOBITS = 8;
  private static final int PT_LOAD = 1;

  private final ByteBuffer data;
  private final boolean wide;

  private ElfFile(ByteBuffer data, boolean wide) {
    this.data = data;
    this.wide = wide;
  }

  /** A part of the file and the address it is loaded at. */
  record Segment(long address, int offset, int size) {}

  static boolean isElf(byte[] bytes) {
    return bytes.length >= 52
        && bytes[0] == 0x7f
        && bytes[1] == 'E'
        && bytes[2] == 'L'
        && bytes[3] == 'F';
  }

  static ElfFile parse(byte[] bytes) {
    if (!isElf(bytes)) {
      throw new IllegalArgumentException("not an ELF file");
    }
    int fileClass = bytes[4];
    int encoding = bytes[5];
    if (fileClass < 1 || fileClass > 2 || encoding < 1 || encoding > 2) {
      throw new IllegalArgumentException(
          "unknown ELF class " + fileClass + " or byte order " + encoding);
    }
    ByteOrder order = encoding == 1 ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN;
    if (fileClass == 2 && bytes.length < 64) {
      throw new IllegalArgumentException("the ELF header is cut off");
    }
    return new ElfFile(ByteBuffer.wrap(bytes).order(order), fileClass == 2);
  }

  ByteOrder order() {
    return data.order();
  }

  long entry() {
    return wide ? data.getLong(24) : Integer.toUnsignedLong(data.getInt(24));
  }

  /** The bytes of the first section of that name. */
  Optional<ByteBuffer> section(String name) {
    long table = wide ? data.getLong(40) : Integer.toUnsignedLong(data.getInt(32));
    int entrySize = Short.toUnsignedInt(data.getShort(wide ? 58 : 46));
    int count = Short.toUnsignedInt(data.getShort(wide ? 60 : 48));
    int names = Short.toUnsignedInt(data.getShort(wide ? 62 : 50));
    if (count == 0) {
      return Optional.empty();
    }
    ByteBuffer strings = sectionAt(table + (long) names * entrySize);
    for (int i = 0; i < count; i++) {
      long header = table + (long) i * entrySize;
      if (string(strings, data.getInt(checked(header, 4))).equals(name)) {
        return Optional.of(sectionAt(header));
      }
    }
    return Optional.empty();
  }

  /** The first segment that is loaded. */
  Optional<Segment> loadedSegment() {
    long table = wide ? data.getLong(32) : Integer.toUnsignedLong(data.getInt(28));
    int entrySize = Short.toUnsignedInt(data.getShort(wide ? 54 : 42));
    int count = Short.toUnsignedInt(data.getShort(wide ? 56 : 44));
    for (int i = 0; i < count; i++) {
      int header = checked(table + (long) i * entrySize, wide ? 56 : 32);
      if (data.getInt(header) == PT_LOAD) {
        long offset = word(header, 4, 8);
        long address = word(header, 8, 16);
        long size = word(header, 16, 32);
        int checkedOffset = checked(offset, size);
        return Optional.of(new Segment(address, checkedOffset, Math.toIntExact(size)));
      }
    }
    return Optional.empty();
  }

  private ByteBuffer sectionAt(long header) {
    int base = checked(header, wide ? 64 : 40);
    if (data.getInt(base + 4) == SHT_NOBITS) {
      return ByteBuffer.allocate(0).order(data.order());
    }
    long offset = word(base, 16, 24);
    long size = word(base, 20, 32);
    int start = checked(offset, size);
    return data.slice(start, Math.toIntExact(size)).order(data.order());
  }

  private long word(int base, int narrowOffset, int wideOffset) {
    return wide
        ? data.getLong(base + wideOffset)
        : Integer.toUnsignedLong(data.getInt(base + narrowOffset));
  }

  private int checked(long offset, long size) {
    if (offset < 0 || size < 0 || offset > data.limit() - size) {
      throw new IllegalArgumentException(
          "the ELF file is cut off: " + size + " bytes at " + offset + " of " + data.limit());
    }
    return (int) offset;
  }

  private static String string(ByteBuffer table, int offset) {
    if (offset < 0 || offset >= table.limit()) {
      throw new IllegalArgumentException("a section name lies outside the string table");
    }
    int end = offset;
    while (end < table.limit() && table.get(end) != 0) {
      end++;
    }
    byte[] bytes = new byte[end - offset];
    table.get(offset, bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
