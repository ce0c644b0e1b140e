package org.liminix.console;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;

/**
 * A POSIX shell at the other end of a console: busybox ash, dash, bash.
 *
 * <pre>{@code
 * Shell shell = Shell.on(console).open();
 * CommandResult addresses = shell.run("ip -4 address show dev ppp0");
 * String kernel = shell.run("uname -r").orThrow().output();
 * }</pre>
 *
 * <p>A command's output and exit status come from one round trip. Around the command two markers
 * are printed, which are quoted in such a way that the terminal's echo of the input cannot match
 * them, so neither echo, nor prompt, nor line editing is mistaken for output. The command runs in
 * the shell itself: a {@code cd} or a variable stays.
 *
 * <p>Thread-safe: commands of several threads run one after the other. Closing the console ends it.
 */
public final class Shell {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  /**
   * A line that begins as the prompts of ash, dash and bash do ({@code # }, {@code / # }, {@code
   * root@router:~# }, {@code [root@router ~]$ }) and not as a kernel message does. Something else
   * may have been written behind it since.
   */
  private static final Pattern DEFAULT_PROMPT =
      Pattern.compile("(?m)^(?!\\[ *\\d+\\.\\d+])[\\w@.:~/()\\[\\] -]{0,60}[#$]( |\\z)");

  private static final Pattern LOGIN = Pattern.compile("(?m)login: ?\\z");
  private static final Pattern PASSWORD = Pattern.compile("(?mi)^password: ?\\z");
  private static final Pattern REFUSED = Pattern.compile("(?mi)^Login incorrect.*|login: ?\\z");

  /** busybox's line editor takes no line of 1024 bytes or more (FEATURE_EDITING_MAX_LEN). */
  private static final int LONGEST_LINE = 980;

  /** The guest's variable in which a longer command is put together. */
  private static final String LONG_COMMAND = "liminix_command";

  private static final int LONGEST_MARKER = 64;
  private static final int LONGEST_PROMPT = 256;

  private static final Duration FIRST_PATIENCE = Duration.ofMillis(250);

  private final Console console;
  private final ConsoleText text;
  private final Duration defaultTimeout;
  private final String nonce =
      Integer.toString(ThreadLocalRandom.current().nextInt(36 * 36 * 36 * 36), 36);
  private final ReentrantLock running = new ReentrantLock();
  private int commands; // guarded by running
  private boolean abandoned; // guarded by running

  private Shell(Console console, Duration defaultTimeout) {
    this.console = console;
    this.text = console.consoleText();
    this.defaultTimeout = defaultTimeout;
  }

  /** A builder for the shell on a console. */
  public static Builder on(Console console) {
    return new Builder(console);
  }

  /** {@link #run(String, Duration)} with the shell's default timeout. */
  public CommandResult run(String command) {
    return run(command, defaultTimeout);
  }

  /**
   * Runs a command and waits for its end. It may have several lines, here-documents too, and lines
   * longer than line editors take, which are put together in pieces.
   *
   * @return its exit status and output; a status other than 0 is not an error here, see {@link
   *     CommandResult#orThrow()}
   * @throws CommandFailedException if the shell does not take a long line in pieces
   * @throws ConsoleTimeoutException if it does not end in time; {@code ^C} is sent, so that the
   *     shell may be used again
   * @throws ConsoleClosedException if the console ends before
   * @throws KernelException if the kernel fails before or meanwhile
   * @throws WaitInterruptedException if the thread is interrupted; {@code ^C} is sent, too
   */
  public CommandResult run(String command, Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    try {
      running.lockInterruptibly();
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the shell of console " + console.name(), e);
    }
    try {
      return runLocked(command, deadline);
    } finally {
      running.unlock();
    }
  }

  /** {@link #upload(byte[], String, Duration)} with the shell's default timeout. */
  public void upload(byte[] content, String path) {
    upload(content, path, defaultTimeout);
  }

  /**
   * Writes a file over the console, for want of a network: some hundred bytes per round trip, so
   * meant for scripts and keys rather than images. It replaces what is there. The content is
   * checked where it arrives.
   *
   * @throws ConsoleException if the machine has no {@code base64} or {@code md5sum}, or the content
   *     does not arrive intact
   * @throws CommandFailedException if the file cannot be written
   */
  public void upload(byte[] content, String path, Duration timeout) {
    new ShellFiles(this, timeout).upload(content, path);
  }

  /** {@link #download(String, Duration)} with the shell's default timeout. */
  public byte[] download(String path) {
    return download(path, defaultTimeout);
  }

  /**
   * Reads a file over the console, and checks what came. The file must not change meanwhile.
   *
   * @throws ConsoleException if the machine has no {@code base64} or {@code md5sum}, or the content
   *     does not come intact
   * @throws CommandFailedException if the file cannot be read
   */
  public byte[] download(String path, Duration timeout) {
    return new ShellFiles(this, timeout).download(path);
  }

  private CommandResult runLocked(String command, Deadline deadline) {
    if (fits(command)) {
      return type(command, command, deadline);
    }
    String before = "";
    for (int from = 0, to; from < command.length(); from = to) {
      to = Math.min(command.length(), from + LONGEST_LINE);
      while (!fits(assignment(before, command.substring(from, to)))) {
        to = from + (to - from) / 2; // quoted twice, it may be several times as long
      }
      to -= Character.isHighSurrogate(command.charAt(to - 1)) ? 1 : 0;
      String assignment = assignment(before, command.substring(from, to));
      type(assignment, assignment, deadline).orThrow();
      before = "$" + LONG_COMMAND;
    }
    return type(command, "command eval \"$" + LONG_COMMAND + "\"", deadline);
  }

  private static String assignment(String before, String piece) {
    return LONG_COMMAND + "=" + before + ShellFiles.quote(piece);
  }

  private boolean fits(String command) {
    return typed(nonce + "." + commands, command)
        .lines()
        .allMatch(line -> line.length() <= LONGEST_LINE);
  }

  private static String typed(String id, String command) {
    // The two quotes keep the echo of this line from matching the markers. `command` keeps a syntax
    // error from ending the shell, as one in a special built-in would (POSIX XCU 2.8.1).
    return "echo '@''b"
        + id
        + "';command eval "
        + ShellFiles.quote(command)
        + ";echo '@''e"
        + id
        + " '$?'@'";
  }

  private CommandResult type(String command, String typed, Deadline deadline) {
    String id = nonce + "." + ++commands;
    String line = typed(id, typed);
    Pattern begin = Pattern.compile("@b" + Pattern.quote(id) + "\n");
    Pattern end = Pattern.compile("@e" + Pattern.quote(id) + " (\\d+)@");
    String awaited = "the end of \"" + command + "\"";
    if (abandoned) {
      synchronize(deadline);
      abandoned = false;
    }
    text.raisePending(awaited);
    text.withKernel(kernel -> kernel.commandRuns(true));
    try {
      console.sendLine(line);
      expect(begin, deadline, awaited);
      Match match = expect(end, deadline, awaited);
      return new CommandResult(
          command, Integer.parseInt(match.group(1)), withoutFinalNewlines(match.before()));
    } catch (ConsoleTimeoutException | WaitInterruptedException | KernelException e) {
      abandon(e);
      throw e;
    } finally {
      text.withKernel(kernel -> kernel.commandRuns(false));
    }
  }

  private Match expect(Pattern marker, Deadline deadline, String awaited) {
    return text.expect(
        new ConsoleText.Wanted(List.of(marker), LONGEST_MARKER, true, awaited), deadline);
  }

  /**
   * Makes sure that a shell answers: a new one, or one after {@code ^C}. Line editors throw away
   * what is typed while they start or handle that, so the question is put again, less and less
   * often, until it is answered.
   */
  private void synchronize(Deadline deadline) {
    String id = nonce + "." + ++commands;
    Pattern answer = Pattern.compile("@s" + Pattern.quote(id) + "\n");
    for (Duration patience = FIRST_PATIENCE; ; patience = patience.multipliedBy(2)) {
      console.sendLine("echo '@''s" + id + "'");
      boolean last = deadline.remaining().compareTo(patience) <= 0;
      try {
        expect(answer, last ? deadline : Deadline.after(patience), "an answer of the shell");
        return;
      } catch (ConsoleTimeoutException e) {
        if (last) {
          throw e;
        }
      }
    }
  }

  /** Interrupts what runs, so that the next command finds a shell. */
  private void abandon(RuntimeException reason) {
    abandoned = true;
    boolean interrupted = Thread.interrupted();
    try {
      console.send("\u0003");
    } catch (ConsoleException e) {
      reason.addSuppressed(e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static String withoutFinalNewlines(String output) {
    int end = output.length();
    while (end > 0 && output.charAt(end - 1) == '\n') {
      end--;
    }
    return output.substring(0, end);
  }

  @Override
  public String toString() {
    return "Shell[" + console.name() + "]";
  }

  /** Says how to find the shell. Each option once; not thread-safe. */
  public static final class Builder {
    private final Console console;
    private @Nullable Pattern prompt;
    private @Nullable Duration timeout;
    private boolean now;
    private @Nullable String user;
    private @Nullable String password;

    private Builder(Console console) {
      this.console = console;
    }

    /**
     * What the shell shows when it is ready, anywhere in what the console has said so far or says
     * next; unless set, the beginning of a line that looks like a prompt of ash, dash or bash.
     */
    public Builder prompt(Pattern prompt) {
      if (this.prompt != null || now) {
        throw new IllegalStateException("The prompt has been set already");
      }
      this.prompt = prompt;
      return this;
    }

    /** Waits for no prompt: the shell is ready, or shows none. */
    public Builder withoutPrompt() {
      if (this.prompt != null || now) {
        throw new IllegalStateException("The prompt has been set already");
      }
      now = true;
      return this;
    }

    /** Logs in at a {@code login:} without a password. */
    public Builder login(String user) {
      if (this.user != null) {
        throw new IllegalStateException("The login has been set already, for " + this.user);
      }
      this.user = user;
      return this;
    }

    /** Logs in at a {@code login:} and {@code Password:}, unless it asks for none. */
    public Builder login(String user, String password) {
      Builder result = login(user);
      this.password = password;
      return result;
    }

    /** How long {@link #open} and commands wait that name no timeout; 30 s unless set. */
    public Builder timeout(Duration timeout) {
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException("A timeout must be longer than nothing: " + timeout);
      }
      if (this.timeout != null) {
        throw new IllegalStateException("The timeout has been set already, to " + this.timeout);
      }
      this.timeout = timeout;
      return this;
    }

    /**
     * Waits for the prompt and makes sure that a shell answers.
     *
     * @throws ConsoleTimeoutException if there is no prompt, or no shell answers, in time
     * @throws ConsoleClosedException if the console ends before
     * @throws ConsoleException if the login is refused
     */
    public Shell open() {
      Duration limit = timeout == null ? DEFAULT_TIMEOUT : timeout;
      Deadline deadline = Deadline.after(limit);
      Pattern ready = prompt == null ? DEFAULT_PROMPT : prompt;
      ConsoleText text = console.consoleText();
      if (user != null) {
        logIn(user, ready, deadline);
      } else if (!now
          && !ready.matcher(text.shown()).find()
          && !ready.matcher(text.shell()).find()) {
        text.expect(
            new ConsoleText.Wanted(List.of(ready), LONGEST_PROMPT, false, "a shell prompt"),
            deadline);
      }
      Shell shell = new Shell(console, limit);
      shell.synchronize(deadline);
      return shell;
    }

    private void logIn(String user, Pattern ready, Deadline deadline) {
      console.expect(LOGIN, deadline.remaining());
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
}
