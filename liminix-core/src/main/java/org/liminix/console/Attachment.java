package org.liminix.console;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.liminix.process.LiminixException;
import org.liminix.process.UnixSocket;

/**
 * A person's terminal, attached to the console of a machine and to what else can be joined there.
 *
 * <pre>{@code
 * Attachment.to(vm.runDirectory()).run(); // the terminal this program runs in
 * Attachment.to("board", () -> UnixSocket.connect(path)).terminal(in, out).run();
 * }</pre>
 *
 * <p>{@code ^O} leaves, {@code ^P} goes to the next channel, from a console to QEMU's monitor and
 * back; {@code ^]} makes an ordinary key of one of these three behind it, and {@code ^] s} types
 * {@code stty rows R cols C} with the size of the window. Everything else passes as it is, {@code
 * ^C} and {@code ^Z} too. A {@link TerminalChannel} is told the size of the window by itself.
 *
 * <p>One channel is open at a time: a monitor serves one person, and a {@link ConsoleServer} shows
 * its last lines to whoever comes back. The terminal is in raw mode meanwhile and is restored in
 * any case, even when the JVM is killed.
 *
 * <p>Says what to attach; each option once; not thread-safe. {@link #run} blocks and leaves nothing
 * to close.
 */
public final class Attachment {
  static final String CONSOLE = "console";

  private final String title;
  private final List<AttachedSession.Named> channels = new ArrayList<>();
  private @Nullable Terminal terminal;

  private Attachment(String title) {
    this.title = title;
  }

  /**
   * To the sockets {@code console} and {@code monitor} of a run directory, as far as they exist.
   *
   * @throws ConsoleException if there is no console
   */
  public static Attachment to(Path runDirectory) {
    Path directory = runDirectory.toAbsolutePath().normalize();
    requireConsole(directory);
    Attachment attachment = new Attachment(String.valueOf(directory.getFileName()));
    for (String name : List.of(CONSOLE, "monitor")) {
      Path socket = directory.resolve(name);
      if (Files.exists(socket)) {
        attachment.and(name, () -> UnixSocket.connect(socket));
      }
    }
    return attachment;
  }

  /**
   * To a channel.
   *
   * @param name what notices call it
   * @param opener called when it is joined, and again whenever the person comes back to it
   */
  public static Attachment to(String name, Callable<? extends ByteChannel> opener) {
    return new Attachment(name).and(name, opener);
  }

  /** Another channel, to which {@code ^P} goes. */
  public Attachment and(String name, Callable<? extends ByteChannel> opener) {
    if (channels.stream().anyMatch(channel -> channel.name().equals(name))) {
      throw new IllegalArgumentException(
          "There is a channel " + name + " already: give this one a name of its own");
    }
    channels.add(new AttachedSession.Named(name, opener));
    return this;
  }

  /**
   * The person's terminal, in raw mode already, in place of {@code /dev/tty}: that of an SSH
   * session, for example. The streams stay open. A read that waits when this ends takes the next
   * keys.
   */
  public Attachment terminal(InputStream in, OutputStream out) {
    if (terminal != null) {
      throw new IllegalStateException("The terminal has been set already: call this once");
    }
    terminal = Terminal.of(in, out);
    return this;
  }

  /**
   * Blocks until the person leaves or what is attached ends.
   *
   * @throws NoTerminalException if there is no terminal
   * @throws ConsoleException if the first channel cannot be joined
   * @throws org.liminix.process.WaitInterruptedException if the thread is interrupted
   */
  public Departure run() {
    try (Terminal person = terminal == null ? ControllingTerminal.open() : terminal) {
      return new AttachedSession(title, channels, person).run();
    }
  }

  /**
   * Attaches the terminal this program runs in to a run directory. Where there is none, as in most
   * continuous integration, says on {@code System.err} how to join from another terminal, and
   * blocks until somebody who did so leaves, or says {@code --go-on}.
   *
   * @throws ConsoleException if there is no console
   * @throws org.liminix.process.WaitInterruptedException if the thread is interrupted
   */
  public static Departure joinOrWait(Path runDirectory) {
    Attachment attachment = to(runDirectory);
    try {
      return attachment.run();
    } catch (NoTerminalException e) {
      return waitForSomebody(runDirectory, String.valueOf(e.getMessage()));
    }
  }

  private static Departure waitForSomebody(Path directory, String reason) {
    try (Pause pause = Pause.in(directory);
        UnixSocket console = connect(directory)) {
      Thread watcher = new Thread(() -> closeAtEnd(console, pause), "liminix-attached-watcher");
      watcher.setDaemon(true);
      watcher.start();
      System.err.println(
          reason
              + "\nWaiting for somebody to join, and to leave by ^O:\n    "
              + ConnectVm.command(directory));
      return pause.await() ? Departure.LEFT : Departure.ENDED;
    } catch (IOException e) {
      throw new ConsoleException("Closing the console in " + directory + ": " + e.getMessage(), e);
    }
  }

  private static void closeAtEnd(UnixSocket console, Pause pause) {
    ByteBuffer ignored = ByteBuffer.allocate(8192);
    try {
      while (console.read(ignored.clear()) >= 0) {}
    } catch (IOException | LiminixException e) {
      // As good as its end.
    }
    pause.close();
  }

  private static void requireConsole(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw new ConsoleException("There is no directory " + directory);
    }
    if (!Files.exists(directory.resolve(CONSOLE))) {
      throw new ConsoleException(
          directory + " holds no console: give the run directory of a machine that runs");
    }
  }

  /** Joins the console of a run directory; the caller has seen that there is one. */
  static UnixSocket connect(Path directory) {
    try {
      return UnixSocket.connect(directory.resolve(CONSOLE));
    } catch (IOException e) {
      throw new ConsoleException(
          "Nobody serves the console in " + directory + ": its machine has ended", e);
    }
  }
}
