package org.liminix.test;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.liminix.console.Console;
import org.liminix.process.Executable;
import org.liminix.process.RunDirectory;

/** A person's terminal: a shell in a window of a private tmux, for tests of what happens there. */
public final class Tmux implements AutoCloseable {
  private final RunDirectory directory;
  private final Path socket;
  private final Console screen;

  private Tmux(RunDirectory directory, Path socket, Console screen) {
    this.directory = directory;
    this.socket = socket;
    this.screen = screen;
  }

  /** A window of 80 by 24 characters. */
  public static Tmux open() throws IOException, InterruptedException {
    Assumptions.assumeTrue(
        Executable.named("tmux").lookUp().isPresent(), "tmux is missing: apt-get install tmux");
    RunDirectory directory = RunDirectory.create("tmux");
    Path socket = directory.socket("s");
    try {
      Path fifo = directory.file("output");
      run(List.of("mkfifo", fifo.toString()));
      tmux(socket, "new-session", "-d", "-x", "80", "-y", "24", "exec /bin/sh");
      // Open for both, for this must not wait for the other side, nor ever see an end.
      FileChannel output =
          FileChannel.open(fifo, StandardOpenOption.READ, StandardOpenOption.WRITE);
      Console screen =
          Console.over(new Window(socket, output))
              .name("tmux")
              .failOn(Set.of())
              .timeout(Duration.ofSeconds(40))
              .open();
      Tmux tmux = new Tmux(directory, socket, screen);
      tmux(socket, "pipe-pane", "exec cat >" + fifo);
      tmux.type("PS1=; echo window-$((40 + 2))\r");
      screen.expect("window-42");
      return tmux;
    } catch (IOException | InterruptedException | RuntimeException e) {
      directory.close();
      throw e;
    }
  }

  /** Presses these keys, which are ASCII. */
  public void type(String keys) {
    screen.send(keys);
  }

  /** What is shown, from the beginning. */
  public Console screen() {
    return screen;
  }

  /** What is on the screen now, its lines without the spaces at their ends. */
  public List<String> shown() throws IOException, InterruptedException {
    return tmux(socket, "capture-pane", "-p").lines().toList();
  }

  public void resize(int rows, int columns) throws IOException, InterruptedException {
    tmux(socket, "resize-window", "-x", Integer.toString(columns), "-y", Integer.toString(rows));
  }

  private static String tmux(Path socket, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("tmux", "-S", socket.toString()));
    command.addAll(List.of("-f", "/dev/null"));
    command.addAll(List.of(arguments));
    return run(command);
  }

  private static String run(List<String> command) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().remove("TMUX");
    Process process = builder.start();
    process.getOutputStream().close();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(20, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException(command + ": " + said);
    }
    return said;
  }

  @Override
  public void close() throws IOException, InterruptedException {
    try (directory) {
      screen.close();
      tmux(socket, "kill-server");
    }
  }

  /** Reads what the window shows and types into it. */
  private record Window(Path socket, FileChannel output) implements ByteChannel {
    @Override
    public int read(ByteBuffer buffer) throws IOException {
      return output.read(buffer);
    }

    @Override
    public int write(ByteBuffer keys) throws IOException {
      int count = keys.remaining();
      List<String> arguments = new ArrayList<>(List.of("send-keys", "-H"));
      while (keys.hasRemaining()) {
        arguments.add(Integer.toHexString(keys.get() & 0xff));
      }
      try {
        tmux(socket, arguments.toArray(String[]::new));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException(e);
      }
      return count;
    }

    @Override
    public boolean isOpen() {
      return output.isOpen();
    }

    @Override
    public void close() throws IOException {
      output.close();
    }
  }
}
