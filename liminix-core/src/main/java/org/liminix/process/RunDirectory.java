package org.liminix.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A short, private directory for the sockets and logs of something that runs.
 *
 * <p>Short, because the path of a unix socket holds at most 107 bytes; private (mode 0700), because
 * whoever reaches the sockets controls the guest. {@link #create} puts it below {@code
 * $XDG_RUNTIME_DIR/liminix}, or {@code /tmp/liminix-USER} where that is not set; it is removed by
 * {@link #close()}, when the JVM exits, by the {@link SupervisedProcess} that owned it when the JVM
 * was killed, and otherwise by the next JVM that makes one. A directory the caller chose with
 * {@link #at} is made if it is missing and stays.
 *
 * <pre>{@code
 * try (RunDirectory directory = RunDirectory.create("router")) {
 *   Path socket = directory.socket("console");
 * }
 * }</pre>
 *
 * <p>Thread-safe. Closed by whoever created it.
 */
public final class RunDirectory implements AutoCloseable {
  /** {@code sizeof(sockaddr_un.sun_path)} less the terminating NUL, see unix(7). */
  private static final int MAX_SOCKET_PATH_BYTES = 107;

  private static final Logger log = LoggerFactory.getLogger(RunDirectory.class);

  private final Path path;
  private final JvmDirectory.@Nullable Child child;
  private final AtomicBoolean closed = new AtomicBoolean();

  private RunDirectory(Path path, JvmDirectory.@Nullable Child child) {
    this.path = path;
    this.child = child;
  }

  /**
   * Makes a directory of that name, or of that name and a number where the name is taken.
   *
   * @param name what runs there; anything but letters, digits, dots and dashes becomes a dash
   */
  public static RunDirectory create(String name) {
    JvmDirectory.Child child = JvmDirectory.newChild(name.replaceAll("[^A-Za-z0-9.-]+", "-"));
    return new RunDirectory(child.path(), child);
  }

  /**
   * Uses the directory the caller chose; it and its missing parents are made.
   *
   * @throws LiminixException if it cannot be made
   */
  public static RunDirectory at(Path path) {
    Path absolute = path.toAbsolutePath().normalize();
    try {
      if (!Files.isDirectory(absolute)) {
        if (absolute.getParent() != null) {
          Files.createDirectories(absolute.getParent());
        }
        Files.createDirectory(
            absolute,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      }
    } catch (IOException e) {
      throw new LiminixException("Cannot make the run directory " + absolute + ": " + e, e);
    }
    return new RunDirectory(absolute, null);
  }

  /** The directory itself. */
  public Path path() {
    return path;
  }

  /** Whether the directory goes when it is closed, as those of {@link #create} do. */
  public boolean isTemporary() {
    return child != null;
  }

  /** A file in the directory. */
  public Path file(String name) {
    return path.resolve(name);
  }

  /**
   * The path for a unix socket in the directory; a stale one left there is removed.
   *
   * @throws LiminixException if the path is too long for a socket
   */
  public Path socket(String name) {
    Path socket = path.resolve(name);
    int length = socket.toString().getBytes(StandardCharsets.UTF_8).length;
    if (length > MAX_SOCKET_PATH_BYTES) {
      throw new LiminixException(
          "The socket path "
              + socket
              + " has "
              + length
              + " bytes, and the system allows "
              + MAX_SOCKET_PATH_BYTES
              + ": choose a shorter run directory or leave it to the library");
    }
    try {
      Files.deleteIfExists(socket);
    } catch (IOException e) {
      throw new LiminixException("Cannot remove the stale socket " + socket + ": " + e, e);
    }
    return socket;
  }

  /** Removes the directory with all it holds, if {@link #create} made it. Idempotent. */
  @Override
  public void close() {
    if (child != null && closed.compareAndSet(false, true)) {
      child.remove();
    }
  }

  /** Removes a tree without following symbolic links; what has gone meanwhile is no error. */
  static void deleteTree(Path root) {
    try {
      Files.walkFileTree(
          root,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.deleteIfExists(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure)
                throws IOException {
              if (failure instanceof NoSuchFileException) {
                return FileVisitResult.CONTINUE;
              }
              throw failure;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException failure)
                throws IOException {
              Files.deleteIfExists(directory);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException | UncheckedIOException e) {
      log.warn("Could not remove the run directory {}: {}", root, e.toString());
    }
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
