package org.liminix.process;

import java.io.IOException;
import java.io.OutputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A process that never outlives the JVM, not even one that is killed with {@code kill -9}.
 *
 * <p>Between the JVM and the process stands a shell that reads from a pipe whose other end only the
 * JVM holds. When the pipe closes, for whatever reason, the shell kills the process; when the JVM
 * died without a word, it also removes the run directory. What the process prints goes to a log
 * file.
 *
 * <pre>{@code
 * SupervisedProcess qemu = SupervisedProcess.of(command).directory(runDirectory).start();
 * qemu.exit().thenAccept(status -> ...);
 * qemu.close();
 * }</pre>
 *
 * <p>Thread-safe. Whoever started it closes it.
 */
public final class SupervisedProcess implements AutoCloseable {
  /** How much of the log an error quotes. */
  private static final int QUOTED_BYTES = 4096;

  /**
   * $1 is the directory to remove when the JVM dies, or empty; the rest is the command. The child
   * of a shell without job control ignores SIGINT, and the shell does here, so that {@code ^C} at a
   * terminal reaches the JVM alone and it decides what to do.
   */
  private static final String SUPERVISOR =
      """
      exec 3<&0 </dev/null
      trap '' INT QUIT HUP
      orphaned=$1; shift
      "$@" 3<&- &
      child=$!
      {
        read -r word <&3 || trap '' TERM
        kill -KILL $child 2>/dev/null
        if [ -z "$word" ] && [ -n "$orphaned" ]; then
          rm -rf -- "$orphaned"
          rm -f -- "${orphaned%/*}/lock"
          rmdir -- "${orphaned%/*}" 2>/dev/null
        fi
      } >/dev/null 2>&1 &
      watcher=$!
      wait $child
      status=$?
      kill $watcher 2>/dev/null
      exit $status
      """;

  private final Process supervisor;
  private final List<String> command;
  private final Path logFile;
  private final CompletableFuture<Integer> exit;

  private SupervisedProcess(Process supervisor, List<String> command, Path logFile) {
    this.supervisor = supervisor;
    this.command = command;
    this.logFile = logFile;
    this.exit = supervisor.onExit().thenApply(Process::exitValue);
  }

  /** A builder for the command, whose first word is the program. */
  public static Builder of(List<String> command) {
    return new Builder(command);
  }

  /** The command that runs. */
  public List<String> command() {
    return command;
  }

  /**
   * Completes with the exit status when the process has ended; 128 and a signal's number stand for
   * that signal, as in a shell.
   */
  public CompletableFuture<Integer> exit() {
    return exit.copy();
  }

  /** Whether it still runs. */
  public boolean isAlive() {
    return supervisor.isAlive();
  }

  /** The process and those it has started, as far as their parents still live, at this moment. */
  public Stream<ProcessHandle> descendants() {
    return supervisor.descendants();
  }

  /**
   * Waits until the process ends.
   *
   * @return its exit status
   * @throws WaitTimeoutException if it still runs when the time is up
   */
  public int awaitExit(Duration timeout) {
    try {
      return exit.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("the end of " + command.get(0), e);
    } catch (TimeoutException e) {
      throw new WaitTimeoutException(
          command.get(0) + " has not ended within " + Deadline.readable(timeout));
    } catch (ExecutionException e) {
      throw new LiminixException("Cannot learn how " + command.get(0) + " ended", e);
    }
  }

  /** The file that takes what the process prints. */
  public Path logFile() {
    return logFile;
  }

  /** The end of what the process printed, without the last newline. */
  public String lastOutput() {
    try (RandomAccessFile file = new RandomAccessFile(logFile.toFile(), "r")) {
      long start = Math.max(0, file.length() - QUOTED_BYTES);
      file.seek(start);
      byte[] bytes = new byte[(int) (file.length() - start)];
      file.readFully(bytes);
      return new String(bytes, StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      return "(" + logFile + " cannot be read: " + e + ")";
    }
  }

  /** Kills the process, if it still runs, and waits until it is gone. Idempotent. */
  @Override
  public void close() {
    try (OutputStream pipe = supervisor.getOutputStream()) {
      pipe.write("kill\n".getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      // The supervisor has gone already, which is what this asks for.
    }
    boolean interrupted = false;
    while (true) {
      try {
        supervisor.waitFor();
        break;
      } catch (InterruptedException e) {
        interrupted = true; // SIGKILL has been sent: this ends at once
      }
    }
    try {
      // A pipe even though it is redirected, which the JVM closes only some time after waitFor().
      supervisor.getErrorStream().close();
    } catch (IOException e) {
      // Nothing was to be read from it.
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String toString() {
    return command.get(0) + (isAlive() ? " (running)" : " (ended)");
  }

  /** Says what to run, and where. Not thread-safe. */
  public static final class Builder {
    private final List<String> command;
    private @Nullable RunDirectory directory;
    private @Nullable String logName;

    private Builder(List<String> command) {
      if (command.isEmpty()) {
        throw new IllegalArgumentException("A command needs at least the name of a program");
      }
      this.command = List.copyOf(command);
    }

    /** Where the log goes; removed with the process if it is temporary and the JVM is killed. */
    public Builder directory(RunDirectory directory) {
      if (this.directory != null) {
        throw new IllegalStateException("The directory has been set already");
      }
      this.directory = directory;
      return this;
    }

    /** The name of the log file in the directory; by default that of the program and ".log". */
    public Builder logName(String name) {
      if (logName != null) {
        throw new IllegalStateException("The log's name has been set already");
      }
      logName = name;
      return this;
    }

    /**
     * Starts it.
     *
     * @throws IllegalStateException if no directory is set
     * @throws LiminixException if no process can be made
     */
    public SupervisedProcess start() {
      RunDirectory runDirectory =
          Optional.ofNullable(directory)
              .orElseThrow(() -> new IllegalStateException("Set the directory that takes the log"));
      Path log =
          runDirectory.file(
              Optional.ofNullable(logName)
                  .orElseGet(() -> Path.of(command.get(0)).getFileName() + ".log"));
      List<String> words = new ArrayList<>();
      words.addAll(List.of("/bin/sh", "-c", SUPERVISOR, "liminix-supervisor"));
      words.add(runDirectory.isTemporary() ? runDirectory.path().toString() : "");
      words.addAll(command);
      try {
        Process process =
            new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        return new SupervisedProcess(process, command, log);
      } catch (IOException e) {
        throw new LiminixException("Cannot start " + command.get(0) + ": " + e.getMessage(), e);
      }
    }
  }
}
