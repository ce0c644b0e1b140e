package org.liminix.qemu;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * QEMU's machine protocol (docs/interop/qmp-spec): commands that are answered, and events.
 *
 * <pre>{@code
 * JsonElement status = vm.qmp().execute("query-status");
 * vm.qmp().execute("set_link", Map.of("name", "lan", "up", false));
 * vm.qmp().onEvent(event -> log.info("{}", event));
 * }</pre>
 *
 * <p>Thread-safe: commands of several threads may be under way at once. Closed by its {@link Vm}.
 */
public final class Qmp {
  private static final Logger log = LoggerFactory.getLogger(Qmp.class);
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  private final String vm;
  private final JsonChannel channel;
  private final CompletableFuture<String> version = new CompletableFuture<>();
  private final List<Consumer<QmpEvent>> listeners = new CopyOnWriteArrayList<>();
  private final List<QmpEvents> subscriptions = new CopyOnWriteArrayList<>();
  private CompletableFuture<JsonElement> negotiated = new CompletableFuture<>();

  private Qmp(String vm, UnixSocket socket) {
    this.vm = vm;
    this.channel = new JsonChannel("qmp-" + vm, socket, new Protocol());
  }

  /** Takes over a connected socket and asks to leave the negotiation mode; nothing is awaited. */
  static Qmp open(String vm, UnixSocket socket) {
    Qmp qmp = new Qmp(vm, socket);
    qmp.channel.start();
    qmp.negotiated = qmp.executeAsync("qmp_capabilities", Map.of());
    return qmp;
  }

  /** Waits until QEMU has greeted and takes commands; those sent before have their turn then. */
  void awaitNegotiated(Duration timeout) {
    channel.await(negotiated, "QEMU's greeting for " + vm, timeout);
  }

  /** QEMU's version, such as 7.2.22. */
  public String version() {
    return version.getNow("");
  }

  /** {@link #execute(String, Map)} without arguments. */
  public JsonElement execute(String command) {
    return execute(command, Map.of());
  }

  /**
   * Has QEMU execute a command and waits for the answer, at most 30 s.
   *
   * @param command by its name in QEMU's QMP reference
   * @param arguments strings, numbers, booleans, lists, maps and JSON elements by name
   * @return the command's return value, an empty object if it has none
   * @throws QmpException if QEMU refuses it, or ends
   * @throws WaitTimeoutException if QEMU does not answer
   * @throws WaitInterruptedException if the thread is interrupted
   */
  public JsonElement execute(String command, Map<String, ?> arguments) {
    return execute(command, arguments, DEFAULT_TIMEOUT);
  }

  JsonElement execute(String command, Map<String, ?> arguments, Duration timeout) {
    return channel.await(
        channel.send(command, arguments, Deadline.after(timeout)),
        "QEMU's answer to " + command + " for " + vm,
        timeout);
  }

  /**
   * Sends a command and does not wait. The future completes with the return value, or with a {@link
   * QmpException}.
   *
   * @throws WaitTimeoutException if QEMU has not even taken the command after 30 s
   */
  public CompletableFuture<JsonElement> executeAsync(String command, Map<String, ?> arguments) {
    return channel.send(command, arguments, Deadline.after(DEFAULT_TIMEOUT));
  }

  /** Has the listener called for every event from now on, on the reading thread: do not block. */
  public void onEvent(Consumer<QmpEvent> listener) {
    listeners.add(listener);
  }

  /** Collects what QEMU reports from now on; close it when done. */
  public QmpEvents events() {
    QmpEvents events = new QmpEvents(this);
    subscriptions.add(events);
    VmException reason = channel.ended();
    if (reason != null) {
      events.end(reason);
    }
    return events;
  }

  void forget(QmpEvents events) {
    subscriptions.remove(events);
  }

  /**
   * Does something and waits for what QEMU reports of it, even if that comes before the action
   * returns.
   *
   * <pre>{@code
   * qmp.awaitEvent("RESET", Duration.ofSeconds(5), vm::reset);
   * }</pre>
   *
   * @throws WaitTimeoutException if no event of that name comes in time
   * @throws QmpException if QEMU ends before
   */
  public QmpEvent awaitEvent(String name, Duration timeout, Runnable action) {
    try (QmpEvents events = events()) {
      action.run();
      return events.await(name, timeout);
    }
  }

  /**
   * Has QEMU's human monitor execute a line, such as {@code info qtree}.
   *
   * @return what it prints, empty for most commands that succeed
   * @throws QmpException if there is no such command
   */
  public String monitor(String line) {
    String printed = execute("human-monitor-command", Map.of("command-line", line)).getAsString();
    if (printed.startsWith("unknown command:")) {
      throw new QmpException("CommandNotFound", "QEMU of " + vm + ": " + printed.strip());
    }
    return printed.replace("\r\n", "\n");
  }

  /** Has QEMU execute a job (qapi/job.json) under that id, and waits for its end. */
  void executeJob(String id, String command, Map<String, ?> arguments, Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    try (QmpEvents events = events()) {
      Map<String, Object> all = new HashMap<>(arguments);
      all.put("job-id", id);
      execute(command, all, deadline.remaining());
      JsonObject data;
      do {
        data = events.await("JOB_STATUS_CHANGE", deadline.remaining()).data();
      } while (!data.get("id").getAsString().equals(id)
          || !data.get("status").getAsString().equals("concluded"));
    }
    String error = "";
    for (JsonElement job : execute("query-jobs").getAsJsonArray()) {
      JsonObject fields = job.getAsJsonObject();
      if (fields.get("id").getAsString().equals(id) && fields.has("error")) {
        error = fields.get("error").getAsString();
      }
    }
    execute("job-dismiss", Map.of("id", id));
    if (!error.isEmpty()) {
      throw new QmpException("GenericError", "QEMU of " + vm + ": " + command + ": " + error);
    }
  }

  private final class Protocol implements JsonChannel.Protocol {
    @Override
    public void accept(JsonObject message) {
      if (message.has("QMP")) {
        JsonObject qemu =
            message.getAsJsonObject("QMP").getAsJsonObject("version").getAsJsonObject("qemu");
        version.complete(
            "%s.%s.%s".formatted(qemu.get("major"), qemu.get("minor"), qemu.get("micro")));
      } else if (message.has("event")) {
        QmpEvent event = event(message);
        subscriptions.forEach(events -> events.add(event));
        listeners.forEach(listener -> tell(listener, event));
      } else {
        log.warn("{} sent what is not in the protocol: {}", vm, message);
      }
    }

    @Override
    public void noise(String line, RuntimeException problem) {
      throw problem;
    }

    @Override
    public VmException refusal(JsonObject error) {
      return new QmpException(
          error.get("class").getAsString(),
          "QEMU of " + vm + ": " + error.get("desc").getAsString());
    }

    @Override
    public VmException gone(@Nullable Throwable cause) {
      return new QmpException("The control connection to the QEMU of " + vm + " is gone", cause);
    }

    @Override
    public VmException rethrown(@Nullable Throwable failure) {
      return QmpException.rethrown(failure);
    }

    @Override
    public void ended(VmException reason) {
      version.completeExceptionally(reason);
      subscriptions.forEach(events -> events.end(reason));
    }
  }

  /** A listener's failure is its own: answers and events go on. */
  private void tell(Consumer<QmpEvent> listener, QmpEvent event) {
    try {
      listener.accept(event);
    } catch (RuntimeException e) {
      log.error("A listener for the events of {} failed on {}", vm, event, e);
    }
  }

  private static QmpEvent event(JsonObject message) {
    JsonObject time = message.getAsJsonObject("timestamp");
    JsonObject data = message.getAsJsonObject("data");
    return new QmpEvent(
        message.get("event").getAsString(),
        data == null ? new JsonObject() : data,
        Instant.ofEpochSecond(
            time.get("seconds").getAsLong(), time.get("microseconds").getAsLong() * 1000));
  }

  @Override
  public String toString() {
    return "Qmp[" + vm + "]";
  }
}
