package org.liminix.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/**
 * The files of a guest that was booted once, while a machine begins with them. Whether one does is
 * known to all processes by a lock on a file, which is shared among those that use it.
 */
final class BootedGuest implements AutoCloseable {
  static final String STATE = "state";

  /** Made last: the checksum, length and name of each file. */
  private static final String SUMS = "sums";

  private static final int CHUNK_BYTES = 1 << 20;

  /** The lock of each file in use; it is the process's, so that its threads count. */
  private static final Map<Path, Use> USES = new HashMap<>(); // guarded by itself

  private static final class Use {
    private final FileChannel channel;
    private int count = 1;

    private Use(FileChannel channel) {
      this.channel = channel;
    }
  }

  private final Path path;
  private final String sums;
  private final Path useFile;
  private final AtomicBoolean closed = new AtomicBoolean();

  private BootedGuest(Path path, String sums, Path useFile) {
    this.path = path;
    this.sums = sums;
    this.useFile = useFile;
  }

  /** Whether a directory holds all files of a guest; damaged ones perhaps. */
  static boolean isIn(Path directory) {
    return Files.exists(directory.resolve(SUMS)) && Files.exists(directory.resolve(STATE));
  }

  /** Completes a directory whose files are written. */
  static void seal(Path directory) throws IOException {
    Files.writeString(directory.resolve(SUMS), sumsOf(directory));
  }

  /** To be called, as the next one, by whoever has the entry's lock. */
  static BootedGuest use(Path directory, Path useFile) throws IOException {
    String sums = Files.readString(directory.resolve(SUMS));
    synchronized (USES) {
      Use use = USES.get(useFile);
      if (use == null) {
        USES.put(useFile, new Use(lockShared(useFile)));
      } else {
        use.count++;
      }
    }
    return new BootedGuest(directory, sums, useFile);
  }

  private static FileChannel lockShared(Path useFile) throws IOException {
    FileChannel channel =
        FileChannel.open(
            useFile, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    if (channel.tryLock(0, Long.MAX_VALUE, true) == null) {
      channel.close();
      throw new IOException(useFile + " is locked by a program that is not this library");
    }
    return channel;
  }

  static boolean isInUse(Path useFile) throws IOException {
    synchronized (USES) {
      if (USES.containsKey(useFile)) {
        return true;
      }
      try (FileChannel channel = FileChannel.open(useFile, StandardOpenOption.WRITE);
          FileLock lock = channel.tryLock()) {
        return lock == null;
      } catch (NoSuchFileException e) {
        return false; // it was never used
      }
    }
  }

  Path path() {
    return path;
  }

  Path file(String name) {
    return path.resolve(name);
  }

  /** Whether the entry has not been made anew by somebody else. */
  boolean isStillThere() throws IOException {
    return !isIn(path) || Files.readString(path.resolve(SUMS)).equals(sums);
  }

  /** Whether something has happened to the files since they were written, as on a full disk. */
  boolean isDamaged() throws IOException {
    try {
      return !sumsOf(path).equals(sums);
    } catch (NoSuchFileException e) {
      return true;
    }
  }

  private static String sumsOf(Path directory) throws IOException {
    List<Path> files;
    try (Stream<Path> children = Files.list(directory)) {
      files = children.sorted().toList();
    }
    StringBuilder sums = new StringBuilder();
    for (Path file : files) {
      if (!file.getFileName().toString().equals(SUMS)) {
        sums.append(sumOf(file)).append('\n');
      }
    }
    return sums.toString();
  }

  private static String sumOf(Path file) throws IOException {
    CRC32C sum = new CRC32C();
    ByteBuffer chunk = ByteBuffer.allocateDirect(CHUNK_BYTES);
    try (FileChannel channel = FileChannel.open(file)) {
      while (channel.read(chunk.clear()) >= 0) {
        sum.update(chunk.flip());
      }
      return String.format(
          Locale.ROOT, "%08x %d %s", sum.getValue(), channel.size(), file.getFileName());
    }
  }

  /** Ends the use of the files. Idempotent. */
  @Override
  public void close() throws IOException {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    synchronized (USES) {
      Use use = USES.get(useFile);
      if (use != null && --use.count == 0) {
        USES.remove(useFile);
        use.channel.close();
      }
    }
  }

  @Override
  public String toString() {
    return "BootedGuest[" + path + "]";
  }
}
