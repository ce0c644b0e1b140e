package org.liminix.qemu;

import com.google.common.io.CharStreams;
import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.liminix.process.Deadline;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitTimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The programs that the agent runs. Its protocol does not tell when one ends, it wants to be asked
 * again and again; so programs run below a small shell script that says so on a serial port of this
 * library's own.
 */
final class AgentPrograms {
  /** The port on which the guest says that programs have ended. */
  static final String ID = "agent-ends";

  static final String NAME = "org.liminix.exec.0";

  private static final Logger log = LoggerFactory.getLogger(AgentPrograms.class);
  private static final String SCRIPT = script();

  private final String vm;
  private final UnixSocket socket;
  private final AgentPort port;
  private final AgentFiles files;
  private final Map<String, CompletableFuture<End>> running = new ConcurrentHashMap<>();

  /** Of processes that have ended, which the agent keeps in mind until it is asked. */
  private final Queue<Long> unasked = new ConcurrentLinkedQueue<>();

  /** How a program ended, and where in the guest its output is. */
  private record End(int status, String directory) {}

  AgentPrograms(String vm, UnixSocket socket, AgentPort port, AgentFiles files) {
    this.vm = vm;
    this.socket = socket;
    this.port = port;
    this.files = files;
  }

  void open() {
    Thread reader = new Thread(this::read, "liminix-agent-ends-" + vm);
    reader.setDaemon(true);
    reader.start();
  }

  /** The time is that of the program: what the agent itself does has its own. */
  GuestResult run(List<String> words, byte[] input, Duration timeout) {
    askOnce();
    String token = UUID.randomUUID().toString();
    CompletableFuture<End> end = new CompletableFuture<>();
    running.put(token, end);
    try {
      List<String> arguments = new ArrayList<>(List.of("-c", SCRIPT, "liminix-exec", token));
      arguments.addAll(words);
      long process = start("/bin/sh", arguments, input);
      End ended = awaitEnd(end, process, words, Deadline.after(timeout));
      unasked.add(process);
      String output = ended.directory() + "/" + token;
      GuestResult result =
          new GuestResult(words, ended.status(), text(output + ".out"), text(output + ".err"));
      unasked.add(start("rm", List.of("-f", output + ".out", output + ".err"), new byte[0]));
      return result;
    } finally {
      running.remove(token);
    }
  }

  private long start(String program, List<String> arguments, byte[] input) {
    Map<String, Object> all = new HashMap<>();
    all.put("path", program);
    all.put("arg", arguments);
    all.put("capture-output", true);
    if (input.length > 0) {
      all.put("input-data", Base64.getEncoder().encodeToString(input));
    }
    return port.execute("guest-exec", all, GuestAgent.ANSWER)
        .getAsJsonObject()
        .get("pid")
        .getAsLong();
  }

  private End awaitEnd(
      CompletableFuture<End> end, long process, List<String> words, Deadline deadline) {
    try {
      return port.await(end, "to run \"" + String.join(" ", words) + "\"", deadline);
    } catch (WaitTimeoutException e) {
      throw new WaitTimeoutException(e.getMessage() + "\n" + fate(process));
    }
  }

  /** What became of a process that has not been heard of. */
  private String fate(long process) {
    JsonObject status =
        port.execute("guest-exec-status", Map.of("pid", process), GuestAgent.ANSWER)
            .getAsJsonObject();
    if (!status.get("exited").getAsBoolean()) {
      return "It goes on in the guest, below process " + process + ".";
    }
    String said =
        status.has("err-data")
            ? new String(
                Base64.getDecoder().decode(status.get("err-data").getAsString()),
                StandardCharsets.UTF_8)
            : "";
    return "The shell that was to run it has ended and said: " + said.strip();
  }

  /** Has the agent forget processes that have ended, if it knows by now that they have. */
  private void askOnce() {
    for (int count = unasked.size(); count > 0; count--) {
      Long process = unasked.poll();
      if (process == null) {
        return;
      }
      try {
        JsonObject status =
            port.execute("guest-exec-status", Map.of("pid", process), GuestAgent.ANSWER)
                .getAsJsonObject();
        if (!status.get("exited").getAsBoolean()) {
          unasked.add(process);
        }
      } catch (AgentException e) {
        log.debug("{}: process {} is not of this agent", vm, process, e);
      }
    }
  }

  private String text(String path) {
    String text =
        new String(
            files.download(path, Deadline.after(GuestAgent.TRANSFER)), StandardCharsets.UTF_8);
    int end = text.length();
    while (end > 0 && text.charAt(end - 1) == '\n') {
      end--;
    }
    return text.substring(0, end);
  }

  private void read() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(Channels.newInputStream(socket), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        note(line);
      }
    } catch (ClosedChannelException e) {
      log.debug("The second port of the agent of {} is closed", vm);
    } catch (IOException e) {
      log.debug("The second port of the agent of {} is gone", vm, e);
    }
  }

  /** A line is the token, the status and the directory. */
  private void note(String line) {
    String[] words = line.split(" ", 3);
    CompletableFuture<End> end = running.get(words[0]);
    if (end == null || words.length < 3) {
      log.debug("{}: nobody waits for the end of {}", vm, line);
      return;
    }
    end.complete(new End(Integer.parseInt(words[1]), words[2]));
  }

  /** The programs that run will not be heard of. */
  void abandon(AgentException reason) {
    unasked.clear();
    running.values().forEach(end -> end.completeExceptionally(reason));
  }

  private static String script() {
    try (InputStreamReader script =
        new InputStreamReader(
            Objects.requireNonNull(AgentPrograms.class.getResourceAsStream("guest-exec.sh")),
            StandardCharsets.UTF_8)) {
      return CharStreams.toString(script).replace("@PORT@", NAME);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read guest-exec.sh of this library", e);
    }
  }
}
