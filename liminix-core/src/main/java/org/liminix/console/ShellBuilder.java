package org.liminix.console;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;

/**
 * Says how to find the shell on a console, and how it is to be set up.
 *
 * <pre>{@code
 * Shell shell = Shell.on(console).login("root", "secret").in("/tmp").with("LANG", "C").open();
 * }</pre>
 *
 * <p>Each option once; not thread-safe.
 */
public final class ShellBuilder {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  /**
   * A line that begins as the prompts of ash, dash and bash do ({@code # }, {@code / # }, {@code
   * root@router:~# }, {@code [root@router ~]$ }) and not as a kernel message does. Something else
   * may have been written behind it since.
   */
  private static final Pattern DEFAULT_PROMPT =
      Pattern.compile("(?m)^(?!\\[ *\\d+\\.\\d+])[\\w@.:~/()\\[\\] -]{0,60}[#$]( |\\z)");

  /** Not what a shell greets with: {@code Last login: Mon Nov 23}, of which half may have come. */
  private static final Pattern LOGIN = Pattern.compile("(?<!Last )login: ?\\z");

  private static final Pattern PASSWORD = Pattern.compile("(?mi)^password: ?\\z");
  private static final Pattern REFUSED =
      Pattern.compile("(?mi)^Login incorrect.*|(?<!Last )login: ?\\z");

  private static final int LONGEST_PROMPT = 256;

  private final Console console;
  private final Map<String, String> environment = new LinkedHashMap<>();
  private @Nullable Pattern prompt;
  private @Nullable Duration timeout;
  private boolean now;
  private @Nullable String user;
  private @Nullable String password;
  private @Nullable String directory;

  ShellBuilder(Console console) {
    this.console = console;
  }

  /**
   * What the shell shows when it is ready, anywhere in what the console has said so far or says
   * next; unless set, the beginning of a line that looks like a prompt of ash, dash or bash.
   */
  public ShellBuilder prompt(Pattern prompt) {
    if (this.prompt != null || now) {
      throw new IllegalStateException("The prompt has been set already");
    }
    this.prompt = prompt;
    return this;
  }

  /** Waits for no prompt: the shell is ready, or shows none. */
  public ShellBuilder withoutPrompt() {
    if (this.prompt != null || now) {
      throw new IllegalStateException("The prompt has been set already");
    }
    if (user != null) {
      throw new IllegalStateException("A login ends with a prompt: leave one of the two out");
    }
    now = true;
    return this;
  }

  /** Logs in at a {@code login:} without a password. */
  public ShellBuilder login(String user) {
    if (now) {
      throw new IllegalStateException("A login ends with a prompt: leave one of the two out");
    }
    this.user = Options.once("login", this.user, user);
    return this;
  }

  /** Logs in at a {@code login:} and {@code Password:}, unless it asks for none. */
  public ShellBuilder login(String user, String password) {
    ShellBuilder result = login(user);
    this.password = password;
    return result;
  }

  /** The directory that the shell changes to. {@link ShellCommand#in} is for one command. */
  public ShellBuilder in(String directory) {
    this.directory = Options.once("directory", this.directory, ShellWords.path(directory));
    return this;
  }

  /**
   * A variable of the shell's environment. {@link ShellCommand#with} is for one command.
   *
   * @throws IllegalArgumentException if no variable can have that name
   */
  public ShellBuilder with(String variable, String value) {
    ShellCommand.add(environment, variable, value);
    return this;
  }

  /** How long {@link #open} and commands wait that name no timeout; 30 s unless set. */
  public ShellBuilder timeout(Duration timeout) {
    this.timeout = Options.timeout(this.timeout, timeout);
    return this;
  }

  /**
   * Waits for the prompt and makes sure that a shell answers.
   *
   * @throws ConsoleTimeoutException if there is no prompt, or no shell answers, in time; the
   *     message says what the console looks like instead, and what would help
   * @throws ConsoleClosedException if the console ends before
   * @throws ConsoleException if the login is refused, or what answers is no POSIX shell
   * @throws CommandFailedException if the directory or a variable cannot be set
   */
  public Shell open() {
    Duration limit = timeout == null ? DEFAULT_TIMEOUT : timeout;
    Deadline deadline = Deadline.after(limit);
    Shell shell = new Shell(console, limit);
    try {
      awaitPrompt(deadline);
      shell.synchronize(deadline);
    } catch (ConsoleTimeoutException e) {
      throw new ConsoleTimeoutException(
          e.getMessage() + "\n" + PromptAdvice.of(console.consoleText().shown()));
    }
    String setUp = ShellWords.exports(environment);
    if (directory != null) {
      setUp += "cd " + directory;
    }
    if (!setUp.isEmpty()) {
      shell.execute(setUp.strip(), setUp, deadline).orThrow();
    }
    return shell;
  }

  private void awaitPrompt(Deadline deadline) {
    Pattern ready = prompt == null ? DEFAULT_PROMPT : prompt;
    ConsoleText text = console.consoleText();
    if (user != null) {
      logIn(user, ready, deadline);
    } else if (!now && !shows(ready)) {
      text.expect(
          new ConsoleText.Wanted(List.of(ready), LONGEST_PROMPT, false, "a shell prompt"),
          deadline);
    }
  }

  private boolean shows(Pattern pattern) {
    ConsoleText text = console.consoleText();
    return pattern.matcher(text.shown()).find() || pattern.matcher(text.shell()).find();
  }

  private void logIn(String user, Pattern ready, Deadline deadline) {
    if (shows(LOGIN)) {
      console.consoleText().skip("a login");
    } else {
      console.expect(LOGIN, deadline.remaining());
    }
    console.sendLine(user);
    // Behind what was typed, whose echo a prompt such as "$ " may be in.
    Match asked = console.expectAny(deadline.remaining(), PASSWORD, REFUSED, ready);
    if (asked.index() == 0) {
      if (password == null) {
        throw refused(user, "it asks for a password: use login(user, password)");
      }
      console.sendLine(password);
      asked = console.expectAny(deadline.remaining(), PASSWORD, REFUSED, ready);
    }
    if (asked.index() < 2) {
      throw refused(user, "it said: " + asked.text());
    }
  }

  private ConsoleException refused(String user, String why) {
    return new ConsoleException(
        "Console " + console.name() + " does not let " + user + " in; " + why);
  }
}
