package org.liminix.console;

import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Says what a console is called and where it writes. Each option once; not thread-safe. */
public final class ConsoleBuilder {
  final ByteChannel channel;
  @Nullable String name;
  @Nullable Path file;
  @Nullable Path timedFile;
  @Nullable Duration timeout;
  @Nullable Supplier<String> state;
  @Nullable Set<KernelFailure> failOn;
  final List<Consumer<ByteBuffer>> listeners = new ArrayList<>();
  final List<Consumer<Transcript.Line>> followers = new ArrayList<>();

  ConsoleBuilder(ByteChannel channel) {
    this.channel = channel;
  }

  /** What messages call it; "console" unless set. */
  public ConsoleBuilder name(String name) {
    this.name = Options.once("name", this.name, name);
    return this;
  }

  /** A file to which every byte is appended as it arrives. */
  public ConsoleBuilder file(Path file) {
    this.file = Options.once("file", this.file, file);
    return this;
  }

  /**
   * A file to which the text is appended as it arrives, as {@link Transcript#text()} has it. In
   * front of each line is when it began to arrive, on this machine's clock, and how many seconds
   * that was after the console's first line: {@code 2026-11-22T10:15:30.123Z 12.345 text}.
   */
  public ConsoleBuilder timedFile(Path file) {
    this.timedFile = Options.once("timedFile", this.timedFile, file);
    return this;
  }

  /** How long waits last that name no timeout; 30 s unless set. */
  public ConsoleBuilder timeout(Duration timeout) {
    this.timeout = Options.timeout(this.timeout, timeout);
    return this;
  }

  /** Describes what is behind the console, for messages: whether it runs, why it ended. */
  public ConsoleBuilder state(Supplier<String> state) {
    this.state = Options.once("state", this.state, state);
    return this;
  }

  /**
   * Called with every chunk of bytes as it arrives, on the console's own thread: it must not block.
   * Several may be added.
   */
  public ConsoleBuilder listener(Consumer<ByteBuffer> listener) {
    listeners.add(listener);
    return this;
  }

  /** Called with every line from the first one on, see {@link Console#follow}. Several may be. */
  public ConsoleBuilder follower(Consumer<Transcript.Line> follower) {
    followers.add(follower);
    return this;
  }

  /**
   * The kernel's failures that end a wait; {@link KernelFailure#errors()} unless set. An empty set
   * turns that off.
   */
  public ConsoleBuilder failOn(Set<KernelFailure> failures) {
    this.failOn = Options.once("failOn", this.failOn, Set.copyOf(failures));
    return this;
  }

  /** Takes over the channel and starts to read it. */
  public Console open() {
    return new Console(this).start();
  }
}
