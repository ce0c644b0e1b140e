package org.liminix.testkit;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.liminix.console.Console;
import org.liminix.console.Match;
import org.liminix.console.ProcessLine;
import org.liminix.console.Transcript;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;

/**
 * A program that runs on a {@link LinuxHost} while the test goes on, such as a server.
 *
 * <pre>{@code
 * LinuxProgram server = host.start("iperf3", "-s");
 * server.expect("Server listening", Duration.ofSeconds(5));
 * }</pre>
 *
 * <p>What it prints, also on standard error, is kept and can be awaited, see {@link Console}. Lines
 * come as they are printed: programs that use the C library's stdio are told not to hold them back.
 *
 * <p>Thread-safe. Whoever started it closes it, which kills it; its host does so at the latest.
 */
public final class LinuxProgram implements AutoCloseable {
  private final List<String> command;
  private final ProcessLine line;
  private final Console console;
  private final Consumer<LinuxProgram> onClose;

  private LinuxProgram(
      List<String> command, ProcessLine line, Console console, Consumer<LinuxProgram> onClose) {
    this.command = command;
    this.line = line;
    this.console = console;
    this.onClose = onClose;
  }

  /** Starts what these words are, for that command of the caller's. */
  static LinuxProgram start(
      List<String> words,
      List<String> command,
      Consumer<Transcript.Line> follower,
      Consumer<LinuxProgram> onClose) {
    ProcessLine line = ProcessLine.of(words.toArray(String[]::new)).start();
    Console console =
        Console.over(line).name(command.get(0)).state(line::toString).follower(follower).open();
    return new LinuxProgram(command, line, console, onClose);
  }

  /** The program and its arguments. */
  public List<String> command() {
    return command;
  }

  /** What it says, and what is typed to its standard input. */
  public Console console() {
    return console;
  }

  /** What it has printed so far. */
  public String output() {
    return console.transcript().text();
  }

  /**
   * Waits until it prints that text.
   *
   * @throws org.liminix.console.ConsoleTimeoutException if it does not in time
   * @throws org.liminix.console.ConsoleClosedException if it ends before; the message has its words
   */
  public Match expect(String text, Duration timeout) {
    return console.expect(text, timeout);
  }

  /** As {@link #expect(String, Duration)}, for what matches. */
  public Match expect(Pattern pattern, Duration timeout) {
    return console.expect(pattern, timeout);
  }

  /** Whether it has not ended yet. */
  public boolean isRunning() {
    return !line.exit().isDone();
  }

  /**
   * Waits until it ends.
   *
   * @return its exit status; 128 and the signal's number if one ended it
   * @throws WaitTimeoutException if it still runs when the time is up
   */
  public int awaitExit(Duration timeout) {
    try {
      return line.exit().get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the end of " + this, e);
    } catch (TimeoutException e) {
      throw new WaitTimeoutException(
          "%s has not ended within %s; it said:%n%s"
              .formatted(this, Deadline.readable(timeout), output().indent(4)));
    } catch (ExecutionException e) {
      throw new LinuxHostException("Cannot learn how " + this + " ended", e);
    }
  }

  /** Kills it and the programs it has started that are still its children. Idempotent. */
  @Override
  public void close() {
    killAll(line.descendants());
    console.close();
    try {
      line.close();
    } catch (IOException e) {
      throw new LinuxHostException("Cannot close the pipes of " + this, e);
    }
    onClose.accept(this);
  }

  /** Kills children first: what was started by the dead is nobody's child. */
  static void killAll(Stream<ProcessHandle> processes) {
    List<ProcessHandle> all = processes.toList();
    for (int i = all.size() - 1; i >= 0; i--) {
      all.get(i).destroyForcibly();
    }
  }

  @Override
  public String toString() {
    return String.join(" ", command);
  }
}
