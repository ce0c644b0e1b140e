package org.liminix.tftp.internal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** A compressed file as what it was before it was compressed. */
public final class GzipSource implements Source {
  private static final int BUFFER = 8 * 1024;

  private final FileSource file;
  private final StreamSource content;

  private GzipSource(FileSource file, long size) throws IOException {
    this.file = file;
    this.content = new StreamSource(new GZIPInputStream(new Bytes(file), BUFFER), size);
  }

  /**
   * Opens a compressed file.
   *
   * @param sized whether the size must be known: then all is uncompressed once to count it, because
   *     the trailer's count ends at 4 GiB and is only that of the last member (RFC 1952)
   */
  public static GzipSource open(Path path, BufferPool pool, boolean sized) throws IOException {
    long size = sized ? count(path, pool) : -1;
    FileSource file = FileSource.open(path, pool);
    try {
      return new GzipSource(file, size);
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  private static long count(Path path, BufferPool pool) throws IOException {
    try (FileSource file = FileSource.open(path, pool);
        InputStream content = new GZIPInputStream(new Bytes(file), BUFFER)) {
      byte[] scratch = new byte[BUFFER];
      long size = 0;
      for (int count = content.read(scratch); count >= 0; count = content.read(scratch)) {
        size += count;
      }
      return size;
    }
  }

  @Override
  public long size() {
    return content.size();
  }

  @Override
  public void fill(ByteBuffer target) throws IOException {
    content.fill(target);
    if (target.hasRemaining()) {
      file.verify();
    }
  }

  @Override
  public void close() throws IOException {
    try (file) {
      content.close();
    }
  }

  /** A file's bytes as a stream. */
  private static final class Bytes extends InputStream {
    private final FileSource file;

    Bytes(FileSource file) {
      this.file = file;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      if (length == 0) {
        return 0;
      }
      ByteBuffer buffer = ByteBuffer.wrap(target, offset, length);
      file.fill(buffer);
      int count = buffer.position() - offset;
      return count == 0 ? -1 : count;
    }

    /** More than none tells the decompressor to look for a further member. */
    @Override
    public int available() {
      return (int) Math.min(Integer.MAX_VALUE, file.remaining());
    }
  }
}
