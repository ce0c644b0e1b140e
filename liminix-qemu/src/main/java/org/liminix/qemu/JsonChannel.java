package org.liminix.qemu;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitInterruptedException;
import org.liminix.process.WaitTimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commands and their answers, a JSON object on each line, as QEMU and its guest agent speak
 * (docs/interop/qmp-spec). Thread-safe: a thread of its own reads, any number may send.
 */
final class JsonChannel {
  private static final Logger log = LoggerFactory.getLogger(JsonChannel.class);

  /** What a byte that is no UTF-8, the sentinel among them, decodes to. */
  private static final char NOT_UTF_8 = '\ufffd';

  private static final byte SENTINEL = (byte) 0xff;

  /** What is particular to one of the two; called on the reading thread, so it must not block. */
  interface Protocol {
    /** A message that answers no command. */
    void accept(JsonObject message);

    /** A line that is no JSON object; throws what ends the channel, if it is to. */
    void noise(String line, RuntimeException problem);

    /** What the error in an answer comes to. */
    VmException refusal(JsonObject error);

    /** What commands fail with once the channel has ended. */
    VmException gone(@Nullable Throwable cause);

    /** The same failure with the stack of the thread that waited for it. */
    VmException rethrown(@Nullable Throwable failure);

    /** The channel has ended, for that reason. */
    void ended(VmException reason);
  }

  private final String name;
  private final UnixSocket socket;
  private final Protocol protocol;
  private final Gson gson = new Gson();
  private final Map<Long, CompletableFuture<JsonElement>> pending = new ConcurrentHashMap<>();
  private final AtomicLong ids = new AtomicLong();
  private volatile @Nullable VmException ended;

  JsonChannel(String name, UnixSocket socket, Protocol protocol) {
    this.name = name;
    this.socket = socket;
    this.protocol = protocol;
  }

  /** Begins to read. */
  void start() {
    Thread reader = new Thread(this::read, "liminix-" + name);
    reader.setDaemon(true);
    reader.start();
  }

  /** Why it has ended, or null. */
  @Nullable VmException ended() {
    return ended;
  }

  /** Sends a command. The future completes with the return value, or with a failure. */
  CompletableFuture<JsonElement> send(String command, Map<String, ?> arguments, Deadline deadline) {
    return send(command, arguments, deadline, false);
  }

  /** The same after a byte that has the peer forget half a message, if it has one. */
  CompletableFuture<JsonElement> sendAfresh(
      String command, Map<String, ?> arguments, Deadline deadline) {
    return send(command, arguments, deadline, true);
  }

  private CompletableFuture<JsonElement> send(
      String command, Map<String, ?> arguments, Deadline deadline, boolean afresh) {
    long id = ids.incrementAndGet();
    CompletableFuture<JsonElement> answer = new CompletableFuture<>();
    pending.put(id, answer);
    JsonObject message = new JsonObject();
    message.addProperty("execute", command);
    if (!arguments.isEmpty()) {
      message.add("arguments", gson.toJsonTree(arguments));
    }
    message.addProperty("id", id);
    log.debug("{} <- {}", name, message);
    byte[] line = (message + "\n").getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(line.length + 1);
    if (afresh) {
      bytes.put(SENTINEL);
    }
    try {
      socket.write(bytes.put(line).flip(), deadline);
    } catch (IOException e) {
      answer.completeExceptionally(protocol.gone(e));
    } catch (WaitTimeoutException | WaitInterruptedException e) {
      pending.remove(id);
      throw e;
    }
    VmException reason = ended;
    if (reason != null) {
      answer.completeExceptionally(reason); // the reader may have missed this one
    }
    return answer.whenComplete((value, failure) -> pending.remove(id));
  }

  /** Waits for an answer, or for something else that ends with the channel. */
  <T> T await(CompletableFuture<T> answer, String awaited, Duration timeout) {
    try {
      return answer.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      throw new WaitInterruptedException(awaited, e);
    } catch (TimeoutException e) {
      throw new WaitTimeoutException(
          "Waited " + Deadline.readable(timeout) + " in vain for " + awaited);
    } catch (ExecutionException e) {
      throw protocol.rethrown(e.getCause());
    }
  }

  /** Has all commands under way fail. */
  void abandon(VmException reason) {
    pending.values().forEach(answer -> answer.completeExceptionally(reason));
  }

  private void read() {
    Throwable cause = null;
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(Channels.newInputStream(socket), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        log.debug("{} -> {}", name, line);
        // Messages are ASCII; before the sentinel is what is left of an answer cut short.
        accept(line.substring(line.lastIndexOf(NOT_UTF_8) + 1));
      }
    } catch (ClosedChannelException e) {
      log.debug("{} is closed", name);
    } catch (IOException | RuntimeException | Error e) {
      cause = e; // whatever it is, nobody may wait for an answer any more
    }
    VmException reason = protocol.gone(cause);
    ended = reason;
    protocol.ended(reason);
    abandon(reason);
  }

  private void accept(String line) {
    JsonObject message;
    try {
      message = JsonParser.parseString(line).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException e) {
      protocol.noise(line, e);
      return;
    }
    if (message.has("id")) {
      CompletableFuture<JsonElement> answer = pending.get(message.get("id").getAsLong());
      if (answer == null) {
        log.debug("{}: nobody waits for {} any more", name, message);
      } else if (message.has("return")) {
        answer.complete(message.get("return"));
      } else {
        answer.completeExceptionally(protocol.refusal(message.getAsJsonObject("error")));
      }
    } else {
      protocol.accept(message);
    }
  }
}
