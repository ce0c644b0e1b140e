package org.liminix.process;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A program the testbench needs from the machine it runs on.
 *
 * <pre>{@code
 * Path qemu = Executable.named("qemu-system-mips").fromDebianPackage("qemu-system-mips").find();
 * }</pre>
 *
 * <p>Immutable and thread-safe.
 */
public final class Executable {
  private final String name;
  private final String hint;

  private Executable(String name, String hint) {
    this.name = name;
    this.hint = hint;
  }

  /** A program to be looked up on the PATH, or a path to it. */
  public static Executable named(String name) {
    if (name.isBlank()) {
      throw new IllegalArgumentException("The name of a program cannot be blank");
    }
    return new Executable(name, "");
  }

  /** Adds to the error of {@link #find()} which package brings the program. */
  public Executable fromDebianPackage(String debianPackage) {
    return new Executable(name, "; to install it: apt-get install " + debianPackage);
  }

  /** Where the program is, if this machine has it. */
  public Optional<Path> lookUp() {
    if (name.indexOf(File.separatorChar) >= 0) {
      return Optional.of(Path.of(name)).filter(Executable::canRun);
    }
    String path = Optional.ofNullable(System.getenv("PATH")).orElse("/usr/bin:/bin");
    for (String directory : path.split(File.pathSeparator, -1)) {
      try {
        Path candidate = Path.of(directory).resolve(name);
        if (canRun(candidate)) {
          return Optional.of(candidate.toAbsolutePath());
        }
      } catch (InvalidPathException e) {
        // The shell skips such an entry, too.
      }
    }
    return Optional.empty();
  }

  /**
   * Where the program is.
   *
   * @throws MissingToolException if this machine does not have it; the message says how to get it
   */
  public Path find() {
    return lookUp()
        .orElseThrow(
            () ->
                new MissingToolException(
                    name.indexOf(File.separatorChar) >= 0
                        ? "There is no executable file " + name + hint
                        : name + " is not on the PATH" + hint));
  }

  private static boolean canRun(Path path) {
    return Files.isRegularFile(path) && Files.isExecutable(path);
  }

  @Override
  public String toString() {
    return name;
  }
}
