package org.liminix.qemu;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.liminix.console.Attachment;
import org.liminix.console.Console;
import org.liminix.console.Departure;
import org.liminix.console.Shell;
import org.liminix.console.ShellBuilder;
import org.liminix.net.Network;
import org.liminix.process.Evidence;
import org.liminix.process.LiminixException;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A virtual machine that runs in QEMU.
 *
 * <pre>{@code
 * try (Vm router = Vm.mips().kernel(vmlinux).rootfs(squashfs).network(LAN, ACCESS).start()) {
 *   router.console().expect("BusyBox");
 *   CommandResult r = router.shell().run("ip address show dev ppp0");
 * }
 * }</pre>
 *
 * <p>While it runs, its run directory holds the unix sockets {@code console}, {@code monitor} and
 * {@code qmp}, at which people and other programs can join, and the file {@code pid}, as those of
 * Liminix's {@code mips-vm --background} do; beside them {@code console.log}, the same with times
 * in {@code console.txt}, and {@code qemu.log}.
 *
 * <p>Thread-safe. Whoever started it closes it; it never outlives the JVM, not even one that is
 * killed.
 */
public final class Vm implements AutoCloseable, Evidence {
  private static final Logger log = LoggerFactory.getLogger(Vm.class);

  /** QEMU answers quit in milliseconds; one that does not is stuck, and killed. */
  private static final Duration QUIT_TIMEOUT = Duration.ofSeconds(2);

  /** Between a console's end and the news that QEMU has ended. */
  private static final Duration EXIT_TIMEOUT = Duration.ofSeconds(1);

  private static final int SUMMARY_LINES = 6;

  private final VmSpec spec;
  private final RunDirectory directory;
  private final String commandLine;
  private final SupervisedProcess process;
  private final Qmp qmp;
  private final Console console;
  private final Devices devices;
  private final Accelerator.Choice acceleration;
  private final boolean restored;
  private final Optional<GuestAgent> agent;
  private final Snapshots snapshots;
  private final Deque<AutoCloseable> resources;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final ReentrantLock shellLock = new ReentrantLock();
  private @Nullable Shell shell; // guarded by shellLock
  private volatile String shutdownReason = "";
  private volatile String trouble = "";

  Vm(
      VmSpec spec,
      RunDirectory directory,
      String commandLine,
      SupervisedProcess process,
      Qmp qmp,
      Console console,
      Devices devices,
      Accelerator.Choice acceleration,
      boolean restored,
      Optional<GuestAgent> agent,
      Deque<AutoCloseable> resources) {
    this.spec = spec;
    this.directory = directory;
    this.commandLine = commandLine;
    this.process = process;
    this.qmp = qmp;
    this.console = console;
    this.devices = devices;
    this.acceleration = acceleration;
    this.restored = restored;
    this.agent = agent;
    this.snapshots = new Snapshots(spec, directory, qmp);
    this.resources = resources;
    qmp.onEvent(this::note);
  }

  /** A big-endian MIPS Malta board, as Liminix's {@code mips-vm} has it. */
  public static VmBuilder mips() {
    return new VmBuilder(Machine.MIPS);
  }

  /** A little-endian MIPS Malta board. */
  public static VmBuilder mipsel() {
    return new VmBuilder(Machine.MIPSEL);
  }

  /** QEMU's board {@code virt} with a 32-bit ARM. */
  public static VmBuilder arm() {
    return new VmBuilder(Machine.ARM);
  }

  /** QEMU's board {@code virt} with a 64-bit ARM. */
  public static VmBuilder aarch64() {
    return new VmBuilder(Machine.AARCH64);
  }

  /** A PC: QEMU's {@code q35}. */
  public static VmBuilder x86_64() {
    return new VmBuilder(Machine.X86_64);
  }

  /** A PC without PCI that starts fastest: QEMU's {@code microvm}. */
  public static VmBuilder microvm() {
    return new VmBuilder(Machine.MICROVM);
  }

  /** Its name in reports. */
  public String name() {
    return spec.name();
  }

  /** Its first serial console. */
  public Console console() {
    return console;
  }

  /**
   * The shell on its console. The first call waits, as long as the machine's timeout allows, until
   * there is a prompt and the shell answers.
   *
   * @throws org.liminix.console.ConsoleTimeoutException if no shell answers in time
   * @throws org.liminix.console.ConsoleClosedException if the machine ends before
   */
  public Shell shell() {
    shellLock.lock();
    try {
      if (shell == null) {
        ShellBuilder opening = Shell.on(console).timeout(spec.timeout());
        // The prompt of a restored guest was shown before it was saved.
        shell = (restored ? opening.withoutPrompt() : opening).open();
      }
      return shell;
    } finally {
      shellLock.unlock();
    }
  }

  /**
   * Attaches the terminal this program runs in to its console and monitor, or waits for somebody
   * who joins from another one, see {@link Attachment#joinOrWait}.
   */
  public Departure attach() {
    return Attachment.joinOrWait(runDirectory());
  }

  /**
   * The agent in the guest. Waits, as long as the machine's timeout allows, until it answers.
   *
   * @throws IllegalStateException if the machine was not described with {@code guestAgent()}
   * @throws org.liminix.process.WaitTimeoutException if no agent answers in time; the message says
   *     what the guest needs
   * @throws AgentException if the machine ends before
   */
  public GuestAgent agent() {
    GuestAgent there =
        agent.orElseThrow(
            () ->
                new IllegalStateException(
                    name() + " has no port for an agent: add guestAgent() to its description"));
    there.sync(spec.timeout());
    return there;
  }

  /** QEMU's machine protocol. */
  public Qmp qmp() {
    return qmp;
  }

  /**
   * Saves memory, devices and disks as they are at this moment, under a name, for as long as the
   * machine runs; of the same name the last counts.
   *
   * @throws QmpException if QEMU cannot, as with a USB stick of the caller's plugged in
   */
  public void snapshot(String name) {
    snapshots.save(name);
    console.kernelSaved(name);
  }

  /**
   * Goes back to a snapshot: the guest goes on as if nothing had happened since.
   *
   * @throws IllegalStateException if there was none yet
   * @throws QmpException if there is none of that name
   */
  public void restore(String name) {
    snapshots.restore(name);
    console.kernelRestored(name);
    agent.ifPresent(GuestAgent::forget);
  }

  Snapshots snapshots() {
    return snapshots;
  }

  /** Leaves what a machine of the same description can go on from, and ends. */
  void leaveStateIn(Path target) throws IOException {
    boolean hasShell;
    shellLock.lock();
    try {
      hasShell = shell != null;
    } finally {
      shellLock.unlock();
    }
    boolean canRefresh = hasShell || agent.filter(GuestAgent::hasAnswered).isPresent();
    snapshots.writeTo(target.resolve("state"));
    var unused = qmp.executeAsync("quit", Map.of());
    process.awaitExit(QUIT_TIMEOUT);
    for (int disk = 0; disk < spec.disks().size(); disk++) {
      String name = "disk" + disk + ".qcow2";
      Files.copy(directory.file(name), target.resolve(name));
    }
    if (canRefresh) {
      Files.createFile(target.resolve("shell"));
    }
  }

  /**
   * Tells a restored guest the time, and stirs what it draws random numbers from: by its agent,
   * which leaves the console as it is, or else by the shell.
   */
  void refresh() {
    String line = Reseeder.script(spec.machine());
    boolean refreshed =
        agent.filter(GuestAgent::isThere).isPresent()
            ? agent().exec("sh", "-c", line).succeeded()
            : shell().run(line).succeeded();
    if (!refreshed) {
      log.info("{} cannot run a program that refreshes its random numbers", name());
    }
  }

  /** Which accelerator runs it, and why that one. */
  public Accelerator.Choice acceleration() {
    return acceleration;
  }

  /**
   * Has QEMU's human monitor execute a line, see {@link Qmp#monitor}.
   *
   * @throws QmpException if there is no such command
   */
  public String monitor(String line) {
    return qmp.monitor(line);
  }

  /** Whether it executes, and why not. */
  public RunState state() {
    return RunState.of(qmp.execute("query-status").getAsJsonObject().get("status").getAsString());
  }

  /** Stops its processor; its clock stands still, too. */
  public void pause() {
    qmp.execute("stop");
  }

  /** Has its processor go on; a machine that was described as {@code paused()} starts here. */
  public void resume() {
    qmp.execute("cont");
  }

  /** Presses the reset button. */
  public void reset() {
    qmp.execute("system_reset");
    console.kernelChanged();
  }

  /** Presses the power button: a guest that listens shuts down, see {@link #exit()}. */
  public void powerButton() {
    qmp.execute("system_powerdown");
  }

  /**
   * Injects a non-maskable interrupt, which many kernels answer with a panic or a stack trace.
   *
   * @throws QmpException if the board has none, as a Malta
   */
  public void nmi() {
    qmp.execute("inject-nmi");
  }

  /**
   * Presses keys of its keyboard together and lets them go.
   *
   * @param codes QEMU's names (qapi/ui.json, QKeyCode): "ctrl", "alt", "delete"
   * @throws QmpException if there is no such key, or no keyboard
   */
  public void keys(String... codes) {
    List<Map<String, String>> keys = new ArrayList<>();
    for (String code : codes) {
      keys.add(Map.of("type", "qcode", "data", code));
    }
    qmp.execute("send-key", Map.of("keys", keys));
  }

  /**
   * Writes what its display shows, as a PPM image.
   *
   * @throws QmpException if it has none: describe it with {@code display()}
   */
  public void screenshot(Path file) {
    qmp.execute("screendump", Map.of("filename", file.toAbsolutePath().toString()));
  }

  /**
   * The cable at its card on that network.
   *
   * @throws IllegalArgumentException if it has none there
   */
  public Link link(Network network) {
    return devices.link(network);
  }

  /**
   * Plugs in a USB stick with that content, which stays as it is: what the guest writes is lost
   * with the machine.
   *
   * @throws IllegalStateException if it was not described with {@code usb()}
   */
  public Hotplugged plugUsbStorage(Path image) {
    return devices.usbStorage(image);
  }

  /**
   * Plugs in a PCI disk with that content, which stays as it is.
   *
   * @throws IllegalStateException if none of the slots of {@code hotplug(...)} is free
   */
  public Hotplugged plugDisk(Path image) {
    return devices.disk(image);
  }

  /**
   * Plugs in a PCI network card that is connected to that network.
   *
   * @throws IllegalStateException if none of the slots of {@code hotplug(...)} is free
   */
  public Hotplugged plugNetwork(Network network) {
    return devices.network(network);
  }

  /** Where its sockets and logs are. */
  public Path runDirectory() {
    return directory.path();
  }

  /**
   * What boots the same machine in a terminal, quoted for a shell: its console there, {@code ^A x}
   * ends it. On a private segment it takes this machine's place once this one is closed.
   */
  public String commandLine() {
    return commandLine;
  }

  /**
   * The process id of its QEMU.
   *
   * @throws VmException if QEMU has ended and the id is gone
   */
  public long pid() {
    try {
      return Long.parseLong(Files.readString(directory.file("pid")).strip());
    } catch (IOException | NumberFormatException e) {
      throw new VmException(name() + " has no process id any more: " + describe(), e);
    }
  }

  /** Whether its QEMU runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** Completes with QEMU's exit status when the machine has ended. */
  public CompletableFuture<Integer> exit() {
    return process.exit();
  }

  private void note(QmpEvent event) {
    log.debug("{}: {} {}", name(), event.name(), event.data());
    if (event.name().equals("SHUTDOWN")) {
      JsonObject data = event.data();
      shutdownReason = data.has("reason") ? data.get("reason").getAsString() : "";
    } else if (event.name().equals("GUEST_PANICKED")) {
      trouble = "Its guest has panicked.";
    } else if (event.name().equals("STOP")) {
      var unused =
          qmp.executeAsync("query-status", Map.of()).thenAccept(status -> noteStop(status));
    } else if (event.name().equals("RESET") || event.name().equals("RESUME")) {
      trouble = "";
    }
  }

  private void noteStop(JsonElement status) {
    if (RunState.of(status.getAsJsonObject().get("status").getAsString())
        == RunState.INTERNAL_ERROR) {
      trouble = ("QEMU cannot run its guest any further. " + acceleration.advice()).strip();
      log.error("{}: {} QEMU said: {}", name(), trouble, process.lastOutput());
    }
  }

  /** What is known of the machine, for messages. Called when its console ends or a wait fails. */
  String describe() {
    if (closed.get()) {
      return "The machine has been closed.";
    }
    if (process.isAlive() && !console.hasEnded()) {
      return trouble.isEmpty() ? "Its QEMU runs, process " + pid() + "." + silence() : trouble;
    }
    try {
      process.awaitExit(EXIT_TIMEOUT);
    } catch (LiminixException e) {
      return "Its console is closed, though QEMU still runs.";
    }
    String reason = shutdownReason.isEmpty() ? "" : " after " + shutdownReason;
    String advice = process.awaitExit(EXIT_TIMEOUT) == 0 ? "" : "\n" + acceleration.advice();
    return ("Its QEMU has ended" + reason + ", " + lastWords(process) + advice).strip();
  }

  /** A KVM that does not work may run a guest for ever that never gets to its first word. */
  private String silence() {
    return console.transcript().lastLines(1).isBlank() && !acceleration.advice().isEmpty()
        ? "\n" + acceleration.advice()
        : "";
  }

  /** How a process ended, and what it said. */
  static String lastWords(SupervisedProcess process) {
    String said = process.lastOutput();
    int status = process.awaitExit(EXIT_TIMEOUT);
    String how = status > 128 ? "killed by signal " + (status - 128) : "with exit status " + status;
    return how
        + (said.isEmpty()
            ? ", and said nothing."
            : ", and said:\n" + said.indent(4).stripTrailing());
  }

  /** Whether it runs and the last lines of its console. */
  @Override
  public String summary() {
    return name()
        + ": "
        + describe()
        + "\n"
        + console.transcript().lastLines(SUMMARY_LINES).indent(4).stripTrailing();
  }

  /** Writes {@code NAME-console.log}, {@code NAME-console.txt} and {@code NAME-qemu.log}. */
  @Override
  public void saveTo(Path target) throws IOException {
    for (String log : new String[] {"console.log", "console.txt", "qemu.log"}) {
      Files.copy(
          directory.file(log),
          target.resolve(name() + "-" + log),
          StandardCopyOption.REPLACE_EXISTING);
    }
  }

  /** Ends the machine at once, as pulling its plug would, and frees what it holds. Idempotent. */
  @Override
  public void close() {
    if (!closed.compareAndSet(false, true)) {
      return;
    }
    boolean interrupted = Thread.interrupted();
    try {
      if (process.isAlive()) {
        var unused = qmp.executeAsync("quit", Map.of()); // QEMU may end before it answers
        process.awaitExit(QUIT_TIMEOUT);
      }
    } catch (LiminixException e) {
      log.debug("{} is killed", name(), e);
    }
    interrupted |= Thread.interrupted();
    VmStarter.closeAll(resources);
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public String toString() {
    return "Vm[" + name() + "]";
  }
}
