package org.liminix.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.liminix.console.KernelFailure;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;

/**
 * A virtual machine to be started, any number of times.
 *
 * <pre>{@code
 * VmSpec router = Vm.mipsel().image(image).network(LAN, ACCESS).spec();
 * try (Segments segments = Segments.isolated();
 *     Vm vm = router.start(segments)) {
 *   vm.shell().run("uname -a").orThrow();
 * }
 * }</pre>
 *
 * <p>Immutable. Made by {@link VmBuilder#spec()}.
 */
public final class VmSpec implements Spec<Vm> {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(60);

  private final Machine machine;
  private final String name;
  private final @Nullable Path kernel;
  private final @Nullable Path initrd;
  private final @Nullable Path rootfs;
  private final List<String> kernelArguments;
  private final int mebibytes;
  private final List<Network> networks;
  private final @Nullable Path runDirectory;
  private final List<String> qemuArguments;
  private final Duration timeout;
  private final @Nullable Path uBoot;
  private final List<Path> disks;
  private final @Nullable Accelerator accelerator;
  private final List<Network> linksDown;
  private final boolean paused;
  private final boolean usb;
  private final boolean display;
  private final int hotplugSlots;
  private final Set<KernelFailure> failOn;
  private final boolean guestAgent;
  private final @Nullable ReadyAction bootedOnce;
  private final @Nullable Path cache;

  VmSpec(VmBuilder builder) {
    this.machine = builder.machine;
    this.name = Optional.ofNullable(builder.name).orElse(machine.label());
    this.kernel = builder.kernel;
    this.initrd = builder.initrd;
    this.rootfs = builder.rootfs;
    this.kernelArguments = List.copyOf(builder.kernelArguments);
    this.mebibytes = builder.mebibytes == 0 ? machine.defaultMebibytes() : builder.mebibytes;
    this.networks = List.copyOf(builder.networks);
    this.runDirectory = builder.runDirectory;
    this.qemuArguments = List.copyOf(builder.qemuArguments);
    this.timeout = Optional.ofNullable(builder.timeout).orElse(DEFAULT_TIMEOUT);
    this.uBoot = builder.uBoot;
    this.disks = List.copyOf(builder.disks);
    this.accelerator = builder.accelerator;
    this.linksDown = List.copyOf(builder.linksDown);
    this.paused = builder.paused;
    this.usb = builder.usb;
    this.display = builder.display;
    this.hotplugSlots = builder.hotplugSlots;
    this.bootedOnce = builder.bootedOnce;
    this.failOn = Optional.ofNullable(builder.failOn).orElse(KernelFailure.errors());
    this.guestAgent = builder.guestAgent;
    this.cache = builder.cache;
    requireSense();
  }

  private void requireSense() {
    if (kernel == null && uBoot == null && disks.isEmpty()) {
      throw new IllegalStateException(
          "The machine has nothing to boot: set kernel(...) or image(...), or uBoot(...)");
    }
    if (kernel != null && uBoot != null) {
      throw new IllegalStateException(
          "uBoot(...) boots what it finds itself: put the kernel on disk(...) or behind TFTP"
              + " instead of giving kernel(...)");
    }
    if (kernel == null && (initrd != null || rootfs != null || !kernelArguments.isEmpty())) {
      throw new IllegalStateException(
          "initrd(...), rootfs(...) and commandLine(...) are for a kernel: set kernel(...)");
    }
    if (uBoot != null && !machine.bootsFirmware()) {
      throw new IllegalStateException("A " + machine.label() + " has no flash for uBoot(...)");
    }
    if (machine.isMalta() && disks.size() > 4) {
      throw new IllegalStateException("A Malta has room for 4 disks, not " + disks.size());
    }
    if (bootedOnce != null && (paused || (uBoot != null && machine.isMalta()))) {
      throw new IllegalStateException(
          "bootedOnce(...) goes with neither paused() nor a Malta's flash");
    }
    if (cache != null && bootedOnce == null) {
      throw new IllegalStateException("cache(...) is for bootedOnce(...): set that, too");
    }
    if (display && machine.displayDevices().isEmpty()) {
      throw new IllegalStateException("A " + machine.label() + " can have no display()");
    }
    if (hotplugSlots > 0 && !machine.hasPciHotplug()) {
      throw new IllegalStateException(
          "A " + machine.label() + " has no slots for hotplug(...); use USB devices: usb()");
    }
    for (Network network : linksDown) {
      if (!networks.contains(network)) {
        throw new IllegalStateException(
            "The link to " + network + " cannot be down: name it in network(...), too");
      }
    }
    String problem = machine.memoryProblem(mebibytes, rootfs != null);
    if (problem != null) {
      throw new IllegalStateException(problem);
    }
  }

  /**
   * Boots the machine. Its consoles are connected before it executes its first instruction, so that
   * nothing it says is lost.
   *
   * @throws VmException if a file is missing or QEMU does not start; the message has QEMU's words
   * @throws org.liminix.process.MissingToolException if QEMU is not on this machine
   */
  @Override
  public Vm start(Segments segments) {
    return new VmStarter(this, segments).start();
  }

  @Override
  public Vm start() {
    Segments shared = Segments.multicast();
    try {
      return new VmStarter(this, shared).owningSegments().start();
    } catch (RuntimeException | Error e) {
      shared.close();
      throw e;
    }
  }

  /** The same machine, whose directory is not the one that the caller chose. */
  VmSpec inDirectoryOfItsOwn() {
    return runDirectory == null ? this : new VmSpec(this);
  }

  private VmSpec(VmSpec original) {
    this.machine = original.machine;
    this.name = original.name;
    this.kernel = original.kernel;
    this.initrd = original.initrd;
    this.rootfs = original.rootfs;
    this.kernelArguments = original.kernelArguments;
    this.mebibytes = original.mebibytes;
    this.networks = original.networks;
    this.runDirectory = null;
    this.qemuArguments = original.qemuArguments;
    this.timeout = original.timeout;
    this.uBoot = original.uBoot;
    this.disks = original.disks;
    this.accelerator = original.accelerator;
    this.linksDown = original.linksDown;
    this.paused = original.paused;
    this.usb = original.usb;
    this.display = original.display;
    this.hotplugSlots = original.hotplugSlots;
    this.bootedOnce = original.bootedOnce;
    this.failOn = original.failOn;
    this.guestAgent = original.guestAgent;
    this.cache = original.cache;
  }

  Machine machine() {
    return machine;
  }

  /** What reports call the machine. */
  public String name() {
    return name;
  }

  Optional<Path> kernel() {
    return Optional.ofNullable(kernel);
  }

  Optional<Path> uBoot() {
    return Optional.ofNullable(uBoot);
  }

  List<Path> disks() {
    return disks;
  }

  Accelerator.Choice acceleration() {
    return Accelerator.choose(
        accelerator,
        machine,
        Optional.ofNullable(System.getProperty("liminix.accelerator")),
        System.getProperty("os.arch", ""));
  }

  List<Network> linksDown() {
    return linksDown;
  }

  boolean paused() {
    return paused;
  }

  boolean usb() {
    return usb;
  }

  boolean display() {
    return display;
  }

  Optional<ReadyAction> bootedOnce() {
    return Optional.ofNullable(bootedOnce);
  }

  Set<KernelFailure> failOn() {
    return failOn;
  }

  boolean guestAgent() {
    return guestAgent;
  }

  Optional<Path> cache() {
    return Optional.ofNullable(cache);
  }

  int hotplugSlots() {
    return hotplugSlots;
  }

  Optional<Path> initrd() {
    return Optional.ofNullable(initrd);
  }

  Optional<Path> rootfs() {
    return Optional.ofNullable(rootfs);
  }

  List<String> kernelArguments() {
    return kernelArguments;
  }

  int mebibytes() {
    return mebibytes;
  }

  List<Network> networks() {
    return networks;
  }

  Optional<Path> runDirectory() {
    return Optional.ofNullable(runDirectory);
  }

  List<String> qemuArguments() {
    return qemuArguments;
  }

  Duration timeout() {
    return timeout;
  }

  /** Makes sure of the files before anything is spawned. */
  void requireFiles() {
    kernel().ifPresent(path -> requireFile("kernel", path));
    uBoot().ifPresent(path -> requireFile("U-Boot", path));
    disks.forEach(path -> requireFile("disk", path));
    initrd().ifPresent(path -> requireFile("initrd", path));
    rootfs().ifPresent(path -> requireFile("rootfs", path));
  }

  private void requireFile(String role, Path path) {
    if (!Files.isRegularFile(path)) {
      throw new VmException(
          "The %s of %s, %s, %s"
              .formatted(
                  role,
                  name,
                  path,
                  Files.exists(path)
                      ? "is not a regular file"
                      : "does not exist: check the path, or build it first"));
    }
    if (!Files.isReadable(path)) {
      throw new VmException("The %s of %s, %s, is not readable".formatted(role, name, path));
    }
  }

  @Override
  public String toString() {
    return "VmSpec[" + name + "]";
  }
}
