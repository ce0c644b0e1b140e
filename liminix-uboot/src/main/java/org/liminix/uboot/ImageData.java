package org.liminix.uboot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;

/**
 * The contents of an image or of a part of one, read-only: bytes in memory, a mapped file, or
 * several of them one after the other.
 *
 * <p>A file is mapped, not read, and slicing or joining copies nothing, so an image of any size is
 * held at most once, by the page cache.
 *
 * <pre>{@code
 * ImageData kernel = ImageData.file(Path.of("vmlinux.bin.lzma"));
 * System.out.printf("%d bytes, CRC %08x%n", kernel.size(), kernel.crc32());
 * }</pre>
 *
 * <p>Immutable and thread-safe, as long as nobody changes the file or array beneath it. Two are
 * equal when they hold the same bytes.
 */
public final class ImageData {
  private static final ByteBuffer ZEROS = ByteBuffer.allocate(0x10000).asReadOnlyBuffer();
  private static final ImageData EMPTY = new ImageData(List.of());

  /** Read-only views, none of them empty, each with its position at 0. */
  private final List<ByteBuffer> pieces;

  private final long size;

  private ImageData(List<ByteBuffer> pieces) {
    this.pieces = pieces;
    this.size = pieces.stream().mapToLong(ByteBuffer::remaining).sum();
  }

  /** No bytes at all. */
  public static ImageData empty() {
    return EMPTY;
  }

  /** The bytes between a buffer's position and its limit, which are not copied. */
  public static ImageData of(ByteBuffer bytes) {
    ByteBuffer view = bytes.slice().asReadOnlyBuffer();
    return view.hasRemaining() ? new ImageData(List.of(view)) : EMPTY;
  }

  /** The bytes of an array, which are not copied. */
  public static ImageData of(byte... bytes) {
    return of(ByteBuffer.wrap(bytes));
  }

  /** A text in UTF-8. */
  public static ImageData of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * A whole file, mapped into memory.
   *
   * @throws IOException if it cannot be read, or holds 2 GiB or more
   */
  public static ImageData file(Path file) throws IOException {
    return of(map(file));
  }

  /** Several contents one after the other. */
  public static ImageData concat(List<ImageData> parts) {
    List<ByteBuffer> all = new ArrayList<>();
    parts.forEach(part -> all.addAll(part.pieces));
    return new ImageData(List.copyOf(all));
  }

  /** Zeros, of which only one block is held however many there are. */
  static ImageData zeros(long count) {
    List<ByteBuffer> blocks = new ArrayList<>();
    for (long left = count; left > 0; left -= ZEROS.remaining()) {
      blocks.add(ZEROS.slice(0, (int) Math.min(left, ZEROS.remaining())));
    }
    return new ImageData(List.copyOf(blocks));
  }

  /** This, and zeros up to the next multiple of a block size. */
  ImageData paddedTo(long blockSize) {
    return concat(List.of(this, zeros(roundUp(size, blockSize) - size)));
  }

  static long roundUp(long size, long blockSize) {
    return (size + blockSize - 1) / blockSize * blockSize;
  }

  static ByteBuffer map(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      if (channel.size() > Integer.MAX_VALUE) {
        throw new IOException(
            file + " holds " + channel.size() + " bytes; images must be smaller than 2 GiB");
      }
      // An empty file cannot be mapped on every platform.
      return channel.size() == 0
          ? ByteBuffer.allocate(0)
          : channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
    }
  }

  /** How many bytes there are. */
  public long size() {
    return size;
  }

  /** Part of this, sharing its bytes. */
  public ImageData slice(long offset, long length) {
    if (offset < 0 || length < 0 || offset > size - length) {
      throw new IndexOutOfBoundsException(
          "bytes " + offset + " to " + (offset + length) + " of " + size);
    }
    List<ByteBuffer> inside = new ArrayList<>();
    long start = 0;
    for (ByteBuffer piece : pieces) {
      long from = Math.max(offset, start);
      long to = Math.min(offset + length, start + piece.remaining());
      if (from < to) {
        inside.add(piece.slice((int) (from - start), (int) (to - from)));
      }
      start += piece.remaining();
    }
    return new ImageData(List.copyOf(inside));
  }

  /** The CRC-32 of all bytes, as U-Boot's {@code crc32} command prints it. */
  public long crc32() {
    CRC32 crc = new CRC32();
    pieces.forEach(piece -> crc.update(piece.duplicate()));
    return crc.getValue();
  }

  /** A digest of all bytes, by its Java name: {@code MD5}, {@code SHA-1}, {@code SHA-256}. */
  public byte[] digest(String algorithm) {
    try {
      MessageDigest digest = MessageDigest.getInstance(algorithm);
      pieces.forEach(piece -> digest.update(piece.duplicate()));
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalArgumentException("This Java knows no digest named " + algorithm, e);
    }
  }

  /** Writes all bytes, however little the channel takes at a time. */
  public void writeTo(WritableByteChannel channel) throws IOException {
    for (ByteBuffer piece : pieces) {
      ByteBuffer rest = piece.duplicate();
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
    }
  }

  /** Writes all bytes into a file, which is created or replaced. */
  public void writeTo(Path file) throws IOException {
    // A mapped file that is truncated while we copy from it would take the JVM down, so the new
    // contents appear beside the old and replace them when complete.
    Path directory = file.toAbsolutePath().getParent();
    Path fresh = Files.createTempFile(directory, "." + file.getFileName(), ".new");
    try {
      try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
        writeTo(channel);
      }
      Files.move(fresh, file, StandardCopyOption.REPLACE_EXISTING);
    } finally {
      Files.deleteIfExists(fresh);
    }
  }

  /** A copy of all bytes. */
  public byte[] toByteArray() {
    byte[] copy = new byte[Math.toIntExact(size)];
    int at = 0;
    for (ByteBuffer piece : pieces) {
      piece.get(0, copy, at, piece.remaining());
      at += piece.remaining();
    }
    return copy;
  }

  /** All bytes as one read-only buffer; copies only where this was joined from several parts. */
  public ByteBuffer toByteBuffer() {
    return switch (pieces.size()) {
      case 0 -> ByteBuffer.allocate(0);
      case 1 -> pieces.get(0).asReadOnlyBuffer();
      default -> ByteBuffer.wrap(toByteArray()).asReadOnlyBuffer();
    };
  }

  @Override
  public boolean equals(Object other) {
    if (!(other instanceof ImageData that) || size != that.size) {
      return false;
    }
    long at = 0;
    while (at < size) {
      ByteBuffer mine = pieceAt(at);
      ByteBuffer theirs = that.pieceAt(at);
      int common = Math.min(mine.remaining(), theirs.remaining());
      if (!mine.slice(mine.position(), common).equals(theirs.slice(theirs.position(), common))) {
        return false;
      }
      at += common;
    }
    return true;
  }

  private ByteBuffer pieceAt(long offset) {
    long start = 0;
    for (ByteBuffer piece : pieces) {
      if (offset < start + piece.remaining()) {
        return piece.duplicate().position((int) (offset - start));
      }
      start += piece.remaining();
    }
    throw new IndexOutOfBoundsException("byte " + offset + " of " + size);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(size) * 31 + Long.hashCode(crc32());
  }

  @Override
  public String toString() {
    byte[] start = slice(0, Math.min(size, 8)).toByteArray();
    return "ImageData[" + size + " bytes, " + HexFormat.of().formatHex(start) + "…]";
  }
}
