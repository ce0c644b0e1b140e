package org.liminix.console;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.liminix.process.Deadline;
import org.liminix.process.Executable;

/**
 * The terminal this JVM was started from, {@code /dev/tty}, in raw mode.
 *
 * <p>A shell beside the JVM sets the mode, says how large the window is, and restores what was
 * there when its standard input ends: that also happens when the JVM is killed with {@code kill
 * -9}, where no shutdown hook runs.
 */
final class ControllingTerminal implements Terminal {
  private static final Path DEVICE = Path.of("/dev/tty");
  private static final Pattern SIZE = Pattern.compile("(\\d+) (\\d+)");

  /**
   * The terminal may have another process group in its foreground by the time this restores it, to
   * which it then must not be stopped by SIGTTOU. A signal interrupts {@code wait} but no {@code
   * read}, so the end of the input is a child's business.
   */
  private static final String GUARD =
      """
      exec 2>&1 3<&0 <"$1" || exit 1
      trap '' INT QUIT HUP TERM TTIN TTOU
      saved=$(stty -g) || exit 1
      trap 'stty size' WINCH
      if stty raw -echo -iexten && stty size; then
        cat <&3 >/dev/null &
        while kill -0 $! 2>/dev/null; do wait $!; done
      fi
      stty "$saved"
      """;

  /** A terminal that takes no output keeps stty waiting until it does. */
  private static final Duration RESTORING = Duration.ofSeconds(10);

  private static final AtomicBoolean taken = new AtomicBoolean();

  private final Process guard;
  private final BufferedReader sizes;
  private final Size firstSize;
  private final FileChannel keys;
  private final FileChannel screen; // one channel would not write while it reads
  private final Thread hook = new Thread(this::restore, "liminix-terminal-restorer");
  private final AtomicBoolean closed = new AtomicBoolean();

  private ControllingTerminal(
      Process guard, BufferedReader sizes, Size size, FileChannel keys, FileChannel screen) {
    this.guard = guard;
    this.sizes = sizes;
    this.firstSize = size;
    this.keys = keys;
    this.screen = screen;
  }

  /**
   * Takes the terminal and sets it to raw mode.
   *
   * @throws NoTerminalException if there is none, or it serves somebody else at this moment
   */
  static ControllingTerminal open() {
    FileChannel keys = device(StandardOpenOption.READ);
    try {
      requireForeground();
      FileChannel screen = device(StandardOpenOption.WRITE);
      try {
        if (!taken.compareAndSet(false, true)) {
          throw new NoTerminalException(
              "Another thread of this program has the terminal attached: leave there first", null);
        }
        try {
          return start(keys, screen);
        } catch (RuntimeException | Error e) {
          taken.set(false);
          throw e;
        }
      } catch (RuntimeException | Error e) {
        close(screen);
        throw e;
      }
    } catch (RuntimeException | Error e) {
      close(keys);
      throw e;
    }
  }

  private static FileChannel device(StandardOpenOption option) {
    try {
      return FileChannel.open(DEVICE, option);
    } catch (IOException e) {
      throw new NoTerminalException(
          "There is no terminal: "
              + DEVICE
              + " cannot be opened ("
              + e.getMessage()
              + "). Run this in a terminal, or give streams to attach",
          e);
    }
  }

  /** Reading a terminal from the background would stop the whole JVM (SIGTTIN). */
  private static void requireForeground() {
    try {
      String stat = Files.readString(Path.of("/proc/self/stat"));
      // proc(5): the fields behind the name, which is in brackets: state ppid pgrp session tty
      // tpgid
      List<String> fields = List.of(stat.substring(stat.lastIndexOf(')') + 2).split(" "));
      if (!fields.get(2).equals(fields.get(5))) {
        throw new NoTerminalException(
            "This program runs in the background of its terminal: bring it to the foreground",
            null);
      }
    } catch (IOException e) {
      throw new NoTerminalException("Cannot tell who has the terminal: " + e, e);
    }
  }

  private static ControllingTerminal start(FileChannel keys, FileChannel screen) {
    Path stty = Executable.named("stty").fromDebianPackage("coreutils").find();
    try {
      Process guard =
          new ProcessBuilder("/bin/sh", "-c", GUARD, "liminix-terminal", DEVICE.toString()).start();
      BufferedReader sizes = guard.inputReader(StandardCharsets.UTF_8);
      String said = sizes.readLine();
      Matcher size = SIZE.matcher(said == null ? "" : said);
      if (!size.matches()) {
        guard.getOutputStream().close();
        String more = sizes.lines().collect(Collectors.joining("\n"));
        throw new NoTerminalException(
            stty + " cannot set the terminal to raw mode: " + said + "\n" + more, null);
      }
      ControllingTerminal terminal =
          new ControllingTerminal(guard, sizes, size(size), keys, screen);
      Runtime.getRuntime().addShutdownHook(terminal.hook);
      return terminal;
    } catch (IOException e) {
      throw new NoTerminalException("Cannot set the terminal to raw mode: " + e.getMessage(), e);
    }
  }

  private static Size size(Matcher matcher) {
    return new Size(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
  }

  @Override
  public byte[] read() throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
    int count = keys.read(chunk);
    return Arrays.copyOf(chunk.array(), Math.max(0, count));
  }

  @Override
  public void write(byte[] bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    while (buffer.hasRemaining()) {
      screen.write(buffer);
    }
  }

  @Override
  public void onSize(Consumer<Size> listener) {
    Thread thread =
        new Thread(
            () -> {
              listener.accept(firstSize);
              sizes
                  .lines()
                  .map(SIZE::matcher)
                  .filter(Matcher::matches)
                  .forEach(line -> listener.accept(size(line)));
            },
            "liminix-terminal-size");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      restore();
      close(keys);
      close(screen);
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The JVM is shutting down, and the hook has nothing more to do.
      }
      taken.set(false);
    }
  }

  private void restore() {
    boolean interrupted = false;
    Deadline deadline = Deadline.after(RESTORING);
    try {
      guard.getOutputStream().close();
    } catch (IOException e) {
      // The guard has ended, and has restored the terminal before.
    }
    while (true) {
      try {
        guard.waitFor(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        break;
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      // Nothing was buffered, so nothing is lost.
    }
  }
}
