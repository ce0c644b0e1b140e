package org.liminix.qemu;

import com.google.common.io.BaseEncoding;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.liminix.console.Console;
import org.liminix.console.Shell;
import org.liminix.image.BootImage;
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
 * Liminix's {@code mips-vm --background} do; beside them {@code console.log} and {@code qemu.log}.
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
    this.snapshots = new Snapshots(spec, directory, qmp);
    this.resources = resources;
    qmp.onEvent(this::note);
  }

  /** A big-endian MIPS Malta board, as Liminix's {@code mips-vm} has it. */
  public static Builder mips() {
    return new Builder(Machine.MIPS);
  }

  /** A little-endian MIPS Malta board. */
  public static Builder mipsel() {
    return new Builder(Machine.MIPSEL);
  }

  /** QEMU's board {@code virt} with a 32-bit ARM. */
  public static Builder arm() {
    return new Builder(Machine.ARM);
  }

  /** QEMU's board {@code virt} with a 64-bit ARM. */
  public static Builder aarch64() {
    return new Builder(Machine.AARCH64);
  }

  /** A PC: QEMU's {@code q35}. */
  public static Builder x86_64() {
    return new Builder(Machine.X86_64);
  }

  /** A PC without PCI that starts fastest: QEMU's {@code microvm}. */
  public static Builder microvm() {
    return new Builder(Machine.MICROVM);
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
        Shell.Builder opening = Shell.on(console).timeout(spec.timeout());
        // The prompt of a restored guest was shown before it was saved.
        shell = (restored ? opening.withoutPrompt() : opening).open();
      }
      return shell;
    } finally {
      shellLock.unlock();
    }
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
  }

  /**
   * Goes back to a snapshot: the guest goes on as if nothing had happened since.
   *
   * @throws IllegalStateException if there was none yet
   * @throws QmpException if there is none of that name
   */
  public void restore(String name) {
    snapshots.restore(name);
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
    snapshots.writeTo(target.resolve("state"));
    var unused = qmp.executeAsync("quit", Map.of());
    process.awaitExit(QUIT_TIMEOUT);
    for (int disk = 0; disk < spec.disks().size(); disk++) {
      String name = "disk" + disk + ".qcow2";
      Files.copy(directory.file(name), target.resolve(name));
    }
    if (hasShell) {
      Files.createFile(target.resolve("shell"));
    }
  }

  /** Tells a restored guest the time, and stirs what it draws random numbers from. */
  void refresh() {
    byte[] seed = new byte[32];
    new SecureRandom().nextBytes(seed);
    shell()
        .run(
            "date -u -s @%d > /dev/null; echo %s > /dev/urandom"
                .formatted(Instant.now().getEpochSecond(), BaseEncoding.base16().encode(seed)));
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
      trouble =
          acceleration.accelerator() == Accelerator.KVM
              ? "KVM cannot run its guest any further, as happens on hosts that are virtual"
                  + " themselves: use accelerator(TCG), or the system property"
                  + " liminix.accelerator=tcg."
              : "QEMU cannot run its guest any further.";
      log.error("{}: {} QEMU said: {}", name(), trouble, process.lastOutput());
    }
  }

  /** What is known of the machine, for messages. Called when its console ends or a wait fails. */
  String describe() {
    if (closed.get()) {
      return "The machine has been closed.";
    }
    if (process.isAlive() && !console.hasEnded()) {
      return trouble.isEmpty() ? "Its QEMU runs, process " + pid() + "." : trouble;
    }
    try {
      process.awaitExit(EXIT_TIMEOUT);
    } catch (LiminixException e) {
      return "Its console is closed, though QEMU still runs.";
    }
    String reason = shutdownReason.isEmpty() ? "" : " after " + shutdownReason;
    return "Its QEMU has ended" + reason + ", " + lastWords(process);
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

  /** Writes {@code NAME-console.log} and {@code NAME-qemu.log}. */
  @Override
  public void saveTo(Path target) throws IOException {
    for (String log : new String[] {"console.log", "qemu.log"}) {
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

  /**
   * Says what a machine is made of. Every option once, in any order; nothing is touched before the
   * start. Not thread-safe.
   */
  public static final class Builder {
    final Machine machine;
    @Nullable String name;
    @Nullable Path kernel;
    @Nullable Path initrd;
    @Nullable Path rootfs;
    final List<String> kernelArguments = new ArrayList<>();
    int mebibytes;
    final List<Network> networks = new ArrayList<>();
    @Nullable Path runDirectory;
    final List<String> qemuArguments = new ArrayList<>();
    @Nullable Duration timeout;
    @Nullable Path uBoot;
    final List<Path> disks = new ArrayList<>();
    @Nullable Accelerator accelerator;
    final List<Network> linksDown = new ArrayList<>();
    boolean paused;
    boolean usb;
    boolean display;
    int hotplugSlots;
    @Nullable Consumer<Vm> bootedOnce;
    private boolean hasImage;

    private Builder(Machine machine) {
      this.machine = machine;
    }

    /** What reports, the run directory and the console call it; the kind of machine unless set. */
    public Builder name(String name) {
      if (name.isBlank()) {
        throw new IllegalArgumentException("A machine's name cannot be blank");
      }
      this.name = once("name", this.name, name);
      return this;
    }

    /** Boots these files; instead of kernel, initrd and rootfs one by one. */
    public Builder image(BootImage image) {
      if (hasImage || kernel != null || initrd != null || rootfs != null) {
        throw new IllegalStateException(
            "The machine has something to boot already: use either image(...) or kernel(...),"
                + " initrd(...) and rootfs(...)");
      }
      hasImage = true;
      kernel = image.kernel();
      initrd = image.initrd().orElse(null);
      rootfs = image.rootfs().orElse(null);
      if (!image.commandLine().isBlank()) {
        kernelArguments.add(image.commandLine());
      }
      return this;
    }

    /** The kernel, an ELF file or what QEMU's {@code -kernel} takes for the machine. */
    public Builder kernel(Path kernel) {
      this.kernel = once("kernel", this.kernel, kernel);
      return this;
    }

    /** The initial RAM file system. */
    public Builder initrd(Path initrd) {
      this.initrd = once("initrd", this.initrd, initrd);
      return this;
    }

    /**
     * The root file system, a squashfs say. On a Malta QEMU puts it into RAM, where the kernel's
     * phram driver finds it as {@code /dev/mtdblock0}; elsewhere it is a read-only disk, {@code
     * /dev/vda}. The kernel is told so.
     */
    public Builder rootfs(Path rootfs) {
      this.rootfs = once("rootfs", this.rootfs, rootfs);
      return this;
    }

    /**
     * Adds to the kernel's command line, after what the machine needs ({@code console=} and the
     * place of the root file system). May be called several times.
     */
    public Builder commandLine(String arguments) {
      kernelArguments.add(arguments);
      return this;
    }

    /** How much memory the kernel has, in MiB; 256 unless set. */
    public Builder memory(int mebibytes) {
      if (mebibytes < 1) {
        throw new IllegalArgumentException("A machine needs memory, not " + mebibytes + " MiB");
      }
      if (this.mebibytes != 0) {
        throw new IllegalStateException("memory has been set already, to " + this.mebibytes);
      }
      this.mebibytes = mebibytes;
      return this;
    }

    /**
     * Gives the machine a network card on each of these, in this order.
     *
     * @throws IllegalStateException if it has networks already
     */
    public Builder network(Network... networks) {
      if (!this.networks.isEmpty()) {
        throw new IllegalStateException(
            "network has been set already, to "
                + this.networks
                + ": name all networks in one call, in the order of the machine's cards");
      }
      this.networks.addAll(Arrays.asList(networks));
      return this;
    }

    /**
     * Where the sockets and logs go, instead of a directory of its own that is removed. It is made
     * if it is missing, and kept.
     */
    public Builder runDirectory(Path directory) {
      this.runDirectory = once("runDirectory", this.runDirectory, directory);
      return this;
    }

    /**
     * Boots this U-Boot, a {@code u-boot.bin} built for the machine (Debian's u-boot-qemu has
     * them), from its flash. What a Malta's flash demands, its size and byte order, is seen to
     * here; each start has a flash of its own.
     */
    public Builder uBoot(Path uBoot) {
      if (hasImage) {
        throw new IllegalStateException("The machine boots image(...) already, without U-Boot");
      }
      this.uBoot = once("uBoot", this.uBoot, uBoot);
      return this;
    }

    /**
     * Adds a disk with the content of this image, raw or qcow2, which stays as it is: what a run
     * writes is lost with it. IDE on a Malta, virtio elsewhere. May be called several times.
     */
    public Builder disk(Path image) {
      disks.add(image);
      return this;
    }

    /**
     * What executes the guest; unless set KVM where it can be had, otherwise TCG. The system
     * property {@code liminix.accelerator=tcg} keeps all machines from KVM that do not ask for it.
     */
    public Builder accelerator(Accelerator accelerator) {
      this.accelerator = once("accelerator", this.accelerator, accelerator);
      return this;
    }

    /** Pulls the cables to these networks before the machine starts, see {@link Vm#link}. */
    public Builder linksDown(Network... networks) {
      if (!linksDown.isEmpty()) {
        throw new IllegalStateException("linksDown has been set already, to " + linksDown);
      }
      linksDown.addAll(Arrays.asList(networks));
      return this;
    }

    /** Starts without executing anything, until {@link Vm#resume()}. */
    public Builder paused() {
      paused = first("paused", paused);
      return this;
    }

    /** Gives it a USB controller, if the board has none, for {@link Vm#plugUsbStorage}. */
    public Builder usb() {
      usb = first("usb", usb);
      return this;
    }

    /** Gives it a display and a keyboard for {@link Vm#screenshot} and {@link Vm#keys}. */
    public Builder display() {
      display = first("display", display);
      return this;
    }

    /**
     * Gives it slots for PCI devices that come while it runs, see {@link Vm#plugDisk} and {@link
     * Vm#plugNetwork}. Malta and microvm cannot have any.
     */
    public Builder hotplug(int slots) {
      if (slots < 1 || slots > 16) {
        throw new IllegalArgumentException("There can be 1 to 16 slots, not " + slots);
      }
      first("hotplug", hotplugSlots > 0);
      hotplugSlots = slots;
      return this;
    }

    private static boolean first(String option, boolean before) {
      if (before) {
        throw new IllegalStateException(option + " has been set already; once is enough");
      }
      return true;
    }

    /**
     * Boots the machine once and from then on, in this and every other program, goes on from where
     * it was ready.
     *
     * <pre>{@code
     * Vm router = Vm.mipsel().image(image).bootedOnce(vm -> vm.shell().run("true")).start();
     * }</pre>
     *
     * <p>What was saved is found again by QEMU, its arguments, the content of all files, this
     * library and the class that the action was written in; of values that the action captures it
     * knows nothing. Runs never see each other, but they begin with the same memory: with the same
     * MAC addresses, and with the clock and random numbers of the first unless the action used the
     * shell, by which these are then refreshed. It is kept in {@code $XDG_CACHE_HOME/liminix} for a
     * week after its last use.
     *
     * @param ready returns when the machine is ready; at best with its shell at a prompt
     */
    public Builder bootedOnce(Consumer<Vm> ready) {
      this.bootedOnce = once("bootedOnce", this.bootedOnce, ready);
      return this;
    }

    /** Adds words to the end of QEMU's command line, for what this class has no option. */
    public Builder qemuArgument(String... words) {
      qemuArguments.addAll(Arrays.asList(words));
      return this;
    }

    /** How long waits on its console last that name no timeout; 60 s unless set. */
    public Builder timeout(Duration timeout) {
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException("A timeout must be longer than nothing: " + timeout);
      }
      this.timeout = once("timeout", this.timeout, timeout);
      return this;
    }

    private <T> T once(String option, @Nullable T before, T value) {
      if (before != null) {
        throw new IllegalStateException(
            option
                + (hasImage ? " comes from image(...) or " : " ")
                + "has been set already, to "
                + before
                + "; make another builder for another machine");
      }
      return value;
    }

    /**
     * What has been said so far, to be started later or often.
     *
     * @throws IllegalStateException if options are missing or contradict each other
     */
    public VmSpec spec() {
      return new VmSpec(this);
    }

    /** Boots the machine on the shared networks, see {@link VmSpec#start()}. */
    public Vm start() {
      return spec().start();
    }
  }
}
