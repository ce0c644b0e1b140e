package org.liminix.qemu;

import com.google.common.net.InetAddresses;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.liminix.net.MacAddress;
import org.liminix.process.Deadline;

/**
 * QEMU's agent in the guest (qga/qapi-schema.json), which runs programs and carries files beside
 * the console.
 *
 * <pre>{@code
 * try (Vm vm = Vm.aarch64().image(image).guestAgent().start()) {
 *   GuestAgent agent = vm.agent();
 *   agent.upload(Path.of("firmware.bin"), "/tmp/firmware.bin");
 *   GuestResult flashed = agent.exec("sysupgrade", "-T", "/tmp/firmware.bin").orThrow();
 * }
 * }</pre>
 *
 * <p>The guest needs the package {@code qemu-guest-agent}, the module {@code virtio_console} and
 * the unit {@code qemu-guest-agent.service}; without udev and systemd {@code qemu-ga -p
 * /dev/vport0p1}. After a reset or a restart of the service each call waits until the agent is
 * back.
 *
 * <p>Programs run below a shell script, since the agent's protocol would have the caller ask again
 * and again whether one has ended: the script says so on a second serial port, {@code
 * org.liminix.exec.0}, so that {@link #exec} returns when the program ends. What it prints is kept
 * in files below {@code /run} until it has been read, so that there is no limit to it, and it may
 * leave processes behind. For that the guest needs {@code /sys}, {@code sh}, {@code mkfifo}, {@code
 * cat} and {@code rm}.
 *
 * <p>Thread-safe. Closed by its {@link Vm}.
 */
public final class GuestAgent {
  /** For what the agent does at once. */
  static final Duration ANSWER = Duration.ofSeconds(30);

  /** For a file, of any size. */
  static final Duration TRANSFER = Duration.ofMinutes(2);

  private final AgentPort port;
  private final AgentFiles files;
  private final AgentPrograms programs;
  private final CompletableFuture<Integer> exit;

  private GuestAgent(
      AgentPort port, AgentFiles files, AgentPrograms programs, CompletableFuture<Integer> exit) {
    this.port = port;
    this.files = files;
    this.programs = programs;
    this.exit = exit;
  }

  /** Begins to listen to both ports. */
  static GuestAgent open(
      String vm,
      AgentSockets sockets,
      Qmp qmp,
      Supplier<String> state,
      CompletableFuture<Integer> exit) {
    AgentPort port = new AgentPort(vm, sockets.socket(AgentPort.ID), qmp, state);
    AgentFiles files = new AgentFiles(port);
    AgentPrograms programs = new AgentPrograms(vm, sockets.socket(AgentPrograms.ID), port, files);
    programs.open();
    port.open(programs::abandon);
    return new GuestAgent(port, files, programs, exit);
  }

  /**
   * Makes sure that the agent answers, dropping what is left of earlier conversations. Every call
   * does so on its own when there is need.
   *
   * @throws org.liminix.process.WaitTimeoutException if no agent comes or answers in time; the
   *     message says what the guest needs
   * @throws AgentException if the machine ends before
   */
  public void sync(Duration timeout) {
    port.synchronize(Deadline.after(timeout));
  }

  /** Asks whether it is there. */
  public void ping() {
    execute("guest-ping");
  }

  /** {@link #execute(String, Map)} without arguments. */
  public JsonElement execute(String command) {
    return execute(command, Map.of());
  }

  /**
   * Has the agent execute a command and waits for the answer, at most 30 s.
   *
   * @param command by its name in the agent's reference, such as guest-get-osinfo
   * @param arguments strings, numbers, booleans, lists, maps and JSON elements by name
   * @return the command's return value, an empty object if it has none
   * @throws AgentException if the agent refuses, is gone, or its port is closed
   * @throws org.liminix.process.WaitTimeoutException if the agent does not answer
   */
  public JsonElement execute(String command, Map<String, ?> arguments) {
    return port.execute(command, arguments, ANSWER);
  }

  /**
   * Runs a program with nothing to read and waits for its end, at most 60 s.
   *
   * @param words the program, looked up as the agent's PATH says, and its arguments as they are:
   *     {@code exec("sh", "-c", "...")} for a line of shell
   * @throws org.liminix.process.WaitTimeoutException if it has not ended in time; it goes on
   * @throws AgentException if the agent refuses, or is gone before
   */
  public GuestResult exec(String... words) {
    return command(words).run();
  }

  /** A program that is to have input, or more or less time. */
  public GuestCommand command(String... words) {
    if (words.length == 0) {
      throw new IllegalArgumentException("Name a program to run");
    }
    return new GuestCommand(programs, List.of(words));
  }

  /**
   * Writes a file of the guest, in the place of one that is there.
   *
   * @throws AgentException if the guest cannot write it
   */
  public void upload(byte[] content, String path) {
    files.upload(content, path, Deadline.after(TRANSFER));
  }

  /**
   * Writes a file of the guest with the content of one of the host, of any size.
   *
   * @throws AgentException if the guest cannot write it
   * @throws VmException if the host cannot read it
   */
  public void upload(Path source, String path) {
    try (InputStream in = Files.newInputStream(source)) {
      files.upload(in, path, Deadline.after(TRANSFER));
    } catch (IOException e) {
      throw new VmException("Cannot read " + source + ", which is to become " + path, e);
    }
  }

  /**
   * Reads a file of the guest.
   *
   * @throws AgentException if the guest cannot read it
   */
  public byte[] download(String path) {
    return files.download(path, Deadline.after(TRANSFER));
  }

  /**
   * Reads a file of the guest, of any size, into one of the host.
   *
   * @throws AgentException if the guest cannot read it
   * @throws VmException if the host cannot write it
   */
  public void download(String path, Path target) {
    try (OutputStream out = Files.newOutputStream(target)) {
      files.download(path, out, Deadline.after(TRANSFER));
    } catch (IOException e) {
      throw new VmException("Cannot write " + target + ", which is to be the guest's " + path, e);
    }
  }

  /** The network interfaces of the guest with their addresses, the loopback among them. */
  public List<GuestInterface> interfaces() {
    List<GuestInterface> interfaces = new ArrayList<>();
    for (JsonElement element : execute("guest-network-get-interfaces").getAsJsonArray()) {
      JsonObject fields = element.getAsJsonObject();
      List<GuestInterface.Address> addresses = new ArrayList<>();
      JsonElement listed = fields.get("ip-addresses");
      for (JsonElement address : listed == null ? new JsonArray() : listed.getAsJsonArray()) {
        JsonObject parts = address.getAsJsonObject();
        addresses.add(
            new GuestInterface.Address(
                InetAddresses.forString(parts.get("ip-address").getAsString()),
                parts.get("prefix").getAsInt()));
      }
      interfaces.add(
          new GuestInterface(
              fields.get("name").getAsString(),
              Optional.ofNullable(fields.get("hardware-address"))
                  .map(address -> MacAddress.parse(address.getAsString())),
              addresses));
    }
    return interfaces;
  }

  /**
   * Sets the guest's clock, and its hardware clock.
   *
   * @throws AgentException if it has no {@code /sbin/hwclock} or no hardware clock; then set it
   *     with {@code exec("date", "-u", "-s", "@" + seconds)}
   */
  public void setTime(Instant time) {
    long nanos =
        Math.addExact(Math.multiplyExact(time.getEpochSecond(), 1_000_000_000L), time.getNano());
    execute("guest-set-time", Map.of("time", nanos));
  }

  /**
   * Has the guest shut down and waits until the machine has ended.
   *
   * @throws AgentException if the guest refuses, as one without {@code /sbin/shutdown} does
   * @throws org.liminix.process.WaitTimeoutException if the machine still runs when the time is up
   */
  public void shutdown(Duration timeout) {
    Deadline deadline = Deadline.after(timeout);
    CompletableFuture<Integer> end = exit.copy();
    // There is no answer but a refusal; the end of the agent is what was asked for.
    var unused =
        port.send("guest-shutdown", Map.of("mode", "powerdown"), deadline)
            .whenComplete(
                (answer, failure) -> {
                  if (failure instanceof AgentException refusal
                      && !refusal.errorClass().isEmpty()) {
                    end.completeExceptionally(refusal);
                  }
                });
    port.await(end, "to shut the guest down", deadline);
  }

  /** Whether it is there, and was used. */
  boolean hasAnswered() {
    return port.isSynchronous();
  }

  /** Whether an agent has its port open, as QEMU knows without asking the guest. */
  boolean isThere() {
    return port.isOpen();
  }

  /** The machine goes on from another state: what was under way is void. */
  void forget() {
    port.forget();
  }

  @Override
  public String toString() {
    return port.toString();
  }
}
