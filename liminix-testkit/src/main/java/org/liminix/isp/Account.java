package org.liminix.isp;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.liminix.net.internal.Ipv4;

/**
 * Somebody who may dial in at a {@link BorderNetworkGateway}, and what they are sold.
 *
 * <pre>{@code
 * Account ann =
 *     Account.of("ann", "secret")
 *         .address("192.168.100.200")
 *         .limit(1)
 *         .rate(50_000_000, 10_000_000)
 *         .sessionTimeout(Duration.ofHours(24));
 * BorderNetworkGateway isp = BorderNetworkGateway.account(ann).start(segments);
 * }</pre>
 *
 * <p>An immutable value, of which each method returns a changed copy.
 */
public final class Account {
  /** Lengths in PAP, and CHAP's together with the rest, fit a byte. */
  private static final int MAX_BYTES = 255;

  private static final Duration DEFAULT_QUEUE = Duration.ofMillis(200);

  private final String user;
  private final String secret;
  final Terms terms;

  private Account(String user, String secret, Terms terms) {
    this.user = user;
    this.secret = secret;
    this.terms = terms;
  }

  /** What it is sold; a copy is changed before anybody else sees it. */
  static final class Terms implements Cloneable {
    @Nullable Integer address;
    int limit = Integer.MAX_VALUE;
    long downBitsPerSecond; // 0 if there is no limit
    long upBitsPerSecond;
    Duration queue = DEFAULT_QUEUE;
    @Nullable Duration idleTimeout;
    @Nullable Duration sessionTimeout;

    private Terms copy() {
      try {
        return (Terms) clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }
  }

  private interface Change {
    void to(Terms terms);
  }

  private Account with(Change change) {
    Terms changed = terms.copy();
    change.to(changed);
    return new Account(user, secret, changed);
  }

  /**
   * An account with an address of the pool, as many sessions as it likes, and no limits.
   *
   * @param user the name it dials with, 1 to 255 bytes
   * @param secret what proves it, at most 255 bytes
   */
  public static Account of(String user, String secret) {
    refuse(user.isEmpty() || length(user) > MAX_BYTES, "a user has 1 to 255 bytes: " + user);
    refuse(length(secret) > MAX_BYTES, "the secret of " + user + " is over 255 bytes long");
    return new Account(user, secret, new Terms());
  }

  private static int length(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  private static void refuse(boolean badValue, String message) {
    if (badValue) {
      throw new IllegalArgumentException("Account: " + message);
    }
  }

  /**
   * Always this address, in the pool or not, which nobody else gets. While a session has it, a
   * second one of the account gets an address of the pool.
   */
  public Account address(String address) {
    int parsed = Ipv4.parse(address);
    refuse(
        parsed == 0 || parsed == Ipv4.BROADCAST || Ipv4.isMulticast(parsed),
        address + " is no address of a host");
    return with(terms -> terms.address = parsed);
  }

  /** At most so many sessions at once; those beyond are refused at authentication. */
  public Account limit(int sessions) {
    refuse(
        sessions < 1, "limit(" + sessions + "): a limit is at least 1; or leave the account out");
    return with(terms -> terms.limit = sessions);
  }

  /**
   * So many bits a second of IP packets, to the client and from it. What comes faster waits, see
   * {@link #queue}.
   */
  public Account rate(long downBitsPerSecond, long upBitsPerSecond) {
    refuse(
        downBitsPerSecond <= 0 || upBitsPerSecond <= 0,
        "rate(%d, %d): a rate is positive".formatted(downBitsPerSecond, upBitsPerSecond));
    return with(
        terms -> {
          terms.downBitsPerSecond = downBitsPerSecond;
          terms.upBitsPerSecond = upBitsPerSecond;
        });
  }

  /**
   * How long a packet waits for its turn at most where there is a {@link #rate}, else it is dropped
   * and counted; otherwise 200 ms.
   */
  public Account queue(Duration longest) {
    refuse(longest.isNegative(), "queue(" + longest + "): a time is not negative");
    return with(terms -> terms.queue = longest);
  }

  /** Its sessions end when no IP packet has come or gone for so long; otherwise never. */
  public Account idleTimeout(Duration timeout) {
    Duration checked = positive("idleTimeout", timeout);
    return with(terms -> terms.idleTimeout = checked);
  }

  /** Its sessions end at this age, as once a day with some ISPs; otherwise never. */
  public Account sessionTimeout(Duration timeout) {
    Duration checked = positive("sessionTimeout", timeout);
    return with(terms -> terms.sessionTimeout = checked);
  }

  private static Duration positive(String name, Duration time) {
    Objects.requireNonNull(time);
    refuse(time.isNegative() || time.isZero(), name + "(" + time + "): a timeout is positive");
    return time;
  }

  /** The name it dials with. */
  public String user() {
    return user;
  }

  String secret() {
    return secret;
  }

  /** Without the secret. */
  @Override
  public String toString() {
    return "Account[" + user + "]";
  }
}
