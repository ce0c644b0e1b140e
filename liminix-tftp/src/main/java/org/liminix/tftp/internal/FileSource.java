package org.liminix.tftp.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A regular file as it was when it was opened. A file renamed over it does not matter: the open one
 * stays readable. One that is truncated or written to is noticed by its size and time of
 * modification, at the latest before the last block is handed out.
 */
public final class FileSource implements Source {
  private static final int CHUNK = 16 * 1024;

  /** Blocks this large are read straight into the packet; smaller ones by way of a chunk. */
  private static final int DIRECT = 8 * 1024;

  /** How much is sent between two looks at a file that might be changing. */
  private static final long LOOK_AFTER = 4 * 1024 * 1024;

  private final Path path;
  private final BasicFileAttributes opened;
  private final FileChannel channel;
  private final BufferPool pool;
  private final long size;
  private long position;
  private long lookedAt;
  private @Nullable ByteBuffer chunk;

  private FileSource(Path path, BasicFileAttributes opened, FileChannel channel, BufferPool pool) {
    this.path = path;
    this.opened = opened;
    this.channel = channel;
    this.pool = pool;
    this.size = opened.size();
  }

  /**
   * Opens a file that was found to be regular: opening a FIFO would wait for its writer.
   *
   * @throws IOException if it cannot be read, or is no regular file
   */
  public static FileSource open(Path path, BufferPool pool) throws IOException {
    while (true) {
      BasicFileAttributes before = attributes(path);
      if (!before.isRegularFile()) {
        throw new IOException(path + " is not a regular file");
      }
      FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
      // The attributes are those of the open file only if nothing was renamed in between.
      BasicFileAttributes after = attributes(path);
      if (same(before, after)) {
        return new FileSource(path, after, channel, pool);
      }
      channel.close();
    }
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void fill(ByteBuffer target) throws IOException {
    int wanted = (int) Math.min(target.remaining(), size - position);
    boolean last = wanted < target.remaining();
    if (wanted >= DIRECT) {
      read(target, wanted);
    } else {
      copy(target, wanted);
    }
    if (last || position - lookedAt >= LOOK_AFTER) {
      lookedAt = position;
      verify();
    }
  }

  private void read(ByteBuffer target, int wanted) throws IOException {
    if (chunk != null && chunk.hasRemaining()) {
      int count = Math.min(chunk.remaining(), wanted);
      move(chunk, target, count);
      wanted -= count;
    }
    int end = target.limit();
    target.limit(target.position() + wanted);
    while (target.hasRemaining()) {
      readAt(target);
    }
    target.limit(end);
  }

  private void copy(ByteBuffer target, int wanted) throws IOException {
    int left = wanted;
    while (left > 0) {
      ByteBuffer from = chunk;
      if (from == null) {
        from = pool.take(CHUNK).limit(0);
        chunk = from;
      }
      if (!from.hasRemaining()) {
        long unread = size - position;
        from.clear().limit((int) Math.min(CHUNK, unread));
        // position counts what was handed out; the chunk holds what lies directly behind it.
        int count = channel.read(from, position);
        if (count <= 0) {
          throw truncated();
        }
        from.flip();
      }
      int count = Math.min(from.remaining(), left);
      move(from, target, count);
      left -= count;
    }
  }

  private void move(ByteBuffer from, ByteBuffer target, int count) {
    int end = from.limit();
    from.limit(from.position() + count);
    target.put(from);
    from.limit(end);
    position += count;
  }

  private void readAt(ByteBuffer target) throws IOException {
    int count = channel.read(target, position);
    if (count <= 0) {
      throw truncated();
    }
    position += count;
  }

  private ContentChangedException truncated() {
    return new ContentChangedException(path.getFileName() + " was truncated while it was sent");
  }

  /** How many bytes were not handed out yet. */
  long remaining() {
    return size - position;
  }

  /** Looks whether the open file is still what was opened. */
  void verify() throws IOException {
    BasicFileAttributes now = current();
    if (now != null && (now.size() != size || !now.lastModifiedTime().equals(modified()))) {
      throw new ContentChangedException(path.getFileName() + " was changed while it was sent");
    }
    if (channel.size() != size) {
      throw truncated();
    }
  }

  private java.nio.file.attribute.FileTime modified() {
    return opened.lastModifiedTime();
  }

  /** What the open file is like now, or null where a file without a name cannot be looked at. */
  private @Nullable BasicFileAttributes current() throws IOException {
    try {
      BasicFileAttributes named = attributes(path);
      if (Objects.equals(named.fileKey(), opened.fileKey())) {
        return named;
      }
    } catch (IOException gone) {
      // Deleted, or renamed: the open file is to be looked at by another way.
    }
    return attributesOfOpenFile();
  }

  private @Nullable BasicFileAttributes attributesOfOpenFile() throws IOException {
    Path descriptors = Path.of("/proc/self/fd");
    if (opened.fileKey() == null || !Files.isDirectory(descriptors)) {
      return null;
    }
    try (DirectoryStream<Path> open = Files.newDirectoryStream(descriptors)) {
      for (Path descriptor : open) {
        try {
          BasicFileAttributes attributes = attributes(descriptor);
          if (Objects.equals(attributes.fileKey(), opened.fileKey())) {
            return attributes;
          }
        } catch (IOException closed) {
          // A descriptor that another thread closed during the listing.
        }
      }
    }
    return null;
  }

  private static BasicFileAttributes attributes(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class);
  }

  private static boolean same(BasicFileAttributes one, BasicFileAttributes other) {
    return Objects.equals(one.fileKey(), other.fileKey())
        && one.size() == other.size()
        && one.lastModifiedTime().equals(other.lastModifiedTime());
  }

  @Override
  public void close() throws IOException {
    if (chunk != null) {
      pool.giveBack(chunk);
      chunk = null;
    }
    channel.close();
  }
}
