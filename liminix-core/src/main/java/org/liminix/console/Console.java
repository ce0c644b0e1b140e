package org.liminix.console;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;
import org.liminix.process.WaitInterruptedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The console of a router or board: everything it says is kept, and a test can wait for what it
 * should say next.
 *
 * <pre>{@code
 * try (Console console = Console.over(UnixSocket.connect(path)).name("router").open()) {
 *   console.expect("Please press Enter");
 *   console.sendLine("");
 *   Match address = console.expect(Pattern.compile("inet ([0-9.]+)"), Duration.ofSeconds(30));
 * }
 * }</pre>
 *
 * <p>One thread owns the channel and reads it all the time, so nothing is lost when nobody waits. A
 * wait looks at what has come since the end of the previous match, and ends when the text matches,
 * when its deadline passes, when the kernel behind the console fails, or when the console ends. It
 * finds the kernel's messages, and also text that they split: {@code log[ 1.234567] eth0: link up},
 * a new line and {@code in:} is {@code login:}, too.
 *
 * <p>A {@link KernelFailure} that came before what was awaited, or while it is, ends the wait with
 * a {@link KernelException}, once; a panic ends all further waits for what has not been said, too,
 * until a kernel boots. Who expects the kernel's report itself gets a match instead. Waits and
 * {@linkplain Shell commands} belong to one thread at a time, since each moves the place where the
 * next one starts; sending, and reading the {@link #transcript()}, may happen from any thread.
 *
 * <p>Whoever opened it closes it, which closes the channel, too.
 */
public final class Console implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Console.class);

  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
  private static final int CHUNK_BYTES = 65_536;

  /**
   * How far before the text it has not seen yet a regular expression's match may begin. It bounds
   * the work of a wait to a small multiple of the output.
   */
  private static final int LOOK_BEHIND = 16_384;

  private static final int QUOTED_LINES = 12;

  private final String name;
  private final ByteChannel channel;
  private final Duration defaultTimeout;
  private final Supplier<String> state;
  private final Transcript transcript;
  private final @Nullable FileChannel file;
  private final @Nullable TimedLog timedFile;
  private final List<Consumer<ByteBuffer>> listeners;
  private final List<Consumer<Transcript.Line>> followers = new CopyOnWriteArrayList<>();
  private final Logger transcriptLog;

  private final ConsoleText text;
  private final Audience audience;
  private int followed; // of the console's own thread

  Console(ConsoleBuilder builder) {
    this.name = builder.name == null ? "console" : builder.name;
    this.channel = builder.channel;
    this.defaultTimeout = builder.timeout == null ? DEFAULT_TIMEOUT : builder.timeout;
    this.state = builder.state == null ? () -> "" : builder.state;
    this.file = builder.file == null ? null : openLog(builder.file, Console::openFile);
    this.timedFile = builder.timedFile == null ? null : openLog(builder.timedFile, TimedLog::open);
    this.text =
        new ConsoleText(
            name, builder.failOn == null ? KernelFailure.errors() : builder.failOn, this::report);
    this.audience = new Audience(name, text);
    this.transcript = new Transcript(text, builder.file, builder.timedFile);
    this.transcriptLog =
        LoggerFactory.getLogger(Console.class.getPackageName() + ".transcript." + name);
    followers.addAll(builder.followers);
    this.listeners = List.copyOf(builder.listeners);
  }

  /** A builder for the console at the other end of a channel that blocks. */
  public static ConsoleBuilder over(ByteChannel channel) {
    return new ConsoleBuilder(channel);
  }

  Console start() {
    Thread pump = new Thread(this::pump, "liminix-console-" + name);
    pump.setDaemon(true);
    try {
      pump.start();
    } catch (Error e) { // there is no memory for a thread
      end(e);
      throw e;
    }
    return this;
  }

  /** Its name in messages and logs. */
  public String name() {
    return name;
  }

  /** Everything it has said. */
  public Transcript transcript() {
    return transcript;
  }

  /** {@link #expect(String, Duration)} with the console's default timeout. */
  public Match expect(String expected) {
    return expect(expected, defaultTimeout);
  }

  /**
   * Waits until the text appears.
   *
   * @throws ConsoleTimeoutException if it does not appear in time
   * @throws ConsoleClosedException if the console ends before
   * @throws WaitInterruptedException if the thread is interrupted
   */
  public Match expect(String expected, Duration timeout) {
    return await(
        List.of(literal(expected)), expected.length() - 1, timeout, "\"" + expected + "\"");
  }

  /** {@link #expect(Pattern, Duration)} with the console's default timeout. */
  public Match expect(Pattern expected) {
    return expect(expected, defaultTimeout);
  }

  /**
   * Waits until the regular expression finds a match. Text arrives in pieces: an expression that
   * would also match less, such as {@code [0-9]+}, should say what ends it. A match spans at most
   * 16,384 characters of text that earlier pieces brought.
   *
   * @throws ConsoleTimeoutException if there is no match in time
   * @throws ConsoleClosedException if the console ends before
   * @throws WaitInterruptedException if the thread is interrupted
   */
  public Match expect(Pattern expected, Duration timeout) {
    return await(List.of(expected), LOOK_BEHIND, timeout, "/" + expected + "/");
  }

  /** {@link #expectAny(Duration, String...)} with the console's default timeout. */
  public Match expectAny(String... expected) {
    return expectAny(defaultTimeout, expected);
  }

  /**
   * Waits until one of the texts appears; {@link Match#index()} says which. Of several the one
   * counts that begins first, then the one that was named first.
   *
   * @throws ConsoleTimeoutException if none appears in time
   * @throws ConsoleClosedException if the console ends before
   */
  public Match expectAny(Duration timeout, String... expected) {
    return expectAny(
        timeout, Arrays.stream(expected).map(Console::literal).toArray(Pattern[]::new));
  }

  /** {@link #expectAny(Duration, Pattern...)} with the console's default timeout. */
  public Match expectAny(Pattern... expected) {
    return expectAny(defaultTimeout, expected);
  }

  /**
   * Waits until one of the regular expressions finds a match, see {@link #expect(Pattern,
   * Duration)}; {@link Match#index()} says which.
   *
   * @throws ConsoleTimeoutException if none finds a match in time
   * @throws ConsoleClosedException if the console ends before
   */
  public Match expectAny(Duration timeout, Pattern... expected) {
    if (expected.length == 0) {
      throw new IllegalArgumentException("Nothing would ever match: say what to expect");
    }
    List<Pattern> patterns = List.of(expected);
    return await(patterns, LOOK_BEHIND, timeout, "any of " + patterns);
  }

  /** {@link #expectQuiet(Duration, Duration)} with the console's default timeout. */
  public String expectQuiet(Duration quiet) {
    return expectQuiet(quiet, defaultTimeout);
  }

  /**
   * Waits until nothing more has come for some time, or the console ends. The next wait begins
   * there.
   *
   * @return what has come since the previous match
   * @throws ConsoleTimeoutException if it is not quiet for so long before the time is up
   */
  public String expectQuiet(Duration quiet, Duration timeout) {
    if (quiet.isNegative() || quiet.isZero()) {
      throw new IllegalArgumentException("Silence takes longer than nothing: " + quiet);
    }
    return text.expectQuiet(quiet, Deadline.after(timeout));
  }

  /**
   * Tells that another kernel is behind the console from now on, as when the power comes back. What
   * failed before is over, and the clock by which messages are judged starts anew.
   */
  public void kernelChanged() {
    text.kernelChanges(KernelMonitor::changed);
  }

  /** Tells that the state of the machine is saved under that name, of which the last one counts. */
  public void kernelSaved(String name) {
    text.withKernel(kernel -> kernel.saved(name));
  }

  /**
   * Tells that the machine goes on from the state that was saved under that name: what has failed
   * since is undone, and the kernel's clock is what it was.
   */
  public void kernelRestored(String name) {
    text.kernelChanges(kernel -> kernel.restored(name));
  }

  /**
   * Runs a block in which such a failure of the kernel ends no wait, also not later. Blocks may be
   * within each other; when one ends, also by an exception, what the others tolerate still is.
   *
   * @return what the block returns
   */
  public <T> T tolerating(KernelFailure failure, Supplier<T> block) {
    return tolerating(Set.of(failure), block);
  }

  /** {@link #tolerating(KernelFailure, Supplier)} for a block that returns nothing. */
  public void tolerating(KernelFailure failure, Runnable block) {
    tolerating(Set.of(failure), block);
  }

  /** {@link #tolerating(KernelFailure, Supplier)} for several failures. */
  public <T> T tolerating(Set<KernelFailure> failures, Supplier<T> block) {
    return text.tolerating(failures, block);
  }

  /** {@link #tolerating(KernelFailure, Supplier)} for several failures, returning nothing. */
  public void tolerating(Set<KernelFailure> failures, Runnable block) {
    var unused =
        text.tolerating(
            failures,
            () -> {
              block.run();
              return true;
            });
  }

  private static Pattern literal(String expected) {
    if (expected.isEmpty()) {
      throw new IllegalArgumentException("An empty text matches anything: say what to expect");
    }
    return Pattern.compile(expected, Pattern.LITERAL);
  }

  private Match await(
      List<Pattern> expected, int lookBehind, Duration timeout, String description) {
    return text.expect(
        new ConsoleText.Wanted(expected, lookBehind, false, description), Deadline.after(timeout));
  }

  /** What the shell needs beyond what everybody may do. */
  ConsoleText consoleText() {
    return text;
  }

  /** A message about this console, with what is known of the thing behind it. */
  private String report(String what) {
    StringBuilder report = new StringBuilder("Console ").append(name).append(' ').append(what);
    String known = state.get();
    if (!known.isEmpty()) {
      report.append("\n").append(known);
    }
    String last = transcript.lastLines(QUOTED_LINES);
    if (last.isBlank()) {
      report.append("\nIt has not said anything.");
    } else {
      report.append("\nIts last lines:\n").append(last.indent(4).stripTrailing());
    }
    transcript.file().ifPresent(path -> report.append("\nFull log: ").append(path));
    return report.toString();
  }

  static String readable(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + " s"
        : duration.toMillis() + " ms";
  }

  /**
   * Types the text, as UTF-8.
   *
   * @throws ConsoleClosedException if the console has ended
   * @throws WaitInterruptedException if the thread is interrupted while the console takes nothing
   */
  public void send(String input) {
    send(ByteBuffer.wrap(input.getBytes(StandardCharsets.UTF_8)));
  }

  /** Types the text and a newline. */
  public void sendLine(String input) {
    send(input + "\n");
  }

  /** Sends bytes as they are. */
  void send(ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw new ConsoleClosedException(report("takes no input any more"), e);
    }
  }

  /**
   * Attaches the terminal this program runs in, as {@link Attachment#joinOrWait} does, and blocks
   * until the person leaves or the console ends.
   *
   * @throws WaitInterruptedException if the thread is interrupted
   */
  public Departure attach() {
    try (RunDirectory directory = RunDirectory.create(name);
        ConsoleServer server = ConsoleServer.serve(this, directory.socket(Attachment.CONSOLE))) {
      return Attachment.joinOrWait(directory.path());
    }
  }

  /** Those who join it while it is open. */
  Audience audience() {
    return audience;
  }

  /**
   * Has the follower called with every line that ends from now on, when it ends; a last one without
   * an end when the console ends. It is called on the console's own thread and must not block. The
   * same lines go to the SLF4J logger {@code org.liminix.console.transcript.NAME}, level debug.
   *
   * @return what ends that when it is closed
   */
  public AutoCloseable follow(Consumer<Transcript.Line> follower) {
    followers.add(follower);
    return () -> followers.remove(follower);
  }

  /** Whether its channel is closed or at its end, so that no more will come. */
  public boolean hasEnded() {
    return text.hasEnded();
  }

  private void pump() {
    TerminalDecoder decoder = new TerminalDecoder();
    ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
    Throwable cause = null;
    try {
      while (channel.read(chunk) >= 0) {
        chunk.flip();
        publish(chunk, decoder);
        chunk.clear();
      }
    } catch (ClosedChannelException e) {
      log.debug("Console {} is closed", name);
    } catch (IOException | RuntimeException e) {
      cause = e;
    } finally {
      end(cause);
    }
  }

  private void publish(ByteBuffer chunk, TerminalDecoder decoder) {
    long now = System.currentTimeMillis();
    if (file != null) {
      ByteBuffer copy = chunk.duplicate();
      keep(
          () -> {
            while (copy.hasRemaining()) {
              file.write(copy);
            }
          });
    }
    for (Consumer<ByteBuffer> listener : listeners) {
      tell(listener, chunk.asReadOnlyBuffer());
    }
    ByteBuffer bytes = chunk.asReadOnlyBuffer();
    int count = decoder.decode(chunk);
    if (timedFile != null) {
      keep(() -> timedFile.append(now, decoder.output(), count));
    }
    audience.say(now, bytes, decoder.output(), count);
    publishLines(transcript.endedLines());
  }

  /** Does something with a log, which is of less importance than what is going on. */
  private void keep(Keeping keeping) {
    try {
      keeping.run();
    } catch (IOException e) {
      log.warn("A log of console {} is incomplete: {}", name, e.toString());
    }
  }

  private interface Keeping {
    void run() throws IOException;
  }

  private void publishLines(int lines) {
    for (; followed < lines; followed++) {
      if (!followers.isEmpty() || transcriptLog.isDebugEnabled()) {
        Transcript.Line line = transcript.line(followed);
        transcriptLog.debug("{}", line.text());
        followers.forEach(follower -> tell(follower, line));
      }
    }
  }

  private <T> void tell(Consumer<T> listener, T what) {
    try {
      listener.accept(what);
    } catch (RuntimeException e) {
      log.warn("A listener of console {} failed", name, e);
    }
  }

  private void end(@Nullable Throwable cause) {
    if (timedFile != null) {
      keep(timedFile::close);
    }
    text.end(cause);
    audience.end();
    publishLines(transcript.size());
    close();
    if (file != null) {
      keep(file::close);
    }
  }

  private interface Opening<T> {
    T open(Path path) throws IOException;
  }

  private static <T> T openLog(Path path, Opening<T> opening) {
    try {
      return opening.open(path);
    } catch (IOException e) {
      throw new ConsoleException("Cannot write the console's log " + path + ": " + e, e);
    }
  }

  private static FileChannel openFile(Path path) throws IOException {
    return FileChannel.open(
        path, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
  }

  /** Closes the channel; waits end with {@link ConsoleClosedException}. Idempotent. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      log.debug("Closing console {}", name, e);
    }
  }

  @Override
  public String toString() {
    return "Console[" + name + "]";
  }
}
