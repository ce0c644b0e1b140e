package org.liminix.uboot;

import java.util.Map;
import java.util.Set;
import org.liminix.process.Deadline;

/**
 * Runs a line on a U-Boot that lacks line editing or comments, so that noise does not make another
 * of it: the line goes into a variable, is printed from there, which is a second, independent look
 * at what U-Boot holds, and runs from there.
 *
 * <p>What may be damaged without notice, or ended early, is then only what harms nobody: a line
 * that sets a variable, and one that runs it. The first thing the variable does is to delete
 * itself, so nothing runs twice, not even upon an empty line, for which U-Boot would repeat {@code
 * run}.
 */
final class CommandVariable {
  private static final String NAME = "_c";
  private static final String SEMICOLON = "_s";
  private static final String RUN = "run " + NAME;
  private static final int PROBES = 5;

  /** More looks at a variable than noise spoils; then it is U-Boot's parser that changes it. */
  private static final int LOOKS = 10;

  private final LineTyper typer;
  private boolean hush;
  private boolean works;

  CommandVariable(LineTyper typer) {
    this.typer = typer;
  }

  /** From now on lines are typed as they are. */
  void forget() {
    works = false;
  }

  /**
   * Finds out whether this U-Boot has {@code run}.
   *
   * @param withHush whether its parser is hush
   */
  void probe(boolean withHush, Deadline deadline) {
    hush = withHush;
    setSemicolon(deadline);
    for (int i = 0; i < PROBES && !works; i++) {
      if (!store("echo " + NAME, deadline)) {
        return;
      }
      typer.type(RUN, deadline);
      works = typer.enter(deadline) && typer.answers(NAME + "\n");
      if (!works) {
        typer.synchronize(deadline);
      }
    }
  }

  /**
   * Has a line run, by the safest way there is.
   *
   * @return false if it may not have run, because a newline became another character
   */
  boolean execute(String line, Deadline deadline) {
    boolean stored = works && store(line, deadline);
    typer.type(stored ? RUN : line, deadline);
    return typer.enter(deadline);
  }

  /** Puts a line into the variable; false if this U-Boot makes another line of it. */
  private boolean store(String line, Deadline deadline) {
    String value = "setenv %s;%s".formatted(NAME, line);
    String typed = "setenv %1$s %2$s;printenv %1$s".formatted(NAME, escaped(value));
    // The simple parser splits words within quotes, too, and setenv joins them with one blank.
    String joined = value.replaceAll(" +", " ");
    for (int look = 0; look < LOOKS; look++) {
      typer.type(typed, deadline);
      String expected = look % 2 == 0 ? value : joined;
      if (typer.enter(deadline) && typer.answers("%s=%s\n".formatted(NAME, expected))) {
        return true;
      }
      typer.synchronize(deadline);
      setSemicolon(deadline);
    }
    return false;
  }

  /** So that no other semicolon is typed than the one that ends the line with the text. */
  private void setSemicolon(Deadline deadline) {
    if (!hush) {
      typer.type("setenv " + SEMICOLON + " \\;", deadline);
      boolean set = typer.enter(deadline) && typer.answers("");
      if (!set) {
        typer.synchronize(deadline);
      }
    }
  }

  /** The text so that a character too many or too few does not let its second command run. */
  private String escaped(String text) {
    return hush
        // Of an odd number of quotes hush awaits another one.
        ? "'" + text.replace("'", "'\\''") + "'"
        // The simple parser looks for variables after it has looked for semicolons.
        : text.replaceAll("[\\\\$']", "\\\\$0").replace(";", "${" + SEMICOLON + "}");
  }

  /** Leaves out what only this library has put into an environment. */
  static void removeFrom(Map<String, String> environment) {
    environment.keySet().removeAll(Set.of(NAME, SEMICOLON));
  }
}
