package org.liminix.qemu;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A program to be run by the guest agent.
 *
 * <pre>{@code
 * GuestResult loaded = vm.agent().command("nft", "-f", "-").input(rules).run().orThrow();
 * }</pre>
 *
 * <p>Each option once; not thread-safe.
 */
public final class GuestCommand {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(60);

  private final AgentPrograms programs;
  private final List<String> words;
  private byte @Nullable [] input;
  private @Nullable Duration timeout;

  GuestCommand(AgentPrograms programs, List<String> words) {
    this.programs = programs;
    this.words = words;
  }

  /** What it reads from standard input, in UTF-8; nothing unless set. */
  public GuestCommand input(String text) {
    return input(text.getBytes(StandardCharsets.UTF_8));
  }

  /** What it reads from standard input; nothing unless set. */
  public GuestCommand input(byte[] bytes) {
    if (input != null) {
      throw new IllegalStateException("input has been set already; give all of it in one call");
    }
    input = bytes.clone();
    return this;
  }

  /** How long to wait for its end; 60 s unless set. */
  public GuestCommand timeout(Duration timeout) {
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
   * @throws org.liminix.process.WaitTimeoutException if it has not ended in time; it goes on
   * @throws AgentException if the agent refuses, or is gone before
   */
  public GuestResult run() {
    return programs.run(
        words, input == null ? new byte[0] : input, timeout == null ? DEFAULT_TIMEOUT : timeout);
  }

  @Override
  public String toString() {
    return "GuestCommand" + words;
  }
}
