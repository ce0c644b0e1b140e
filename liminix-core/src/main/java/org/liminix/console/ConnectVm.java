package org.liminix.console;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.liminix.process.LiminixException;
import org.liminix.process.RunDirectories;
import org.liminix.process.UnixSocket;

/**
 * The command that joins a machine which some other program runs, as Liminix's {@code connect-vm}
 * does; needs nothing but this module on the class path.
 *
 * <pre>{@code
 * java -cp liminix-core.jar org.liminix.console.ConnectVm [DIRECTORY|NAME]
 * }</pre>
 *
 * <p>See {@link Attachment} for the keys.
 */
public final class ConnectVm {
  private static final String USAGE =
      """
      Usage: connect-vm [DIRECTORY|NAME]           joins a machine: its console, and by ^P its monitor
             connect-vm --list                     lists those that run
             connect-vm --go-on [DIRECTORY|NAME]   lets a paused test go on
      Without a directory, or the name of one, the only machine, or paused test, is meant.
      In a machine ^O leaves, which lets go on what waits for that, and ^] ? lists the other keys.""";

  private ConnectVm() {}

  /** Joins, or does what the options say. */
  public static void main(String[] arguments) {
    try {
      run(List.of(arguments));
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(2);
    } catch (LiminixException e) {
      System.err.println("connect-vm: " + e.getMessage());
      System.exit(1);
    }
  }

  private static void run(List<String> arguments) {
    String option =
        arguments.stream().findFirst().filter(first -> first.startsWith("-")).orElse("");
    List<String> names = option.isEmpty() ? arguments : arguments.subList(1, arguments.size());
    if (names.size() > 1) {
      throw new IllegalArgumentException(USAGE);
    }
    Optional<String> name = names.stream().findFirst();
    switch (option) {
      case "" -> join(find(name, "machine", ConnectVm::runs));
      case "--help" -> System.out.println(USAGE);
      case "--list" -> running(ConnectVm::runs).forEach(System.out::println);
      case "--go-on" -> goOn(find(name, "paused test", ConnectVm::isPaused));
      default -> throw new IllegalArgumentException(USAGE);
    }
  }

  private static void join(Path directory) {
    if (Attachment.to(directory).run() == Departure.LEFT && !Pause.goOn(directory)) {
      RunDirectories.existing().stream()
          .filter(other -> Objects.equals(other.getParent(), directory.getParent()))
          .filter(ConnectVm::isPaused)
          .forEach(paused -> System.out.println("A test is paused until " + goOnCommand(paused)));
    }
  }

  private static void goOn(Path directory) {
    if (!Pause.goOn(directory)) {
      throw new ConsoleException("Nobody waits in " + directory);
    }
  }

  private static Path find(Optional<String> name, String what, Predicate<Path> wanted) {
    if (name.isPresent()) {
      Path directory = Path.of(name.get());
      if (Files.isDirectory(directory) || directory.getNameCount() > 1) {
        return directory.toAbsolutePath().normalize();
      }
    }
    List<Path> found =
        RunDirectories.existing().stream()
            .filter(path -> name.isEmpty() || path.endsWith(name.get()))
            .filter(wanted)
            .toList();
    if (found.size() == 1) {
      return found.get(0);
    }
    String called = what + name.map(text -> " called " + text).orElse("");
    throw new ConsoleException(
        found.isEmpty()
            ? "There is no " + called + " in " + RunDirectories.base() + others(wanted)
            : "There is more than one " + called + ": say which by its directory" + list(found));
  }

  private static String others(Predicate<Path> wanted) {
    List<Path> all = running(wanted);
    return all.isEmpty() ? "" : "; there are" + list(all);
  }

  private static String list(List<Path> directories) {
    return directories.stream().map(path -> "\n    " + path).collect(Collectors.joining());
  }

  private static List<Path> running(Predicate<Path> wanted) {
    return RunDirectories.existing().stream().filter(wanted).toList();
  }

  /** Whether somebody serves its console: those of a program that was killed remain for a while. */
  private static boolean runs(Path directory) {
    try (UnixSocket console = UnixSocket.connect(directory.resolve(Attachment.CONSOLE))) {
      return console.isOpen();
    } catch (IOException e) {
      return false;
    }
  }

  private static boolean isPaused(Path directory) {
    return Files.exists(directory.resolve(Pause.SOCKET));
  }

  /** What joins the machine of that run directory, to be pasted into a shell on this host. */
  public static String command(Path directory) {
    return command("", directory);
  }

  /** What lets go on what is paused in that directory, to be pasted into a shell on this host. */
  public static String goOnCommand(Path directory) {
    return command("--go-on", directory);
  }

  private static String command(String option, Path directory) {
    return Stream.of(program(), option, quoted(directory))
        .filter(word -> !word.isEmpty())
        .collect(Collectors.joining(" "));
  }

  /** The script, where this was built beside it; otherwise what it would run. */
  private static String program() {
    CodeSource source = ConnectVm.class.getProtectionDomain().getCodeSource();
    if (source == null) {
      return "connect-vm";
    }
    try {
      Path classes = Path.of(source.getLocation().toURI());
      Path script = classes.resolve("../../../scripts/connect-vm").normalize();
      return Files.isExecutable(script)
          ? quoted(script)
          : "java -cp " + quoted(classes) + " " + ConnectVm.class.getName();
    } catch (URISyntaxException e) {
      return "connect-vm";
    }
  }

  private static String quoted(Path path) {
    String text = path.toString();
    return text.matches("[\\w./+:@-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
  }
}
