package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.liminix.process.Executable;
import org.liminix.process.MissingToolException;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.WaitInterruptedException;

/**
 * A program of this machine that is talked to as a console: {@code ssh}, {@code picocom}, {@code
 * docker exec}.
 *
 * <pre>{@code
 * ProcessLine ssh = ProcessLine.of("ssh", "-tt", "root@10.0.0.1").start();
 * try (Console router = Console.over(ssh).name("router").state(ssh::toString).open()) {
 *   Shell shell = Shell.on(router).open();
 * }
 * }</pre>
 *
 * <p>What it prints, also on standard error, is what the console says; the line ends when nothing
 * can print on it any more. The program never outlives the JVM, see {@link SupervisedProcess}, and
 * is killed when the line is closed.
 *
 * <p>Thread-safe: one reader, whose interrupt ends the line, and any number of writers. The console
 * that reads it closes it.
 */
public final class ProcessLine implements ByteChannel {
  /**
   * Opens the pipes, $1 and $2, says so with an empty line, and becomes the program. The signals
   * that the supervisor ignores are the program's again, where env(1) can do that: ^C, and that the
   * terminal hangs up.
   */
  private static final String BECOME =
      """
      exec <"$1" >"$2" 2>&1
      shift 2
      if env --default-signal=INT true 2>/dev/null; then
        set -- env --default-signal=INT,QUIT,HUP "$@"
      fi
      echo
      exec "$@"
      """;

  private static final int CHUNK_BYTES = 4096;

  private final List<String> command;
  private final RunDirectory directory;
  private final SupervisedProcess process;
  private final FileChannel output;
  private final FileChannel input;
  private final Feeder feeder;

  private ProcessLine(
      List<String> command,
      RunDirectory directory,
      SupervisedProcess process,
      FileChannel output,
      FileChannel input) {
    this.command = command;
    this.directory = directory;
    this.process = process;
    this.output = output;
    this.input = input;
    this.feeder =
        Feeder.start(
            command.get(0),
            CHUNK_BYTES,
            bytes -> {
              while (bytes.hasRemaining()) {
                input.write(bytes);
              }
            });
  }

  /** A builder for a command: the program and its arguments. */
  public static Builder of(String... command) {
    return new Builder(List.of(command));
  }

  /** Completes with the exit status when the program has ended, see {@link SupervisedProcess}. */
  public CompletableFuture<Integer> exit() {
    return process.exit();
  }

  /** The program and those it has started, as {@link SupervisedProcess#descendants} has them. */
  public Stream<ProcessHandle> descendants() {
    return process.descendants();
  }

  /**
   * Reads what there is, waiting for the first byte.
   *
   * @throws ClosedChannelException if the line is closed, also while this waits
   */
  @Override
  public int read(ByteBuffer buffer) throws IOException {
    return output.read(buffer);
  }

  /**
   * Takes all of the buffer, waiting while the program reads nothing and 64 KiB wait for it.
   *
   * @throws ClosedChannelException if the line is closed, also while this waits
   * @throws WaitInterruptedException if the thread is interrupted while it waits
   */
  @Override
  public int write(ByteBuffer buffer) throws IOException {
    return feeder.write(buffer);
  }

  @Override
  public boolean isOpen() {
    return output.isOpen();
  }

  /** Kills the program, if it still runs. Idempotent. */
  @Override
  public void close() throws IOException {
    try (directory;
        output;
        input;
        feeder;
        process) {
      // In the reverse of this order: what nobody reads any more cannot be stuck in a write.
    }
  }

  /** The command and whether it runs, as a console's state says it. */
  @Override
  public String toString() {
    return String.join(" ", command)
        + (process.isAlive() ? " runs" : " has ended with exit status " + process.exit().join());
  }

  /** Says what to run. Each option once; not thread-safe. */
  public static final class Builder {
    private final List<String> command;
    private boolean terminal;

    private Builder(List<String> command) {
      if (command.isEmpty()) {
        throw new IllegalArgumentException("Name the program to run");
      }
      this.command = command;
    }

    /**
     * Gives the program a terminal, with {@code script} of util-linux: for those that ask for a
     * password, edit lines or want {@code ^C}.
     */
    public Builder terminal() {
      if (terminal) {
        throw new IllegalStateException("The line's terminal has been asked for already");
      }
      terminal = true;
      return this;
    }

    /**
     * Starts it.
     *
     * @throws MissingToolException if this machine has no such program; the message says how to get
     *     what the line itself needs
     * @throws ConsoleException if it cannot be started
     * @throws WaitInterruptedException if the thread is interrupted meanwhile
     */
    public ProcessLine start() {
      Path program = Executable.named(command.get(0)).find();
      RunDirectory directory = RunDirectory.create("line-" + program.getFileName());
      try {
        return start(directory);
      } catch (IOException e) {
        directory.close();
        throw new ConsoleException("Cannot talk to " + program + ": " + e.getMessage(), e);
      } catch (RuntimeException e) {
        directory.close();
        throw e;
      }
    }

    private ProcessLine start(RunDirectory directory) throws IOException {
      Path in = directory.file("in");
      Path out = directory.file("out");
      makePipes(in, out);
      // Opened for both, a pipe blocks neither this end nor the other; once the program has opened
      // them, each is opened again for one, so that either end notices when the other goes.
      FileChannel output;
      FileChannel input;
      boolean begun;
      SupervisedProcess process;
      try (FileChannel heldIn = openBoth(in);
          FileChannel heldOut = openBoth(out)) {
        process = supervise(directory, in, out);
        try {
          begun = awaitBeginning(process, out);
          output = FileChannel.open(out, StandardOpenOption.READ);
          input = FileChannel.open(in, StandardOpenOption.WRITE);
        } catch (IOException | RuntimeException e) {
          process.close();
          throw e;
        }
      }
      ProcessLine line = new ProcessLine(command, directory, process, output, input);
      if (!begun && line.read(ByteBuffer.allocate(1)) < 0) {
        line.close();
        throw new IOException("the shell that starts it has ended: " + process.lastOutput());
      }
      return line;
    }

    private static FileChannel openBoth(Path pipe) throws IOException {
      return FileChannel.open(pipe, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    private static void makePipes(Path in, Path out) throws IOException {
      String mkfifo = Executable.named("mkfifo").fromDebianPackage("coreutils").find().toString();
      Process process =
          new ProcessBuilder(mkfifo, "-m", "600", in.toString(), out.toString())
              .redirectErrorStream(true)
              .start();
      try {
        if (process.waitFor() != 0) {
          throw new IOException(mkfifo + " made no pipes in " + in.getParent());
        }
      } catch (InterruptedException e) {
        process.destroyForcibly();
        throw new WaitInterruptedException("mkfifo", e);
      }
    }

    private SupervisedProcess supervise(RunDirectory directory, Path in, Path out) {
      List<String> words = new ArrayList<>();
      words.addAll(List.of("/bin/sh", "-c", BECOME, "liminix-line"));
      words.addAll(List.of(in.toString(), out.toString()));
      words.addAll(terminal ? onTerminal() : command);
      return SupervisedProcess.of(words).directory(directory).logName("line.log").start();
    }

    private List<String> onTerminal() {
      String script = Executable.named("script").fromDebianPackage("bsdutils").find().toString();
      String line = command.stream().map(ShellWords::quote).collect(Collectors.joining(" "));
      return List.of(script, "-q", "-e", "-f", "-c", "exec " + line, "/dev/null");
    }

    /**
     * Waits for the empty line.
     *
     * @return false if the process has ended before it was read
     */
    private static boolean awaitBeginning(SupervisedProcess process, Path out) throws IOException {
      try (FileChannel waiter = openBoth(out)) {
        var unused = process.exit().thenRun(() -> close(waiter));
        return waiter.read(ByteBuffer.allocate(1)) > 0;
      } catch (ClosedByInterruptException e) {
        throw new WaitInterruptedException("a program to start", new InterruptedException());
      } catch (ClosedChannelException e) {
        return false;
      }
    }

    private static void close(FileChannel channel) {
      try {
        channel.close();
      } catch (IOException e) {
        throw new ConsoleException("Cannot close a pipe", e);
      }
    }
  }
}
