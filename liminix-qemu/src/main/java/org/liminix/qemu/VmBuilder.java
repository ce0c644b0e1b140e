package org.liminix.qemu;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.liminix.console.KernelFailure;
import org.liminix.image.BootImage;
import org.liminix.net.Network;

/**
 * Says what a machine is made of. Every option once, in any order; nothing is touched before the
 * start. Not thread-safe.
 */
public final class VmBuilder {
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
  @Nullable Set<KernelFailure> failOn;
  boolean guestAgent;
  @Nullable ReadyAction bootedOnce;
  @Nullable Path cache;
  private boolean hasImage;

  VmBuilder(Machine machine) {
    this.machine = machine;
  }

  /** What reports, the run directory and the console call it; the kind of machine unless set. */
  public VmBuilder name(String name) {
    if (name.isBlank()) {
      throw new IllegalArgumentException("A machine's name cannot be blank");
    }
    this.name = once("name", this.name, name);
    return this;
  }

  /** Boots these files; instead of kernel, initrd and rootfs one by one. */
  public VmBuilder image(BootImage image) {
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
  public VmBuilder kernel(Path kernel) {
    this.kernel = once("kernel", this.kernel, kernel);
    return this;
  }

  /** The initial RAM file system. */
  public VmBuilder initrd(Path initrd) {
    this.initrd = once("initrd", this.initrd, initrd);
    return this;
  }

  /**
   * The root file system, a squashfs say. On a Malta QEMU puts it into RAM, where the kernel's
   * phram driver finds it as {@code /dev/mtdblock0}; elsewhere it is a read-only disk, {@code
   * /dev/vda}. The kernel is told so.
   */
  public VmBuilder rootfs(Path rootfs) {
    this.rootfs = once("rootfs", this.rootfs, rootfs);
    return this;
  }

  /**
   * Adds to the kernel's command line, after what the machine needs ({@code console=} and the place
   * of the root file system). May be called several times.
   */
  public VmBuilder commandLine(String arguments) {
    kernelArguments.add(arguments);
    return this;
  }

  /** How much memory the kernel has, in MiB; 256 unless set. */
  public VmBuilder memory(int mebibytes) {
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
  public VmBuilder network(Network... networks) {
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
   * Where the sockets and logs go, instead of a directory of its own that is removed. It is made if
   * it is missing, and kept.
   */
  public VmBuilder runDirectory(Path directory) {
    this.runDirectory = once("runDirectory", this.runDirectory, directory);
    return this;
  }

  /**
   * Boots this U-Boot, a {@code u-boot.bin} built for the machine (Debian's u-boot-qemu has them),
   * from its flash. What a Malta's flash demands, its size and byte order, is seen to here; each
   * start has a flash of its own.
   */
  public VmBuilder uBoot(Path uBoot) {
    if (hasImage) {
      throw new IllegalStateException("The machine boots image(...) already, without U-Boot");
    }
    this.uBoot = once("uBoot", this.uBoot, uBoot);
    return this;
  }

  /**
   * Adds a disk with the content of this image, raw or qcow2, which stays as it is: what a run
   * writes is lost with it. IDE on a Malta, virtio elsewhere. May be called several times.
   *
   * <p>On a Malta the U-Boot of Debian 12 (2023.01) answers {@code ide read} with an error: it
   * makes its block devices before it looks for drives, and never again; Linux finds the disk. Use
   * a newer U-Boot, give this one its images by TFTP, or build it with {@code CONFIG_CMD_BIND}:
   * after {@code unbind ide 0; bind pci 0 ide; ide reset} it reads the disk as {@code ide 0}.
   */
  public VmBuilder disk(Path image) {
    disks.add(image);
    return this;
  }

  /**
   * What executes the guest; unless set KVM where it can be had, otherwise TCG. The system property
   * {@code liminix.accelerator=tcg} keeps all machines from KVM that do not ask for it.
   */
  public VmBuilder accelerator(Accelerator accelerator) {
    this.accelerator = once("accelerator", this.accelerator, accelerator);
    return this;
  }

  /** Pulls the cables to these networks before the machine starts, see {@link Vm#link}. */
  public VmBuilder linksDown(Network... networks) {
    if (!linksDown.isEmpty()) {
      throw new IllegalStateException("linksDown has been set already, to " + linksDown);
    }
    linksDown.addAll(Arrays.asList(networks));
    return this;
  }

  /** Starts without executing anything, until {@link Vm#resume()}. */
  public VmBuilder paused() {
    paused = first("paused", paused);
    return this;
  }

  /** Gives it a USB controller, if the board has none, for {@link Vm#plugUsbStorage}. */
  public VmBuilder usb() {
    usb = first("usb", usb);
    return this;
  }

  /** Gives it a display and a keyboard for {@link Vm#screenshot} and {@link Vm#keys}. */
  public VmBuilder display() {
    display = first("display", display);
    return this;
  }

  /**
   * Gives it slots for PCI devices that come while it runs, see {@link Vm#plugDisk} and {@link
   * Vm#plugNetwork}. Malta and microvm cannot have any. A guest sees them come and go if its kernel
   * has a driver for PCI Express hotplug, as those of Debian have, but for 32-bit ARM.
   */
  public VmBuilder hotplug(int slots) {
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
   * Boots the machine once and from then on, in this and every other program, goes on from where it
   * was ready.
   *
   * <pre>{@code
   * Vm router = Vm.mipsel().image(image).bootedOnce(vm -> vm.shell().run("true")).start();
   * }</pre>
   *
   * <p>What was saved is found again by QEMU, its arguments, the content of all files, this
   * library, and the action: the class it was written in and the strings, numbers and paths it
   * captures; of other objects that it captures nothing is known. Programs that start the machine
   * at the same time wait while one of them boots it, ten times as long as the machine's timeout.
   * What is damaged, or what QEMU does not take, is thrown away with a warning and made anew.
   *
   * <p>Runs never see each other, but they begin with the same memory: with the same MAC addresses,
   * and with the clock and random numbers of the first unless the action used the shell, by which
   * these are then refreshed. It is kept in {@link #cache} for a week after its last use.
   *
   * @param ready returns when the machine is ready; at best with its shell at a prompt
   */
  public VmBuilder bootedOnce(ReadyAction ready) {
    this.bootedOnce = once("bootedOnce", this.bootedOnce, ready);
    return this;
  }

  /**
   * The failures of its kernel that end waits on its console; {@link KernelFailure#errors()} unless
   * set. An empty set turns that off, for a guest that is meant to crash.
   */
  public VmBuilder failOn(Set<KernelFailure> failures) {
    this.failOn = once("failOn", this.failOn, Set.copyOf(failures));
    return this;
  }

  /**
   * Gives it the serial ports for QEMU's guest agent, see {@link Vm#agent()}. The guest must have
   * the package {@code qemu-guest-agent}, the kernel module {@code virtio_console}, and the agent
   * running as a service.
   */
  public VmBuilder guestAgent() {
    guestAgent = first("guestAgent", guestAgent);
    return this;
  }

  /**
   * Where {@link #bootedOnce} keeps its state, which holds the guest's secrets; {@code
   * $XDG_CACHE_HOME/liminix} unless set.
   */
  public VmBuilder cache(Path directory) {
    this.cache = once("cache", this.cache, directory);
    return this;
  }

  /** Adds words to the end of QEMU's command line, for what this class has no option. */
  public VmBuilder qemuArgument(String... words) {
    qemuArguments.addAll(Arrays.asList(words));
    return this;
  }

  /** How long waits on its console last that name no timeout; 60 s unless set. */
  public VmBuilder timeout(Duration timeout) {
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
