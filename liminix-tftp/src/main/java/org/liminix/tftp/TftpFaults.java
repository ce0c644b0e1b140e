package org.liminix.tftp;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link TftpServer} does wrong on purpose, to see how a boot loader bears it.
 *
 * <pre>{@code
 * TftpFaults.none()
 *     .drop(TftpFaults.Packet.DATA, 3)
 *     .delay(TftpFaults.Packet.DATA, 10, Duration.ofMillis(300))
 *     .drop(TftpFaults.Packet.ACK, 20)
 * }</pre>
 *
 * <p>Packets of each kind are counted from 1 in each transfer, those sent again included: DATA and
 * OACK of a read and ACK of a write as the server sends them, the others as they come in.
 * Immutable: each method returns a copy with one fault more.
 */
public final class TftpFaults {
  /** The kinds of packet that pass within a transfer. */
  public enum Packet {
    /** A block. */
    DATA,
    /** An acknowledgement. */
    ACK,
    /** An answer to options. */
    OACK,
    /** An error. */
    ERROR
  }

  /** What becomes of a packet. */
  sealed interface Action {
    record Drop() implements Action {}

    record Delay(Duration by) implements Action {}

    record Duplicate() implements Action {}

    /** Keep it until the next one has passed. */
    record Swap() implements Action {}

    record Corrupt() implements Action {}

    /** Let an error pass in its place. */
    record Fail(TftpError error, String message) implements Action {}

    /** Let nothing pass any more. */
    record Stall() implements Action {}

    record Run(Runnable action) implements Action {}
  }

  /** Loses packets by chance, the same ones for the same seed. */
  record Loss(Packet packet, double share, long seed) {}

  /** One fault: the Nth packet of a kind. */
  record Rule(Packet packet, long number, Action action) {}

  private static final TftpFaults NONE =
      new TftpFaults(List.of(), List.of(), request -> true, null);

  private final List<Rule> rules;
  private final List<Loss> losses;
  private final Predicate<TftpRequest> scope;
  private final @Nullable TftpException refusal;

  private TftpFaults(
      List<Rule> rules,
      List<Loss> losses,
      Predicate<TftpRequest> scope,
      @Nullable TftpException refusal) {
    this.rules = rules;
    this.losses = losses;
    this.scope = scope;
    this.refusal = refusal;
  }

  /** No faults, to begin with. */
  public static TftpFaults none() {
    return NONE;
  }

  /** Loses the Nth packet of that kind. */
  public TftpFaults drop(Packet packet, long number) {
    return with(packet, number, new Action.Drop());
  }

  /** Holds the Nth packet of that kind up. */
  public TftpFaults delay(Packet packet, long number, Duration by) {
    return with(packet, number, new Action.Delay(by));
  }

  /** Lets the Nth packet of that kind pass twice. */
  public TftpFaults duplicate(Packet packet, long number) {
    return with(packet, number, new Action.Duplicate());
  }

  /** Lets the Nth packet of that kind pass behind the one that follows it. */
  public TftpFaults reorder(Packet packet, long number) {
    return with(packet, number, new Action.Swap());
  }

  /** Inverts the last byte of the Nth packet of that kind; its UDP checksum is right. */
  public TftpFaults corrupt(Packet packet, long number) {
    return with(packet, number, new Action.Corrupt());
  }

  /** Lets an error pass in place of the Nth packet of that kind, and goes on as if nothing was. */
  public TftpFaults fail(Packet packet, long number, TftpError error, String message) {
    return with(packet, number, new Action.Fail(error, message));
  }

  /** Lets nothing pass from the Nth packet of that kind on. */
  public TftpFaults stall(Packet packet, long number) {
    return with(packet, number, new Action.Stall());
  }

  /**
   * Does something before the Nth packet of that kind passes, such as changing the file under way.
   * Runs on the server's event loop.
   */
  public TftpFaults before(Packet packet, long number, Runnable action) {
    return with(packet, number, new Action.Run(Objects.requireNonNull(action)));
  }

  /**
   * Loses a share of the packets of that kind.
   *
   * @param share from 0 to 1
   * @param seed the same seed loses the same packets
   */
  public TftpFaults lose(Packet packet, double share, long seed) {
    if (!(share >= 0 && share <= 1)) {
      throw new IllegalArgumentException("A share lies between 0 and 1, not at " + share);
    }
    List<Loss> more = new ArrayList<>(losses);
    more.add(new Loss(packet, share, seed));
    return new TftpFaults(rules, List.copyOf(more), scope, refusal);
  }

  /** Answers every request with an error. */
  public TftpFaults refuse(TftpError error, String message) {
    return new TftpFaults(rules, losses, scope, new TftpException(error, message));
  }

  /** Keeps to the requests that pass the test; others are served without fault. */
  public TftpFaults when(Predicate<TftpRequest> test) {
    return new TftpFaults(rules, losses, scope.and(test), refusal);
  }

  private TftpFaults with(Packet packet, long number, Action action) {
    if (number < 1) {
      throw new IllegalArgumentException("Packets are counted from 1, so there is no " + number);
    }
    List<Rule> more = new ArrayList<>(rules);
    more.add(new Rule(Objects.requireNonNull(packet), number, action));
    return new TftpFaults(List.copyOf(more), losses, scope, refusal);
  }

  boolean applyTo(TftpRequest request) {
    return scope.test(request);
  }

  List<Rule> rules() {
    return rules;
  }

  List<Loss> losses() {
    return losses;
  }

  @Nullable TftpException refusal() {
    return refusal;
  }
}
