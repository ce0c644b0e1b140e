package org.liminix.console;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Says why a serial device cannot be used, and what to do about that. */
final class SerialDeviceFinder {
  // errno(3) of Linux, which jSerialComm passes on.
  private static final int EACCES = 13;
  private static final int EBUSY = 16;
  private static final int EWOULDBLOCK = 11;
  private static final int ENOTTY = 25;

  private static final Path PSEUDO = Path.of("/dev/pts");
  private static final Path MASTER = Path.of("/dev/ptmx");

  private final String path;

  SerialDeviceFinder(String path) {
    this.path = path;
  }

  /** Checks what can be known before it is opened; of a path of this system only. */
  void requireUsable() {
    Path device = Path.of(path);
    if (!device.isAbsolute()) {
      return; // COM3, which only its driver knows
    }
    if (!Files.exists(device)) {
      throw missing();
    }
    if (!Files.isReadable(device) || !Files.isWritable(device)) {
      throw forbidden();
    }
    Optional<String> holder = holder(device);
    if (holder.isPresent()) {
      throw busy(holder.get());
    }
  }

  ConsoleException missing() {
    String there = String.join(", ", candidates());
    return new ConsoleException(
        "There is no serial device "
            + path
            + ": plug it in, or correct the path; there is "
            + (there.isEmpty() ? "none" : there));
  }

  private ConsoleException forbidden() {
    String user = System.getProperty("user.name", "this user");
    return new ConsoleException(
        "%s may not use %s: add the user to the device's group with \"usermod -aG dialout %s\", and log in again"
            .formatted(user, path, user));
  }

  private ConsoleException busy(String holder) {
    return new ConsoleException(
        path + " is in use by " + holder + ": end that first, or the two share its characters");
  }

  /** Why jSerialComm could not open it. */
  ConsoleException notOpened(int errno) {
    return switch (errno) {
      case EACCES -> forbidden();
      case EBUSY, EWOULDBLOCK -> busy(holder(Path.of(path)).orElse("another process, with a lock"));
      case ENOTTY -> new ConsoleException(path + " is no serial device: correct the path");
      default ->
          new ConsoleException(
              "Cannot open %s (error %d): it may be no serial device, or unplugged"
                  .formatted(path, errno));
    };
  }

  private static List<String> candidates() {
    List<String> found = new ArrayList<>();
    for (String glob : List.of("ttyUSB*", "ttyACM*", "ttyAMA*", "ttyS*")) {
      try (DirectoryStream<Path> devices = Files.newDirectoryStream(Path.of("/dev"), glob)) {
        devices.forEach(device -> found.add(device.toString()));
      } catch (IOException e) {
        return found; // no such directory, so no Linux
      }
    }
    return found;
  }

  /** The process that has it open, as far as /proc shows the files of others. */
  private static Optional<String> holder(Path device) {
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      Path real = device.toRealPath();
      return processes
          .filter(process -> process.getFileName().toString().matches("\\d+"))
          .filter(process -> holds(process, real))
          .map(SerialDeviceFinder::describe)
          .findFirst();
    } catch (IOException | UncheckedIOException e) {
      return Optional.empty();
    }
  }

  private static boolean holds(Path process, Path device) {
    try (Stream<Path> files = Files.list(process.resolve("fd"))) {
      Set<Path> open = files.map(SerialDeviceFinder::target).collect(Collectors.toSet());
      // Who makes a pseudo-terminal, socat say, keeps both ends open and reads the other one.
      return open.contains(device) && !(device.startsWith(PSEUDO) && open.contains(MASTER));
    } catch (IOException | UncheckedIOException e) {
      return false; // ended meanwhile, or another user's
    }
  }

  private static Path target(Path file) {
    try {
      return Files.readSymbolicLink(file);
    } catch (IOException e) {
      return file; // closed meanwhile
    }
  }

  private static String describe(Path process) {
    String pid = process.getFileName().toString();
    if (pid.equals(Long.toString(ProcessHandle.current().pid()))) {
      return "this JVM";
    }
    String command;
    try {
      command = Files.readString(process.resolve("comm")).strip();
    } catch (IOException e) {
      command = "a process";
    }
    return command + " (process " + pid + ")";
  }
}
