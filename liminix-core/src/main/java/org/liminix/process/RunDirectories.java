package org.liminix.process;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Where the run directories of all JVMs of this user are, for tools that look for what runs.
 *
 * <pre>{@code
 * for (Path directory : RunDirectories.existing()) {
 *   System.out.println(directory.getFileName());
 * }
 * }</pre>
 *
 * <p>Stateless and thread-safe.
 */
public final class RunDirectories {
  private RunDirectories() {}

  /** {@code $XDG_RUNTIME_DIR/liminix}, or {@code /tmp/liminix-USER} where that is not set. */
  public static Path base() {
    return Optional.ofNullable(System.getenv("XDG_RUNTIME_DIR"))
        .map(Path::of)
        .filter(directory -> Files.isDirectory(directory) && Files.isWritable(directory))
        .map(directory -> directory.resolve("liminix"))
        .orElse(Path.of("/tmp", "liminix-" + user()));
  }

  /**
   * Those that {@link RunDirectory#create} made and nobody has removed, sorted. One may belong to a
   * JVM that was killed: whether something runs there, its sockets tell.
   *
   * @throws LiminixException if the {@link #base()} belongs to somebody else or cannot be read
   */
  public static List<Path> existing() {
    Path base = base();
    List<Path> all = new ArrayList<>();
    try {
      if (Files.exists(base, LinkOption.NOFOLLOW_LINKS)) {
        requirePrivate(base);
        for (Path ofJvm : directories(base)) {
          all.addAll(directories(ofJvm));
        }
      }
    } catch (IOException e) {
      throw new LiminixException("Cannot look for run directories in " + base + ": " + e, e);
    }
    Collections.sort(all);
    return all;
  }

  private static List<Path> directories(Path parent) throws IOException {
    List<Path> found = new ArrayList<>();
    try (DirectoryStream<Path> children = Files.newDirectoryStream(parent, Files::isDirectory)) {
      children.forEach(found::add);
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of(); // removed meanwhile
    }
    return found;
  }

  private static String user() {
    return System.getProperty("user.name", "unknown");
  }

  static void requirePrivate(Path base) throws IOException {
    boolean mine =
        Files.isDirectory(base, LinkOption.NOFOLLOW_LINKS)
            && Files.getOwner(base, LinkOption.NOFOLLOW_LINKS).getName().equals(user())
            && Files.getPosixFilePermissions(base, LinkOption.NOFOLLOW_LINKS)
                .equals(PosixFilePermissions.fromString("rwx------"));
    if (!mine) {
      throw new LiminixException(
          base
              + " exists but is not a directory of mode 0700 that belongs to "
              + user()
              + ": remove it, or set XDG_RUNTIME_DIR to a private directory");
    }
  }
}
