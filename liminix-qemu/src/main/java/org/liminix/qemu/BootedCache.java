package org.liminix.qemu;

import com.google.common.hash.Hasher;
import com.google.common.hash.Hashing;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Booted guests by what they were booted from, in {@code booted/} of the cache: {@code state} and
 * an overlay for each disk. Threads and processes share it.
 *
 * <p>Kept is what was used in the last week, and of that the latest 4 GiB; what was used within the
 * hour is left alone, since a machine may be starting from it.
 */
final class BootedCache {
  private static final Logger log = LoggerFactory.getLogger(BootedCache.class);
  private static final Duration MAX_AGE = Duration.ofDays(7);
  private static final Duration IN_USE = Duration.ofHours(1);
  private static final long MAX_BYTES = 4L << 30;

  /** To be raised when the same description is started in another way. */
  private static final int LAYOUT = 1;

  /** A lock on a file is the process's; these are for its threads. */
  private static final Map<Path, ReentrantLock> LOCKS = new ConcurrentHashMap<>();

  /** Content that was hashed once is not read again while the file is the same. */
  private static final Map<List<Object>, String> HASHES = new ConcurrentHashMap<>();

  private final Path root;

  private BootedCache(Path root) {
    this.root = root;
  }

  /** In {@code $XDG_CACHE_HOME/liminix}. A relative path there is to be ignored (XDG, 0.8). */
  static BootedCache ofUser() {
    String base = System.getenv("XDG_CACHE_HOME");
    Path cache =
        base != null && base.startsWith("/")
            ? Path.of(base, "liminix")
            : Path.of(System.getProperty("user.home"), ".cache", "liminix");
    return new BootedCache(cache.resolve("booted"));
  }

  /** Writes the files of an entry into a directory. */
  interface Maker {
    void make(Path directory) throws IOException;
  }

  /** The entry for that key, made now if there is none. */
  Path get(String key, Maker maker) throws IOException {
    Path entry = root.resolve(key);
    if (!touch(entry)) {
      prepare();
      Path lockFile = root.resolve(".locks").resolve(key);
      ReentrantLock lock = LOCKS.computeIfAbsent(lockFile, path -> new ReentrantLock());
      lock.lock();
      try (FileChannel channel =
              FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock held = channel.lock()) {
        if (!touch(entry)) {
          make(entry, maker);
        }
      } finally {
        lock.unlock();
      }
    }
    return entry;
  }

  private static boolean touch(Path entry) throws IOException {
    Path state = entry.resolve("state");
    if (!Files.exists(state)) {
      return false;
    }
    Files.setLastModifiedTime(state, FileTime.from(Instant.now()));
    return true;
  }

  private void prepare() throws IOException {
    if (!Files.isDirectory(root)) {
      Files.createDirectories(root);
      // A guest's memory holds its keys and passwords.
      Files.setPosixFilePermissions(root, PosixFilePermissions.fromString("rwx------"));
    }
    Files.createDirectories(root.resolve(".locks"));
  }

  private void make(Path entry, Maker maker) throws IOException {
    clean();
    Path unfinished = root.resolve("." + entry.getFileName() + ".new");
    deleteTree(unfinished);
    Files.createDirectory(unfinished);
    try {
      maker.make(unfinished);
      deleteTree(entry); // without a state it was half deleted
      Files.move(unfinished, entry, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      deleteTree(unfinished);
    }
  }

  private void clean() throws IOException {
    Instant now = Instant.now();
    List<Path> entries;
    try (Stream<Path> children = Files.list(root)) {
      entries =
          children
              .filter(path -> !path.getFileName().toString().startsWith("."))
              .sorted(Comparator.comparing(BootedCache::lastUse).reversed())
              .toList();
    }
    long bytes = 0;
    for (Path entry : entries) {
      bytes += size(entry);
      Instant used = lastUse(entry);
      boolean tooMuch = bytes > MAX_BYTES && used.isBefore(now.minus(IN_USE));
      if (used.isBefore(now.minus(MAX_AGE)) || tooMuch) {
        log.info("Removing the booted guest {}, last used {}", entry, used);
        deleteTree(entry);
      }
    }
  }

  private static Instant lastUse(Path entry) {
    try {
      return Files.getLastModifiedTime(entry.resolve("state")).toInstant();
    } catch (IOException e) {
      return Instant.EPOCH;
    }
  }

  private static long size(Path entry) throws IOException {
    long bytes = 0;
    try (Stream<Path> files = Files.list(entry)) {
      for (Path file : files.toList()) {
        bytes += Files.size(file);
      }
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

  /** A hash of everything that decides what a booted guest is. */
  static String key(Path program, List<String> commandLine, VmSpec spec, Object ready)
      throws IOException {
    Hasher hasher = Hashing.sha256().newHasher();
    put(hasher, "layout " + LAYOUT);
    Module library = BootedCache.class.getModule();
    put(hasher, library.isNamed() ? library.getDescriptor().rawVersion().orElse("") : "unnamed");
    put(hasher, identity(program.toRealPath()).toString());
    commandLine.forEach(word -> put(hasher, word));
    for (Optional<Path> file : List.of(spec.kernel(), spec.initrd(), spec.rootfs(), spec.uBoot())) {
      put(hasher, file.isPresent() ? contentHash(file.get()) : "none");
    }
    for (Path disk : spec.disks()) {
      put(hasher, contentHash(disk));
    }
    put(hasher, codeOf(ready));
    return hasher.hash().toString().substring(0, 32);
  }

  private static void put(Hasher hasher, String word) {
    hasher.putInt(word.length()).putString(word, StandardCharsets.UTF_8);
  }

  private static List<Object> identity(Path file) throws IOException {
    return List.of(
        file.toString(), Files.size(file), Files.getLastModifiedTime(file), fileKey(file));
  }

  private static Object fileKey(Path file) throws IOException {
    return Files.getAttribute(file, "unix:ino");
  }

  private static String contentHash(Path file) throws IOException {
    List<Object> identity = identity(file.toRealPath());
    String known = HASHES.get(identity);
    if (known == null) {
      known =
          com.google.common.io.Files.asByteSource(file.toFile()).hash(Hashing.sha256()).toString();
      HASHES.put(identity, known);
    }
    return known;
  }

  /** What the code that makes the guest ready is: that of the class it was written in. */
  private static String codeOf(Object ready) throws IOException {
    Class<?> host = ready.getClass().getNestHost();
    String resource = "/" + host.getName().replace('.', '/') + ".class";
    try (InputStream in = host.getResourceAsStream(resource)) {
      return in == null ? host.getName() : Hashing.sha256().hashBytes(in.readAllBytes()).toString();
    }
  }
}
