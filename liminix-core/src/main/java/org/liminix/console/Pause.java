package org.liminix.console;

import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;

/**
 * A program that stands still until a person lets it go on: a test, so that somebody can look
 * around. In its directory it listens at a socket {@code paused}; whoever connects there lets it go
 * on, as {@code connect-vm --go-on} does.
 *
 * <pre>{@code
 * try (Pause pause = Pause.in(directory)) {
 *   pause.await();
 * }
 * }</pre>
 *
 * <p>Thread-safe. Whoever made it closes it, which wakes the one that waits.
 */
public final class Pause implements AutoCloseable {
  /** A person takes as long as it takes. */
  private static final Duration FOREVER = Duration.ofDays(36_500);

  static final String SOCKET = "paused";

  private static final Set<Path> paused = ConcurrentHashMap.newKeySet();

  private final Path path;
  private final UnixSocket.Listener listener;

  private Pause(Path path, UnixSocket.Listener listener) {
    this.path = path;
    this.listener = listener;
  }

  /**
   * Begins one.
   *
   * @throws ConsoleException if there is one in that directory already, or cannot be
   */
  public static Pause in(Path directory) {
    Path path = directory.toAbsolutePath().normalize().resolve(SOCKET);
    if (!paused.add(path)) {
      throw new ConsoleException(
          "This program is paused in " + directory + " already: one thread at a time");
    }
    try {
      Files.deleteIfExists(path); // of a program that was killed
      return new Pause(path, UnixSocket.listen(path));
    } catch (IOException e) {
      paused.remove(path);
      throw new ConsoleException("Cannot wait for a person in " + directory + ": " + e, e);
    }
  }

  /**
   * Waits, without a deadline.
   *
   * @return true if somebody says to go on, false if this is closed
   * @throws org.liminix.process.WaitInterruptedException if the thread is interrupted
   */
  public boolean await() {
    try {
      listener.accept(Deadline.after(FOREVER)).close();
      return true;
    } catch (ClosedChannelException e) {
      return false;
    } catch (IOException e) {
      throw new ConsoleException("Cannot wait for a person at " + path + ": " + e, e);
    }
  }

  /**
   * Lets what is paused in a directory go on.
   *
   * @return false if nothing is
   */
  public static boolean goOn(Path directory) {
    try (UnixSocket socket = UnixSocket.connect(directory.resolve(SOCKET))) {
      return socket.isOpen();
    } catch (IOException e) {
      return false;
    }
  }

  /** Idempotent. */
  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      throw new ConsoleException("Cannot remove " + path + ": " + e, e);
    } finally {
      paused.remove(path);
    }
  }
}
