package org.liminix.console;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;

/**
 * A POSIX shell at the other end of a console: busybox ash, dash, bash.
 *
 * <pre>{@code
 * Shell shell = Shell.on(console).open();
 * CommandResult addresses = shell.run("ip -4 address show dev ppp0");
 * String kernel = shell.run("uname -r").orThrow().output();
 * shell.command("make").in("/tmp/source").with("LANG", "C").run().orThrow();
 * try (BackgroundCommand dump = shell.start("tcpdump -c 1 -i eth0 icmp")) {
 *   shell.run("ping -c 1 10.0.0.1");
 *   String seen = dump.await(Duration.ofSeconds(10)).output();
 * }
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
  /** busybox's line editor takes no line of 1024 bytes or more (FEATURE_EDITING_MAX_LEN). */
  private static final int LONGEST_LINE = 980;

  /** The guest's variable in which a longer command is put together. */
  private static final String LONG_COMMAND = "liminix_command";

  private static final int LONGEST_MARKER = 64;

  private static final Duration FIRST_PATIENCE = Duration.ofMillis(250);

  private final Console console;
  private final ConsoleText text;
  private final Duration defaultTimeout;
  private final ShellFiles files = new ShellFiles(this);
  private final String nonce =
      Integer.toString(ThreadLocalRandom.current().nextInt(36 * 36, 36 * 36 * 36), 36);
  private final Pattern news = Pattern.compile(Pattern.quote(newsWord("")) + "\\d+ \\d(\n|\\z)");
  private final ReentrantLock running = new ReentrantLock();
  private volatile String current = "";
  private int commands; // guarded by running
  private boolean abandoned; // guarded by running

  Shell(Console console, Duration defaultTimeout) {
    this.console = console;
    this.text = console.consoleText();
    this.defaultTimeout = defaultTimeout;
  }

  /** A builder for the shell on a console. */
  public static ShellBuilder on(Console console) {
    return new ShellBuilder(console);
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
    return execute(command, command, Deadline.after(timeout));
  }

  /** A command with a directory or environment of its own, to be run or started. */
  public ShellCommand command(String command) {
    return new ShellCommand(this, command);
  }

  /**
   * Starts a command in the background: the prompt comes back at once, and other commands run
   * meanwhile.
   *
   * @return a handle for it, which the caller closes
   * @see ShellCommand#start()
   */
  public BackgroundCommand start(String command) {
    return command(command).start();
  }

  /** {@link #upload(byte[], String, Duration)} with the shell's default timeout. */
  public void upload(byte[] content, String path) {
    upload(content, path, defaultTimeout);
  }

  /**
   * Writes a file over the console, for want of a network: some thousand bytes per round trip, so
   * meant for scripts and keys rather than images. It replaces what is there. The content is
   * checked where it arrives.
   *
   * <p>It goes as base64 where the machine has {@code base64}, {@code openssl} or {@code uudecode},
   * and else through the shell's {@code printf}; the sum is that of {@code md5sum}, {@code
   * sha256sum}, {@code sha1sum}, {@code openssl} or {@code cksum}.
   *
   * @throws ConsoleException if the machine has none of these, or the content does not arrive
   *     intact
   * @throws CommandFailedException if the file cannot be written
   */
  public void upload(byte[] content, String path, Duration timeout) {
    files.upload(content, path, Deadline.after(timeout));
  }

  /** {@link #download(String, Duration)} with the shell's default timeout. */
  public byte[] download(String path) {
    return download(path, defaultTimeout);
  }

  /**
   * Reads a file over the console, and checks what came. The file must not change meanwhile.
   *
   * <p>It comes through {@code base64}, {@code openssl}, {@code uuencode}, {@code od}, {@code
   * hexdump} or {@code xxd}, whichever the machine has; sums are as for {@link #upload(byte[],
   * String, Duration)}.
   *
   * @throws ConsoleException if the machine has none of these, or the content does not come intact
   * @throws CommandFailedException if the file cannot be read
   */
  public byte[] download(String path, Duration timeout) {
    return files.download(path, Deadline.after(timeout));
  }

  Duration defaultTimeout() {
    return defaultTimeout;
  }

  Console console() {
    return console;
  }

  /** Something that is in no output and no echo until it is printed on purpose. */
  String newId() {
    return nonce + "." + newNumber();
  }

  int newNumber() {
    return exclusively("", Deadline.after(defaultTimeout), () -> ++commands);
  }

  /** Does something while nobody else's commands run. */
  <T> T exclusively(String what, Deadline deadline, Supplier<T> action) {
    try {
      if (!running.tryLock(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
        throw new ConsoleTimeoutException(
            "The shell of console %s is still busy with \"%s\" after %s; \"%s\" has not been run"
                .formatted(console.name(), current, Deadline.readable(deadline.timeout()), what));
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the shell of console " + console.name(), e);
    }
    try {
      return action.get();
    } finally {
      running.unlock();
    }
  }

  /**
   * Runs a script.
   *
   * @param command what results and messages call it
   */
  CommandResult execute(String command, String script, Deadline deadline) {
    CommandResult result = executeWithNews(command, script, deadline);
    String output = result.output();
    return output.contains(newsWord(""))
        ? new CommandResult(
            command, result.status(), withoutFinalNewlines(news.matcher(output).replaceAll("")))
        : result;
  }

  /**
   * What a process of ours in the background prints as a line of its own; no result has it, since
   * it may come at any moment.
   */
  String newsWord(String id) {
    return "@w" + nonce + "." + id;
  }

  /** {@link #execute}, whose result has the words, too, that came meanwhile. */
  CommandResult executeWithNews(String command, String script, Deadline deadline) {
    return exclusively(
        command,
        deadline,
        () -> {
          current = command;
          if (fits(script)) {
            return type(command, script, deadline);
          }
          String before = "";
          for (int from = 0, to; from < script.length(); from = to) {
            to = Math.min(script.length(), from + LONGEST_LINE);
            while (!fits(assignment(before, script.substring(from, to)))) {
              to = from + (to - from) / 2; // quoted twice, it may be several times as long
            }
            to -= Character.isHighSurrogate(script.charAt(to - 1)) ? 1 : 0;
            type(command, assignment(before, script.substring(from, to)), deadline).orThrow();
            before = "$" + LONG_COMMAND;
          }
          return type(command, "command eval \"$" + LONG_COMMAND + "\"", deadline);
        });
  }

  private static String assignment(String before, String piece) {
    return LONG_COMMAND + "=" + before + ShellWords.quote(piece);
  }

  private boolean fits(String script) {
    return typed(id(commands), script).lines().allMatch(line -> line.length() <= LONGEST_LINE);
  }

  private static String typed(String id, String script) {
    // The two quotes keep the echo of this line from matching the markers.
    return "echo @''b" + id + ";" + ShellWords.contained(script) + ";echo @''e" + id + " $?@";
  }

  /** Short, for it is typed twice. */
  private String id(int number) {
    return nonce + Integer.toString(number, 36);
  }

  private CommandResult type(String command, String script, Deadline deadline) {
    String id = id(++commands);
    String line = typed(id, script);
    Pattern begin = Pattern.compile("@b" + Pattern.quote(id) + "\n");
    Pattern end = Pattern.compile("@e" + Pattern.quote(id) + " (\\d+)@");
    String awaited = "the end of \"" + command + "\"";
    if (abandoned) {
      synchronize(deadline);
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

  /** Waits for something that nobody but a script of ours prints. */
  Match expect(Pattern marker, Deadline deadline, String awaited) {
    return text.expect(
        new ConsoleText.Wanted(List.of(marker), LONGEST_MARKER, true, awaited), deadline);
  }

  /**
   * Makes sure that a shell answers: a new one, or one after {@code ^C}. Line editors throw away
   * what is typed while they start or handle that, so the question is put again, less and less
   * often, until it is answered.
   *
   * @throws ConsoleException if what answers is no POSIX shell
   */
  void synchronize(Deadline deadline) {
    String id = id(++commands);
    Pattern answer = Pattern.compile("@([sn])" + Pattern.quote(id) + "\n");
    boolean refused = false;
    for (Duration patience = FIRST_PATIENCE; ; patience = patience.multipliedBy(2)) {
      console.sendLine("command eval \"echo '@''s" + id + "'\" || echo '@''n" + id + "'");
      boolean last = deadline.remaining().compareTo(patience) <= 0;
      try {
        Match match =
            expect(answer, last ? deadline : Deadline.after(patience), "an answer of the shell");
        if (match.group(1).equals("s")) {
          abandoned = false;
          return;
        }
        if (refused) {
          throw new ConsoleException(PromptAdvice.notPosix(console.name(), match.before()));
        }
        refused = true; // the beginning of the question may have been thrown away
      } catch (ConsoleTimeoutException e) {
        if (last) {
          throw e;
        }
      }
    }
  }

  /** Interrupts what runs, so that the next command finds a shell. */
  void abandon(RuntimeException reason) {
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
}
