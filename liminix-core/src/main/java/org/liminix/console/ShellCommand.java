package org.liminix.console;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;

/**
 * One command of a shell, with a working directory and environment of its own.
 *
 * <pre>{@code
 * shell.command("make image").in("/tmp/source").with("LANG", "C").run().orThrow();
 * }</pre>
 *
 * <p>It runs in a subshell: neither these nor what it changes itself reach later commands. Each
 * option once; not thread-safe. It may be run several times.
 */
public final class ShellCommand {
  private final Shell shell;
  private final String command;
  private final Map<String, String> environment = new LinkedHashMap<>();
  private @Nullable String directory;
  private @Nullable Duration timeout;

  ShellCommand(Shell shell, String command) {
    this.shell = shell;
    this.command = command;
  }

  /** The directory it runs in, relative to the shell's own if it does not begin with a slash. */
  public ShellCommand in(String directory) {
    this.directory = Options.once("directory", this.directory, ShellWords.path(directory));
    return this;
  }

  /**
   * A variable of its environment, whose value may have any characters but NUL.
   *
   * @throws IllegalArgumentException if no variable can have that name
   */
  public ShellCommand with(String variable, String value) {
    add(environment, variable, value);
    return this;
  }

  static void add(Map<String, String> environment, String variable, String value) {
    String name = ShellWords.variable(variable);
    environment.put(name, Options.once("variable " + name, environment.get(name), value));
  }

  /** How long {@link #run} waits for its end; the shell's default timeout unless set. */
  public ShellCommand timeout(Duration timeout) {
    this.timeout = Options.timeout(this.timeout, timeout);
    return this;
  }

  /**
   * Runs it and waits for its end, as {@link Shell#run(String, Duration)} does.
   *
   * @throws CommandFailedException if its directory cannot be changed to
   */
  public CommandResult run() {
    Deadline deadline = deadline();
    String noDirectory = shell.newId();
    CommandResult result =
        shell.execute(
            command,
            "(" + place("echo '@''d" + noDirectory + "'; exit 1") + inside() + ")",
            deadline);
    return directory == null ? result : withDirectory(result, "@d" + noDirectory);
  }

  /**
   * Starts it in the background, with nothing to read; see {@link BackgroundCommand}.
   *
   * @return a handle for it, which the caller closes
   * @throws CommandFailedException if its directory cannot be changed to
   * @throws ConsoleException if the machine has no place for its output or cannot make a FIFO
   */
  public BackgroundCommand start() {
    return BackgroundCommand.start(this, deadline());
  }

  private Deadline deadline() {
    return Deadline.after(timeout == null ? shell.defaultTimeout() : timeout);
  }

  Shell shell() {
    return shell;
  }

  String command() {
    return command;
  }

  /** The commands that change to its directory, and what is done if that fails. */
  String place(String otherwise) {
    return directory == null ? "" : "cd " + directory + " || { " + otherwise + "; }\n";
  }

  /** The command itself in its environment. */
  String inside() {
    return ShellWords.exports(environment) + "command eval " + ShellWords.quote(command);
  }

  /** The result, if the directory could be changed to. */
  CommandResult withDirectory(CommandResult result, String mark) {
    if (result.output().endsWith(mark)) {
      String said = result.output().substring(0, result.output().length() - mark.length());
      throw new CommandFailedException(
          new CommandResult("cd " + directory, result.status(), said.strip()));
    }
    return result;
  }

  @Override
  public String toString() {
    return "ShellCommand[" + command + "]";
  }
}
