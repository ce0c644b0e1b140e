package org.liminix.isp;

import java.net.Inet4Address;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.liminix.net.MacAddress;
import org.liminix.process.Deadline;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;

/** A session of an ISP in a virtual machine. Thread-safe. */
final class GuestSession implements IspSession {
  private final int id;
  private final String user;
  private final Inet4Address address;
  private final MacAddress peer;
  private final Consumer<GuestSession> terminator;
  private final CompletableFuture<GuestSession> end = new CompletableFuture<>();

  /**
   * A session in which packets flow.
   *
   * @param terminator has the machine end it
   */
  GuestSession(
      int id,
      String user,
      Inet4Address address,
      MacAddress peer,
      Consumer<GuestSession> terminator) {
    this.id = id;
    this.user = user;
    this.address = address;
    this.peer = peer;
    this.terminator = terminator;
  }

  @Override
  public int id() {
    return id;
  }

  @Override
  public String user() {
    return user;
  }

  @Override
  public Inet4Address address() {
    return address;
  }

  @Override
  public MacAddress peer() {
    return peer;
  }

  @Override
  public boolean isOpen() {
    return !end.isDone();
  }

  @Override
  public void terminate() {
    if (isOpen()) {
      terminator.accept(this);
    }
  }

  void ended() {
    end.complete(this);
  }

  @Override
  public void awaitEnd(Duration timeout) {
    try {
      end.get(Deadline.after(timeout).remainingNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new WaitTimeoutException(
          "No end of %s within %s".formatted(this, Deadline.readable(timeout)));
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("end of " + this, e);
    } catch (ExecutionException e) {
      throw new IllegalStateException(e); // it never fails
    }
  }

  @Override
  public String toString() {
    return "IspSession[%d %s %s %s %s]"
        .formatted(id, user, address.getHostAddress(), peer, isOpen() ? "OPEN" : "CLOSED");
  }
}
