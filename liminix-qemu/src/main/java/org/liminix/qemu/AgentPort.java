package org.liminix.qemu;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The serial port of the guest agent: whether the guest has it open, which QEMU reports, and
 * whether both ends agree on where a message begins (qga/qapi-schema.json, guest-sync-delimited).
 */
final class AgentPort implements JsonChannel.Protocol {
  /** Of the device and of its character device, in QEMU. */
  static final String ID = "agent";

  /** By which the agent finds it, in the guest. */
  static final String NAME = "org.qemu.guest_agent.0";

  private static final Logger log = LoggerFactory.getLogger(AgentPort.class);

  private static final Duration QEMU_ANSWERS = Duration.ofSeconds(30);

  private final String agent;
  private final Supplier<String> state;
  private final Qmp qmp;
  private final JsonChannel channel;
  private volatile Consumer<AgentException> whenGone = reason -> {};
  private final SecureRandom random = new SecureRandom();

  /**
   * Held from a request to its answer. The agent reads 4096 bytes at a time, and where a request
   * ends before what it has read does, its answer fails with "Illegal seek" and is lost (GLib's
   * g_io_channel_write_chars, which seeks back over what was read; seen with qemu-ga 7.2).
   */
  private final ReentrantLock turn = new ReentrantLock(true);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private boolean open; // guarded by lock
  private int closings; // guarded by lock
  private volatile boolean synchronous;

  /**
   * Takes over a socket that QEMU is connected to.
   *
   * @param state says what is known of the machine
   */
  AgentPort(String vm, UnixSocket socket, Qmp qmp, Supplier<String> state) {
    this.agent = "The guest agent of " + vm;
    this.state = state;
    this.qmp = qmp;
    this.channel = new JsonChannel("agent-" + vm, socket, this);
  }

  /** Begins, and tells whenever what the agent was doing will not be answered. */
  void open(Consumer<AgentException> whenGone) {
    this.whenGone = whenGone;
    qmp.onEvent(this::note);
    channel.start();
    var unused = query();
  }

  /** Asks QEMU whether the guest has the port open, in order with the events that say so. */
  private CompletableFuture<Boolean> query() {
    return qmp.executeAsync("query-chardev", Map.of())
        .thenApply(
            devices -> {
              for (JsonElement device : devices.getAsJsonArray()) {
                JsonObject fields = device.getAsJsonObject();
                if (fields.get("label").getAsString().equals(ID)) {
                  set(fields.get("frontend-open").getAsBoolean());
                }
              }
              return isSetOpen();
            });
  }

  private boolean isSetOpen() {
    lock.lock();
    try {
      return open;
    } finally {
      lock.unlock();
    }
  }

  /** Whether the guest has it open. */
  boolean isOpen() {
    return channel.await(query(), "QEMU's word on " + agent, QEMU_ANSWERS);
  }

  /** Whoever had the port open is gone, though another agent may have it. */
  void forget() {
    set(false);
    var unused = query();
  }

  private void note(QmpEvent event) {
    if (event.name().equals("RESET")) {
      forget();
    } else if (event.name().equals("VSERPORT_CHANGE")
        && event.data().get("id").getAsString().equals(ID)) {
      if (event.data().get("open").getAsBoolean()) {
        set(true);
      } else {
        forget(); // QEMU sends one of these a second, so that this may be old news
      }
    }
  }

  private void set(boolean opened) {
    lock.lock();
    try {
      open = opened;
      if (!opened) {
        closings++;
        synchronous = false;
      }
      changed.signalAll();
    } finally {
      lock.unlock();
    }
    if (!opened) {
      AgentException reason =
          new AgentException(
              agent + " has closed its port: the guest restarts, or its service was stopped", null);
      channel.abandon(reason);
      whenGone.accept(reason);
    }
  }

  boolean isSynchronous() {
    return synchronous;
  }

  /** Makes sure that the agent answers, however little of the last conversation it knows. */
  void synchronize(Deadline deadline) {
    if (synchronous) {
      return;
    }
    acquireTurn(deadline);
    try {
      while (!synchronous) {
        attempt(deadline);
      }
    } finally {
      turn.unlock();
    }
  }

  private void acquireTurn(Deadline deadline) {
    try {
      if (!turn.tryLock(deadline.remainingNanos(), TimeUnit.NANOSECONDS)) {
        throw noAnswer(deadline);
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException(agent, e);
    }
  }

  private void attempt(Deadline deadline) {
    int attempt = awaitOpen(deadline);
    long id = random.nextInt(Integer.MAX_VALUE);
    CompletableFuture<JsonElement> answer =
        channel.sendAfresh("guest-sync-delimited", Map.of("id", id), deadline);
    var unused = answer.whenComplete((value, failure) -> signal());
    lock.lock();
    try {
      while (!answer.isDone() && closings == attempt) {
        if (!deadline.await(changed) && !answer.isDone()) {
          throw noAnswer(deadline);
        }
      }
      if (closings != attempt) {
        return; // asked of an agent that is gone: ask the next one
      }
      synchronous = channel.await(answer, agent, Duration.ZERO).getAsLong() == id;
    } catch (InterruptedException e) {
      throw new WaitInterruptedException(agent, e);
    } finally {
      lock.unlock();
    }
  }

  private int awaitOpen(Deadline deadline) {
    lock.lock();
    try {
      while (!open) {
        VmException reason = channel.ended();
        if (reason != null) {
          throw rethrown(reason);
        }
        if (!deadline.await(changed) && !open && channel.ended() == null) {
          throw noAgent(deadline);
        }
      }
      return closings;
    } catch (InterruptedException e) {
      throw new WaitInterruptedException(agent, e);
    } finally {
      lock.unlock();
    }
  }

  private void signal() {
    lock.lock();
    try {
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private WaitTimeoutException noAgent(Deadline deadline) {
    return new WaitTimeoutException(
        ("%s has not come within %s: nothing in the guest has opened the serial port %s. Its image"
                + " needs the package qemu-guest-agent and the kernel module virtio_console, and"
                + " must start the unit qemu-guest-agent.service or, without systemd,"
                + " \"qemu-ga -p /dev/vport*p1\".%n%s")
            .formatted(agent, Deadline.readable(deadline.timeout()), NAME, state.get()));
  }

  private WaitTimeoutException noAnswer(Deadline deadline) {
    return new WaitTimeoutException(
        ("%s has opened its serial port and not answered within %s: it is busy, or what opened %s"
                + " is not qemu-ga.%n%s")
            .formatted(agent, Deadline.readable(deadline.timeout()), NAME, state.get()));
  }

  /** Has the agent execute a command. */
  JsonElement execute(String command, Map<String, ?> arguments, Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    acquireTurn(deadline);
    try {
      synchronize(deadline);
      return await(channel.send(command, arguments, deadline), "to answer " + command, deadline);
    } catch (WaitTimeoutException | WaitInterruptedException e) {
      synchronous = false;
      throw e;
    } finally {
      turn.unlock();
    }
  }

  /** Sends a command that the agent may not live to answer. */
  CompletableFuture<JsonElement> send(String command, Map<String, ?> arguments, Deadline deadline) {
    acquireTurn(deadline);
    try {
      synchronize(deadline);
      return channel.send(command, arguments, deadline);
    } finally {
      turn.unlock();
    }
  }

  /** Waits for something that the agent is to do. */
  <T> T await(CompletableFuture<T> result, String what, Deadline deadline) {
    try {
      return channel.await(result, agent + " " + what, deadline.remaining());
    } catch (WaitTimeoutException e) {
      throw new WaitTimeoutException(
          "Waited %s in vain for %s %s.%n%s"
              .formatted(
                  Deadline.readable(deadline.timeout()),
                  agent.replaceFirst("^T", "t"),
                  what,
                  state.get()));
    }
  }

  @Override
  public void accept(JsonObject message) {
    log.debug("{} said what answers nothing: {}", agent, message);
  }

  @Override
  public void noise(String line, RuntimeException problem) {
    log.debug("{} said half a message: {}", agent, line);
  }

  @Override
  public VmException refusal(JsonObject error) {
    return new AgentException(
        agent, error.get("class").getAsString(), error.get("desc").getAsString());
  }

  @Override
  public VmException gone(@Nullable Throwable cause) {
    return new AgentException(
        agent + " is gone: " + (cause == null ? "its machine has ended" : cause), cause);
  }

  @Override
  public VmException rethrown(@Nullable Throwable failure) {
    return AgentException.rethrown(failure);
  }

  @Override
  public void ended(VmException reason) {
    whenGone.accept(AgentException.rethrown(reason));
    signal();
  }

  @Override
  public String toString() {
    return agent;
  }
}
