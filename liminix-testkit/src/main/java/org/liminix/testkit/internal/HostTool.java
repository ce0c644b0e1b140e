package org.liminix.testkit.internal;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.liminix.process.WaitInterruptedException;
import org.liminix.testkit.ImageException;

/**
 * A program of the host that image building needs. Its output goes to files rather than pipes, so
 * that waiting for it is one interruptible wait.
 */
final class HostTool {
  private static final Duration LIMIT = Duration.ofMinutes(15);

  private final String program;
  private final String debianPackage;

  HostTool(String program, String debianPackage) {
    this.program = program;
    this.debianPackage = debianPackage;
  }

  /** What a run came to. */
  record Result(int status, String output, String errors) {
    /** Everything the program said, for an error message. */
    String words() {
      String all = (output.strip() + "\n" + errors.strip()).strip();
      return all.isEmpty() ? "(it said nothing, exit status " + status + ")" : all;
    }
  }

  /** Writes the standard input of a program. */
  @FunctionalInterface
  interface Input {
    void writeTo(OutputStream out) throws IOException;
  }

  Result run(Path scratch, List<String> arguments) throws IOException {
    return run(scratch, arguments, out -> {});
  }

  /**
   * Runs the program to its end, with its output kept in files of that directory meanwhile.
   *
   * @throws ImageException if the program is not installed or does not come to an end
   */
  Result run(Path scratch, List<String> arguments, Input input) throws IOException {
    Path output = Files.createTempFile(scratch, program, ".out");
    Path errors = Files.createTempFile(scratch, program, ".err");
    try {
      ProcessBuilder builder = new ProcessBuilder();
      builder.command().add(program);
      builder.command().addAll(arguments);
      builder.environment().put("LC_ALL", "C.UTF-8");
      builder.redirectOutput(output.toFile()).redirectError(errors.toFile());
      Process process = start(builder);
      try {
        StandardInput stdin = new StandardInput(process.getOutputStream());
        Optional<IOException> failure = stdin.takeAll(input);
        if (!process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS)) {
          throw new ImageException(
              String.join(" ", builder.command())
                  + " was not done after "
                  + LIMIT
                  + "; it said:\n"
                  + Files.readString(errors));
        }
        Result result =
            new Result(process.exitValue(), Files.readString(output), Files.readString(errors));
        if (failure.isPresent() && !(stdin.isUnwanted() && result.status() == 0)) {
          throw new ImageException(
              "Cannot feed "
                  + program
                  + " ("
                  + failure.get().getMessage()
                  + "); it said:\n"
                  + result.words(),
              failure.get());
        }
        return result;
      } catch (InterruptedException e) {
        throw new WaitInterruptedException(program + " to finish", e);
      } finally {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
      }
    } finally {
      Files.deleteIfExists(output);
      Files.deleteIfExists(errors);
    }
  }

  private Process start(ProcessBuilder builder) {
    try {
      return builder.start();
    } catch (IOException e) {
      throw new ImageException(
          "Cannot run "
              + program
              + ", which making an image needs. Install it: apt-get install "
              + debianPackage,
          e);
    }
  }

  /**
   * A program may end well before it has been given everything: sqfstar does when it has seen the
   * end of the archive, and leaves the padding that follows.
   */
  private static final class StandardInput extends FilterOutputStream {
    private boolean unwanted;

    StandardInput(OutputStream pipe) {
      super(pipe);
    }

    /** Gives what went wrong, to be reported with the program's own words once it has ended. */
    Optional<IOException> takeAll(Input input) {
      try (this) {
        input.writeTo(this);
        return Optional.empty();
      } catch (IOException e) {
        return Optional.of(e);
      }
    }

    /** Whether it was the program that did not take more, not the input that could not be read. */
    boolean isUnwanted() {
      return unwanted;
    }

    @Override
    public void write(int b) throws IOException {
      toProgram(() -> out.write(b));
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      toProgram(() -> out.write(bytes, offset, length));
    }

    @Override
    public void flush() throws IOException {
      toProgram(out::flush);
    }

    @Override
    public void close() throws IOException {
      toProgram(out::close);
    }

    private void toProgram(Write write) throws IOException {
      try {
        write.run();
      } catch (IOException e) {
        unwanted = true;
        throw e;
      }
    }
  }

  @FunctionalInterface
  private interface Write {
    void run() throws IOException;
  }
}
