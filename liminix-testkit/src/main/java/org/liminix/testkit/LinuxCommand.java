package org.liminix.testkit;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.liminix.qemu.GuestResult;

/**
 * A program to be run on a {@link LinuxHost}.
 *
 * <pre>{@code
 * GuestResult loaded = host.command("nft", "-f", "-").input(rules).run().orThrow();
 * LinuxProgram web = host.command("busybox", "httpd", "-f").directory(pages).start();
 * }</pre>
 *
 * <p>Each option once; not thread-safe.
 */
public final class LinuxCommand {
  static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(60);

  private final LinuxHost host;
  private final List<String> words;
  private final Map<String, String> environment = new LinkedHashMap<>();
  private byte @Nullable [] input;
  private @Nullable Path directory;
  private @Nullable Duration timeout;

  LinuxCommand(LinuxHost host, List<String> words) {
    if (words.isEmpty()) {
      throw new IllegalArgumentException("Name the program to run");
    }
    this.host = host;
    this.words = words;
  }

  /** What it reads from standard input, in UTF-8; nothing unless set. */
  public LinuxCommand input(String text) {
    return input(text.getBytes(StandardCharsets.UTF_8));
  }

  /** What it reads from standard input; nothing unless set. */
  public LinuxCommand input(byte[] bytes) {
    if (input != null) {
      throw new IllegalStateException("input has been set already; give all of it in one call");
    }
    input = bytes.clone();
    return this;
  }

  /** A variable of its environment, which is otherwise that of this JVM; each once. */
  public LinuxCommand environment(String name, String value) {
    if (name.isEmpty() || name.indexOf('=') >= 0) {
      throw new IllegalArgumentException("\"" + name + "\" cannot be the name of a variable");
    }
    if (environment.putIfAbsent(name, value) != null) {
      throw new IllegalStateException("The variable " + name + " has been set already");
    }
    return this;
  }

  /** The directory in which it starts; that of this JVM unless set. */
  public LinuxCommand directory(Path directory) {
    if (this.directory != null) {
      throw new IllegalStateException("directory has been set already, to " + this.directory);
    }
    this.directory = directory;
    return this;
  }

  /** How long {@link #run} waits for its end; 60 s unless set. */
  public LinuxCommand timeout(Duration timeout) {
    if (this.timeout != null) {
      throw new IllegalStateException("timeout has been set already, to " + this.timeout);
    }
    if (timeout.isNegative() || timeout.isZero()) {
      throw new IllegalArgumentException("A timeout must be longer than nothing: " + timeout);
    }
    this.timeout = timeout;
    return this;
  }

  /**
   * Runs it and waits for its end. Several may run at the same time, by several threads.
   *
   * @throws org.liminix.process.WaitTimeoutException if it has not ended in time; it is killed
   * @throws org.liminix.process.WaitInterruptedException if the thread is interrupted; it is killed
   * @throws LinuxHostException if the host ends before
   * @throws IllegalStateException if the host is closed
   */
  public GuestResult run() {
    return host.run(this);
  }

  /**
   * Starts it, and returns while it runs.
   *
   * @throws IllegalStateException if the host is closed, or this has input or a timeout, which are
   *     for what is waited for
   */
  public LinuxProgram start() {
    if (input != null || timeout != null) {
      throw new IllegalStateException(
          (input == null ? "A timeout" : "Input")
              + " is for run(); talk to what start() returns by its console()");
    }
    return host.start(this);
  }

  List<String> words() {
    return words;
  }

  Map<String, String> environment() {
    return environment;
  }

  byte[] inputOrNothing() {
    return input == null ? new byte[0] : input;
  }

  Path directoryOrDefault() {
    return (directory == null ? Path.of("") : directory).toAbsolutePath();
  }

  Duration timeoutOrDefault() {
    return timeout == null ? DEFAULT_TIMEOUT : timeout;
  }

  @Override
  public String toString() {
    return String.join(" ", words);
  }
}
