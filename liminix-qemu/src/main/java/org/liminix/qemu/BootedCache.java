package org.liminix.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.liminix.process.Deadline;
import org.liminix.process.internal.CacheLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Booted guests by what they were booted from, in {@code booted/} of the cache: {@code state} and
 * an overlay for each disk. Threads and processes share it: the first to ask for a guest boots it,
 * and the others wait.
 *
 * <p>Kept is what was used in the last week, and of that the latest 4 GiB; what a running machine
 * of any process began with stays in any case.
 */
final class BootedCache {
  private static final Logger log = LoggerFactory.getLogger(BootedCache.class);
  private static final Duration MAX_AGE = Duration.ofDays(7);
  private static final long MAX_BYTES = 4L << 30;
  private static final String UNFINISHED = ".new";

  private final Path root;
  private final long maxBytes;

  private BootedCache(Path root, long maxBytes) {
    this.root = root;
    this.maxBytes = maxBytes;
  }

  /** In that cache directory. */
  static BootedCache in(Path cache) {
    return in(cache, MAX_BYTES);
  }

  static BootedCache in(Path cache, long maxBytes) {
    return new BootedCache(cache.resolve("booted"), maxBytes);
  }

  /** {@code $XDG_CACHE_HOME/liminix}. A relative path there is to be ignored (XDG, 0.8). */
  static Path ofUser() {
    String base = System.getenv("XDG_CACHE_HOME");
    return base != null && base.startsWith("/")
        ? Path.of(base, "liminix")
        : Path.of(System.getProperty("user.home"), ".cache", "liminix");
  }

  /** Writes the files of an entry into a directory. */
  interface Maker {
    void make(Path directory) throws IOException;
  }

  /**
   * The entry for that key, made now if there is none. It stays until it is closed, whatever is
   * cleaned meanwhile.
   *
   * @throws org.liminix.process.WaitTimeoutException if others make it for longer than that
   */
  BootedGuest get(String key, Deadline deadline, Maker maker) throws IOException {
    prepare();
    try (CacheLock lock = CacheLock.acquire(lockFile(key), deadline)) {
      Path entry = root.resolve(key);
      if (!BootedGuest.isIn(entry)) {
        clean();
        make(entry, maker);
      }
      Files.setLastModifiedTime(entry.resolve(BootedGuest.STATE), FileTime.from(Instant.now()));
      return BootedGuest.use(entry, useFile(key));
    }
  }

  /** Throws an entry away that cannot be used, unless somebody else has and made it anew. */
  void discard(BootedGuest guest, Deadline deadline) throws IOException {
    Path entry = guest.path();
    try (CacheLock lock = CacheLock.acquire(lockFile(entry.getFileName().toString()), deadline)) {
      if (guest.isStillThere()) {
        deleteTree(entry);
      }
    }
  }

  private Path lockFile(String key) {
    return root.resolve(".locks").resolve(key);
  }

  /**
   * Locked while the entry is in use; another file than that of the lock, see fcntl(2) on close.
   */
  private Path useFile(String key) {
    return root.resolve(".locks").resolve(key + ".used");
  }

  private void prepare() throws IOException {
    if (!Files.isDirectory(root)) {
      Files.createDirectories(root.toAbsolutePath().getParent());
      // A guest's memory holds its keys and passwords.
      Files.createDirectories(
          root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
  }

  private void make(Path entry, Maker maker) throws IOException {
    Path unfinished = root.resolve("." + entry.getFileName() + UNFINISHED);
    deleteTree(unfinished); // somebody's who was killed
    Files.createDirectory(unfinished);
    try {
      maker.make(unfinished);
      BootedGuest.seal(unfinished);
      deleteTree(entry); // what is not sealed was half deleted
      Files.move(unfinished, entry, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      deleteTree(unfinished);
    }
  }

  private void clean() throws IOException {
    Instant oldest = Instant.now().minus(MAX_AGE);
    List<Path> entries;
    try (Stream<Path> children = Files.list(root)) {
      entries = children.sorted(Comparator.comparing(BootedCache::lastUse).reversed()).toList();
    }
    long bytes = 0;
    for (Path entry : entries) {
      String name = entry.getFileName().toString();
      if (name.endsWith(UNFINISHED)) {
        removeUnlessInUse(name.substring(1, name.length() - UNFINISHED.length()), entry);
      } else if (!name.startsWith(".")) {
        bytes += size(entry);
        if (bytes > maxBytes || lastUse(entry).isBefore(oldest)) {
          removeUnlessInUse(name, entry);
        }
      }
    }
  }

  private void removeUnlessInUse(String key, Path entry) throws IOException {
    Optional<CacheLock> lock = CacheLock.tryAcquire(lockFile(key));
    if (lock.isPresent()) {
      try (CacheLock held = lock.get()) {
        if (!BootedGuest.isInUse(useFile(key))) {
          log.info("Removing the booted guest {}, last used {}", entry, lastUse(entry));
          deleteTree(entry);
        }
      }
    }
  }

  private static Instant lastUse(Path entry) {
    try {
      return Files.getLastModifiedTime(entry.resolve(BootedGuest.STATE)).toInstant();
    } catch (IOException e) {
      return Instant.EPOCH;
    }
  }

  /** Of what others remove meanwhile nothing counts. */
  private static long size(Path entry) {
    long bytes = 0;
    try (Stream<Path> files = Files.list(entry)) {
      for (Path file : files.toList()) {
        bytes += Files.size(file);
      }
    } catch (IOException e) {
      log.debug("{} is being removed", entry, e);
    }
    return bytes;
  }

  private static void deleteTree(Path directory) throws IOException {
    if (Files.exists(directory)) {
      try (Stream<Path> files = Files.walk(directory)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    }
  }
}
