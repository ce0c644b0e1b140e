package org.liminix.console;

/** A command ended with another exit status than 0; the message has its output. */
public class CommandFailedException extends ConsoleException {
  private static final long serialVersionUID = 1L;

  public CommandFailedException(CommandResult result) {
    super(
        "\""
            + result.command()
            + "\" ended with exit status "
            + result.status()
            + (result.output().isEmpty()
                ? " and no output"
                : " and this output:\n" + result.output().indent(4).stripTrailing()));
  }
}
