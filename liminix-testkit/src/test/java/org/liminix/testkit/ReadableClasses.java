package org.liminix.testkit;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.liminix.test.ChildJvm;

/** The class path of the library in a place that every user can read. */
final class ReadableClasses {
  private static final List<String> LIBRARIES =
      List.of("guava-", "failureaccess-", "slf4j-api-", "jspecify-", "gson-");

  private ReadableClasses() {}

  private static List<Path> entries() {
    return Stream.of(ChildJvm.classPath().split(File.pathSeparator, -1))
        .map(Path::of)
        .filter(
            path ->
                Files.isDirectory(path)
                    || LIBRARIES.stream().anyMatch(path.getFileName().toString()::startsWith)
                    || path.getFileName().toString().startsWith("liminix-"))
        .distinct()
        .toList();
  }

  static void copyTo(Path target) throws IOException {
    Files.setPosixFilePermissions(
        target, java.nio.file.attribute.PosixFilePermissions.fromString("rwxr-xr-x"));
    List<Path> entries = entries();
    for (int i = 0; i < entries.size(); i++) {
      Path from = entries.get(i);
      Path to = target.resolve(i + (Files.isDirectory(from) ? "" : ".jar"));
      try (Stream<Path> files = Files.walk(from)) {
        for (Path file : files.toList()) {
          Path copy = to.resolve(from.relativize(file).toString());
          Files.copy(file, from.equals(file) ? to : copy);
        }
      }
    }
  }

  static String classPath(Path target) {
    try (Stream<Path> files = Files.list(target)) {
      return files
          .filter(file -> !file.endsWith("dev"))
          .map(Path::toString)
          .collect(Collectors.joining(File.pathSeparator));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void remove(Path target) throws IOException {
    try (Stream<Path> files = Files.walk(target)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
