package org.liminix.qemu;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
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
  private final Deque<AutoCloseable> resources;
  private final AtomicBoolean closed = new AtomicBoolean();
  private final ReentrantLock shellLock = new ReentrantLock();
  private @Nullable Shell shell; // guarded by shellLock
  private volatile String shutdownReason = "";

  Vm(
      VmSpec spec,
      RunDirectory directory,
      String commandLine,
      SupervisedProcess process,
      Qmp qmp,
      Console console,
      Deque<AutoCloseable> resources) {
    this.spec = spec;
    this.directory = directory;
    this.commandLine = commandLine;
    this.process = process;
    this.qmp = qmp;
    this.console = console;
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
        shell = Shell.on(console).timeout(spec.timeout()).open();
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
    }
  }

  /** What is known of the machine, for messages. Called when its console ends or a wait fails. */
  String describe() {
    if (closed.get()) {
      return "The machine has been closed.";
    }
    if (process.isAlive() && !console.hasEnded()) {
      return "Its QEMU runs, process " + pid() + ".";
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
     * The root file system, a squashfs say. QEMU puts it into RAM, where the kernel's phram driver
     * finds it as {@code /dev/mtdblock0}; the kernel is told so.
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
