package org.liminix.qemu;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
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
 * <p>Immutable. Made by {@link Vm.Builder#spec()}.
 */
public final class VmSpec implements Spec<Vm> {
  private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(60);

  private final Machine machine;
  private final String name;
  private final Path kernel;
  private final @Nullable Path initrd;
  private final @Nullable Path rootfs;
  private final List<String> kernelArguments;
  private final int mebibytes;
  private final List<Network> networks;
  private final @Nullable Path runDirectory;
  private final List<String> qemuArguments;
  private final Duration timeout;

  VmSpec(Vm.Builder builder) {
    this.machine = builder.machine;
    this.name = Optional.ofNullable(builder.name).orElse(machine.label());
    this.kernel =
        Optional.ofNullable(builder.kernel)
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "The machine has nothing to boot: set kernel(...) or image(...)"));
    this.initrd = builder.initrd;
    this.rootfs = builder.rootfs;
    this.kernelArguments = List.copyOf(builder.kernelArguments);
    this.mebibytes = builder.mebibytes == 0 ? machine.defaultMebibytes() : builder.mebibytes;
    this.networks = List.copyOf(builder.networks);
    this.runDirectory = builder.runDirectory;
    this.qemuArguments = List.copyOf(builder.qemuArguments);
    this.timeout = Optional.ofNullable(builder.timeout).orElse(DEFAULT_TIMEOUT);
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

  Machine machine() {
    return machine;
  }

  /** What reports call the machine. */
  public String name() {
    return name;
  }

  Path kernel() {
    return kernel;
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
    requireFile("kernel", kernel);
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
