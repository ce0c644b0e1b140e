package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.liminix.net.EthernetHost;
import org.liminix.net.Segments;
import org.liminix.qemu.Accelerator;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmBuilder;
import org.liminix.testkit.internal.Tools;

/**
 * Each machine boots Debian's kernel and reaches its network; for the Maltas see {@link
 * BigEndianMaltaIT} and {@link PppoeIT}.
 */
@Timeout(240)
class MachinesIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  enum Kind {
    AARCH64(Architecture.ARM64, Vm::aarch64, "qemu-system-aarch64", "qemu-system-arm", "aarch64"),
    ARM(Architecture.ARMHF, Vm::arm, "qemu-system-arm", "qemu-system-arm", "armv7l"),
    Q35(Architecture.AMD64, Vm::x86_64, "qemu-system-x86_64", "qemu-system-x86", "x86_64"),
    MICROVM(Architecture.AMD64, Vm::microvm, "qemu-system-x86_64", "qemu-system-x86", "x86_64");

    private final Architecture architecture;

    @SuppressWarnings("ImmutableEnumChecker") // a method reference
    private final Supplier<VmBuilder> machine;

    private final String program;
    private final String debianPackage;
    private final String uname;

    Kind(
        Architecture architecture,
        Supplier<VmBuilder> machine,
        String program,
        String debianPackage,
        String uname) {
      this.architecture = architecture;
      this.machine = machine;
      this.program = program;
      this.debianPackage = debianPackage;
      this.uname = uname;
    }
  }

  /** Without security updates on 32-bit ARM, for which some mirrors lack a sound index. */
  static RouterImage.Builder image(Architecture architecture) {
    RouterImage.Builder builder = RouterImage.debian(architecture);
    return architecture == Architecture.ARMHF
        ? mainSources().map(builder::sources).orElse(builder)
        : builder;
  }

  private static Optional<String> mainSources() {
    Path host = Path.of("/etc/apt/sources.list.d/debian.sources");
    if (!Files.isReadable(host)) {
      return Optional.empty();
    }
    try {
      return Arrays.stream(Files.readString(host).split("\n\n", -1))
          .filter(source -> !source.contains("-security"))
          .reduce((one, other) -> one + "\n\n" + other);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeAll
  static void requireTools() {
    Tools.requireImageBuilding();
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void bootsDebiansKernelAndReachesItsNetwork(Kind kind) {
    Tools.require(kind.program, kind.debianPackage);
    RouterImage image =
        image(kind.architecture)
            .modules("virtio_net")
            .file(
                "/etc/rc.d/10-net",
                "ip address add 10.0.0.9/24 dev eth0\nip link set dev eth0 up\n")
            .build();
    try (Segments segments = Segments.isolated();
        EthernetHost pc = EthernetHost.on(LAN).address("10.0.0.1/24").start(segments);
        Vm vm =
            kind.machine
                .get()
                .image(image)
                .commandLine("net.ifnames=0")
                .network(LAN)
                .accelerator(Accelerator.TCG)
                .timeout(PATIENCE)
                .spec()
                .start(segments)) {
      assertThat(vm.acceleration()).hasToString("TCG, since it was asked for");
      assertThat(vm.shell().run("uname -m").orThrow().output()).isEqualTo(kind.uname);
      assertThat(vm.shell().run("grep ' / ' /proc/mounts").output()).contains("squashfs");
      assertThat(pc.ping("10.0.0.9", PATIENCE).ttl()).isEqualTo(64);
    }
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void goesOnFromWhereItWasBootedOnce(Kind kind, @TempDir Path cache) {
    Tools.require(kind.program, kind.debianPackage);
    BootedOnce.check(
        kind.machine
            .get()
            .image(image(kind.architecture).build())
            .accelerator(Accelerator.TCG)
            .timeout(PATIENCE),
        "router: ready",
        cache);
  }
}
