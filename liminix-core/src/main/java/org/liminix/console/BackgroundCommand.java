package org.liminix.console;

import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A command that runs in the background of a shell.
 *
 * <pre>{@code
 * try (BackgroundCommand server = shell.start("iperf3 -s -1")) {
 *   shell.run("ip route get 10.0.0.1").orThrow();
 *   CommandResult report = server.await(Duration.ofSeconds(30)).orThrow();
 * }
 * }</pre>
 *
 * <p>Its output goes to a file on the machine, in a directory of its own below {@code $TMPDIR},
 * {@code /tmp}, {@code /run}, {@code /dev/shm} or {@code /var/tmp}, so it never lands among other
 * commands' output. Its end is told through a FIFO there, so that nothing is polled. Both are
 * removed once the result is here, or when the handle is closed.
 *
 * <p>It needs no job control, and reads nothing. As every command that a shell runs in the
 * background without job control (POSIX XCU 2.11), it ignores {@code INT} and {@code QUIT} unless
 * it handles them itself, as {@code ping} and {@code tcpdump} do.
 *
 * <p>Thread-safe. Whoever started it closes it, which kills it if it still runs.
 */
public final class BackgroundCommand implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BackgroundCommand.class);

  /** How long the machine may take for what is no command of the caller's. */
  private static final Duration GRACE = Duration.ofSeconds(10);

  /** What messages call that. */
  private static final String LOOK = "a look after a command in the background";

  private static final Pattern SIGNAL = Pattern.compile("[A-Z][A-Z0-9+-]*");
  private static final Pattern STARTED = Pattern.compile("(?m)^@job (\\d+) (\\d*) (/.*)\\z");

  private static final int NO_DIRECTORY = 3;
  private static final int NO_FIFO = 4;
  private static final int ARMED = 5;

  /**
   * Functions that find the processes of a job by their parents (proc_pid_stat(5)), since without
   * job control they have no group of their own. The outer of the two shells above them is known by
   * when it started, lest another process has its number by now.
   */
  private static final String SCAN =
      """
      set +f; unset IFS
      look() {
      read -r l 2>/dev/null <"/proc/$1/stat" || return
      set -- ${l##*) }
      state=$1 parent=$2; shift 19; started=$1
      }
      scan() {
      all= found=
      look $outer && [ "$started" = "$since" ] && [ $state != Z ] || return
      for p in /proc/[0-9]*; do
      p=${p#/proc/}
      look $p && [ $state != Z ] || continue
      all="$all $p:$parent"
      [ $parent != $outer ] || inner=$p
      done
      found=" $outer " before=
      until [ "$found" = "$before" ]; do
      before=$found
      for p in $all; do
      case $found in
      *" ${p%:*} "*) ;;
      *" ${p#*:} "*) found="$found${p%:*} ";;
      esac
      done
      done
      found="${found#" $outer "}"
      }
      """;

  /**
   * Tells each process once. A signal that comes while the inner shell is about to start a program
   * leaves that untold, so this goes on until it was seen to wait for one, and is no more.
   */
  private static final String TELL =
      """
      told=" " inner= at=start
      while :; do
      [ -z "$inner" ] || { at=gone; look $inner && at=$state; }
      scan || exit 0
      for p in $found; do
      case $told in *" $p "*) continue;; esac
      told="$told$p "
      kill -s %1$s $p 2>/dev/null || ! kill -0 $p 2>/dev/null || kill -s %1$s $p || exit 1
      done
      case $at in start|R|D) ;; *) exit 0;; esac
      done""";

  /** Stopped first, until no new ones come, they cannot start others that would be missed. */
  private static final String KILL =
      """
      last=start
      while scan && [ "$found" != "$last" ]; do kill -s STOP $outer $found; last=$found; done 2>/dev/null
      look $outer && [ "$started" = "$since" ] && kill -s KILL $found $outer 2>/dev/null
      rm -rf %s""";

  private final Shell shell;
  private final String command;
  private final String process;
  private final String started;
  private final String directory;
  private @Nullable CommandResult result; // guarded by the shell, as the next
  private boolean closed;

  private BackgroundCommand(Shell shell, String command, Matcher started) {
    this.shell = shell;
    this.command = command;
    this.process = started.group(1);
    this.started = started.group(2);
    this.directory = ShellWords.quote(started.group(3));
  }

  static BackgroundCommand start(ShellCommand start, Deadline deadline) {
    Shell shell = start.shell();
    String id = shell.newId();
    // Two shells are above the command. The outer one keeps its status. The inner one lives until
    // the program that it waits for has done what a signal asked of it, and then ends likewise.
    String script =
        "("
            + start.place("echo '@''d" + id + "'; exit 1")
            + """
            for liminix_d in "${TMPDIR:-/tmp}" /tmp /run /var/run /dev/shm /var/tmp; do
            liminix_d=$liminix_d/liminix.%s
            case $liminix_d in /*) (umask 077; mkdir "$liminix_d") 2>/dev/null && break;; esac
            liminix_d=
            done
            [ "$liminix_d" ] || exit %d
            mkfifo "$liminix_d/end" 2>/dev/null || mknod "$liminix_d/end" p 2>/dev/null || {
            rm -r "$liminix_d"; exit %d
            }
            exec 3<>"$liminix_d/end" && : >"$liminix_d/output" || exit
            (
            (
            trap 'exit $?' HUP INT QUIT TERM; trap : USR1 USR2
            exec 3>&-
            %s
            ) >"$liminix_d/output" 2>&1
            echo $? >"$liminix_d/status"; echo >&3
            ) </dev/null >/dev/null 2>&1 &
            set --
            read -r liminix_s 2>/dev/null </proc/$!/stat && set -- ${liminix_s##*) } && shift 19
            echo "@job $! $1 $liminix_d"
            )"""
                .formatted(id, NO_DIRECTORY, NO_FIFO, start.inside());
    CommandResult result =
        start.withDirectory(shell.execute(start.command(), script, deadline), "@d" + id);
    Matcher matcher = STARTED.matcher(result.output());
    if (matcher.find()) {
      return new BackgroundCommand(shell, start.command(), matcher);
    }
    String attempt =
        "Cannot start \"%s\" in the background on console %s: "
            .formatted(start.command(), shell.console().name());
    throw switch (result.status()) {
      case NO_DIRECTORY ->
          new ConsoleException(
              attempt
                  + "no directory can be made for its output in $TMPDIR, /tmp, /run, /dev/shm or"
                  + " /var/tmp; set TMPDIR to a place that can be written");
      case NO_FIFO ->
          new ConsoleException(
              attempt
                  + "neither mkfifo nor mknod makes a FIFO for news of its end; add one of them, in"
                  + " busybox say, or set TMPDIR to a file system that has FIFOs");
      default -> new CommandFailedException(result);
    };
  }

  /** The command. */
  public String command() {
    return command;
  }

  /** Whether it has not ended yet. Asks the machine. */
  public boolean isRunning() {
    return shell.exclusively(
        command,
        deadline(),
        () ->
            result == null
                && !closed
                && ask("[ ! -s %s/status ] && kill -0 %s 2>/dev/null".formatted(directory, process))
                    .succeeded());
  }

  /** What it has printed so far. Asks the machine. */
  public String output() {
    return shell.exclusively(
        command,
        deadline(),
        () -> {
          requireOpen();
          return result == null
              ? ask("cat %s/output".formatted(directory)).orThrow().output()
              : result.output();
        });
  }

  /**
   * Waits until it has ended. The shell runs nobody else's commands meanwhile.
   *
   * @return its exit status, which is 128 and the signal's number if one ended it, and all that it
   *     printed; the same every time
   * @throws ConsoleTimeoutException if it does not end in time; it goes on
   * @throws ConsoleException if its status was lost, since there was no room left for it or the
   *     shell that kept it was killed
   * @throws ConsoleClosedException if the console ends before
   * @throws KernelException if the kernel fails before or meanwhile
   * @throws WaitInterruptedException if the thread is interrupted; it goes on
   * @throws IllegalStateException if the handle is closed
   */
  public CommandResult await(Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    return shell.exclusively(
        command,
        deadline,
        () -> {
          requireOpen();
          CommandResult ended = result;
          if (ended == null) {
            awaitEnd(deadline);
            ended = collect(deadline);
            result = ended;
            ask("rm -rf " + directory);
          }
          return ended;
        });
  }

  /** Has a process of ours in the background print a word when the command has ended. */
  private void awaitEnd(Deadline deadline) {
    boolean ended = false;
    while (!ended) {
      String word = shell.newsWord(Integer.toString(shell.newNumber()));
      Pattern news = Pattern.compile(Pattern.quote(word) + " (\\d)(?=\n|\\z)");
      // The FIFO is open before the status is looked for, so that no news between are missed; and
      // for reading only, so that the end of the shell that keeps the status is news, too.
      CommandResult armed =
          shell.executeWithNews(
              LOOK,
              """
              (
              [ -s %1$s/status ] && exit
              (read -r liminix_s; echo '@''%2$s' $?) <&4 &
              exit %3$d
              ) 3<>%1$s/end 4<%1$s/end 3>&-"""
                  .formatted(directory, word.substring(1), ARMED),
              Deadline.after(GRACE));
      Matcher early = news.matcher(armed.output());
      // A line may be that of a wait that was given up, and so the status is looked for again; the
      // end of the FIFO is the end.
      ended =
          armed.status() != ARMED
              || (early.find() ? early.group(1) : awaitNews(news, deadline)).equals("1");
    }
  }

  private String awaitNews(Pattern news, Deadline deadline) {
    try {
      return shell
          .expect(news, deadline, "the end of \"" + command + "\" in the background")
          .group(1);
    } catch (ConsoleTimeoutException | WaitInterruptedException | KernelException e) {
      disarm(e);
      throw e;
    }
  }

  /** Ends that process, which prints its word then. */
  private void disarm(RuntimeException reason) {
    boolean interrupted = Thread.interrupted();
    try {
      var unused = ask("echo 1<>%s/end".formatted(directory));
    } catch (ConsoleException | ConsoleTimeoutException e) {
      reason.addSuppressed(e);
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private CommandResult collect(Deadline deadline) {
    String id = shell.newId();
    String lost = "@l" + id;
    CommandResult collected =
        shell.execute(
            command,
            """
            (
            cat %1$s/output
            read -r liminix_s 2>/dev/null <%1$s/status || { echo '@''l%2$s'; exit; }
            exit $liminix_s
            )"""
                .formatted(directory, id),
            atLeastGrace(deadline));
    if (collected.output().endsWith(lost)) {
      String output =
          collected.output().substring(0, collected.output().length() - lost.length()).strip();
      throw new ConsoleException(
          ("\"%s\" on console %s has ended without leaving its status in %s: there was no room left"
                  + " there, or the shell that kept it was killed%s")
              .formatted(
                  command,
                  shell.console().name(),
                  directory,
                  output.isEmpty() ? "" : "; its output:\n" + output.indent(4).stripTrailing()));
    }
    return collected;
  }

  /**
   * Sends a signal to it and all processes that it has started, unless it has ended. Needs {@code
   * /proc}.
   *
   * @param signal such as {@code TERM} or {@code SIGUSR1}
   * @throws IllegalArgumentException if that is no signal's name
   * @throws ConsoleException if the machine knows no such signal, or has no {@code /proc}
   */
  public void signal(String signal) {
    String upper = signal.toUpperCase(Locale.ROOT);
    String name = upper.startsWith("SIG") ? upper.substring("SIG".length()) : upper;
    if (!SIGNAL.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "Not the name of a signal: \"" + signal + "\". Give one such as TERM, HUP or USR1");
    }
    shell.exclusively(
        command,
        deadline(),
        () -> {
          if (result == null && !closed) {
            inScan("kill -s " + name + " the processes of " + command, TELL.formatted(name));
          }
          return true;
        });
  }

  private void inScan(String what, String script) {
    if (started.isEmpty()) {
      throw new ConsoleException(
          "The processes of \""
              + command
              + "\" cannot be found, since the machine had no /proc when it was started: mount it"
              + " before");
    }
    shell
        .execute(
            what,
            "(\nouter=%s since=%s\n%s%s\n)".formatted(process, started, SCAN, script),
            Deadline.after(GRACE))
        .orThrow();
  }

  private CommandResult ask(String script) {
    return shell.execute(LOOK, script, Deadline.after(GRACE));
  }

  private Deadline deadline() {
    return Deadline.after(shell.defaultTimeout());
  }

  private static Deadline atLeastGrace(Deadline deadline) {
    return deadline.remaining().compareTo(GRACE) < 0 ? Deadline.after(GRACE) : deadline;
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("The handle of \"" + command + "\" is closed");
    }
  }

  /**
   * Kills it and all processes that it has started, if it still runs, and removes its files.
   * Idempotent; does nothing where the machine is gone.
   */
  @Override
  public void close() {
    shell.exclusively(
        command,
        deadline(),
        () -> {
          if (!closed && result == null) {
            closed = true;
            kill();
          }
          closed = true;
          return true;
        });
  }

  private void kill() {
    try {
      inScan("kill the processes of " + command, KILL.formatted(directory));
    } catch (ConsoleClosedException | KernelException.Panic e) {
      log.debug("\"{}\" has ended with its machine", command, e);
    }
  }

  @Override
  public String toString() {
    return "BackgroundCommand[" + command + " on " + shell.console().name() + "]";
  }
}
