package org.liminix.uboot;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.Optional;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.LZMAInputStream;
import org.tukaani.xz.LZMAOutputStream;

/** The {@code .lzma} format: 13 bytes of header, of which the last 8 may say "size unknown". */
final class Lzma {
  private static final int HEADER_SIZE = 13;
  private static final int SIZE_OFFSET = 5;

  /** What the decompressor may allocate, in KiB; the dictionaries of kernels have 8 MiB. */
  private static final int MEMORY_LIMIT = 128 * 1024;

  private static final int MAX_DICTIONARY = 1 << 26;

  private Lzma() {}

  /** As {@code lzma -9} does: best compression, an end marker, no size in the header. */
  static ImageData compress(ImageData data) {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try {
      LZMA2Options options = new LZMA2Options(LZMA2Options.PRESET_MAX);
      options.setDictSize(dictionarySize(data.size()));
      try (LZMAOutputStream out = new LZMAOutputStream(packed, options, -1);
          WritableByteChannel channel = Channels.newChannel(out)) {
        data.writeTo(channel);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return ImageData.of(packed.toByteArray());
  }

  /**
   * One that holds the data, for a larger one would only cost U-Boot memory. Two or three times a
   * power of two, as xz's {@code lzma} takes no other for the beginning of its format.
   */
  private static int dictionarySize(long dataSize) {
    int size = LZMA2Options.DICT_SIZE_MIN;
    while (size < dataSize && size < MAX_DICTIONARY) {
      size = Integer.bitCount(size) == 1 ? size / 2 * 3 : size / 3 * 4;
    }
    return size;
  }

  static Optional<ImageData> tryDecompress(ImageData packed) {
    try (LZMAInputStream in =
        new LZMAInputStream(new ByteArrayInputStream(packed.toByteArray()), MEMORY_LIMIT)) {
      return Optional.of(ImageData.of(in.readAllBytes()));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * How many bytes something unpacks to, so far as its own header or trailer tells; else how many
   * it has.
   */
  static long unpackedSize(Compression compression, ImageData packed) {
    long stated =
        switch (compression) {
          case LZMA ->
              packed.size() < HEADER_SIZE
                  ? -1
                  : littleEndian(packed.slice(SIZE_OFFSET, 8)).getLong();
          // RFC 1952, section 2.3.1: ISIZE.
          case GZIP ->
              packed.size() < 4
                  ? -1
                  : littleEndian(packed.slice(packed.size() - 4, 4)).getInt() & 0xffff_ffffL;
          default -> -1;
        };
    if (stated >= 0) {
      return stated;
    }
    return compression == Compression.LZMA
        ? tryDecompress(packed).map(ImageData::size).orElse(packed.size())
        : packed.size();
  }

  private static ByteBuffer littleEndian(ImageData data) {
    return data.toByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }
}
