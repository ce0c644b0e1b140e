package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.liminix.console.KernelFailure;

class VmBuilderTest {
  private static final Path FILE = Path.of("file");

  @Test
  void refusesASecondValue() {
    refuses(() -> Vm.mips().kernel(FILE).kernel(FILE), "kernel has been set already, to file");
    refuses(() -> Vm.mips().rootfs(FILE).rootfs(FILE), "rootfs");
    refuses(() -> Vm.mips().initrd(FILE).initrd(FILE), "initrd");
    refuses(() -> Vm.mips().memory(64).memory(64), "memory has been set already, to 64");
    refuses(() -> Vm.mips().name("a").name("b"), "name has been set already, to a");
    refuses(() -> Vm.mips().network(LAN).network(ACCESS), "name all networks in one call");
    refuses(() -> Vm.mips().runDirectory(FILE).runDirectory(FILE), "runDirectory");
    refuses(
        () -> Vm.mips().timeout(Duration.ofSeconds(1)).timeout(Duration.ofSeconds(2)), "timeout");
  }

  @Test
  void refusesToBeToldTwiceOfKernelFailuresOrOfTheAgent() {
    refuses(
        () -> Vm.mips().failOn(KernelFailure.fatal()).failOn(Set.of()),
        "failOn has been set already");
    refuses(() -> Vm.mips().guestAgent().guestAgent(), "guestAgent has been set already");
  }

  @Test
  void refusesAMachineWithNothingToBoot() {
    refuses(() -> Vm.mips().spec(), "set kernel(...) or image(...)");
  }

  @Test
  void refusesMoreMemoryThanTheBoardHas() {
    refuses(() -> Vm.mips().kernel(FILE).memory(4096).spec(), "at most 2048 MiB");
    refuses(
        () -> Vm.mips().kernel(FILE).rootfs(FILE).memory(512).spec(), "at most 256 MiB, not 512");
  }

  @Test
  void refusesBadValues() {
    refusesValue(() -> Vm.mips().memory(0), "0 MiB");
    refusesValue(() -> Vm.mips().name(" "), "blank");
    refusesValue(() -> Vm.mips().timeout(Duration.ZERO), "timeout");
  }

  private static void refuses(Runnable misuse, String message) {
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(misuse::run)
        .withMessageContaining(message);
  }

  private static void refusesValue(Runnable misuse, String message) {
    assertThatExceptionOfType(IllegalArgumentException.class)
        .isThrownBy(misuse::run)
        .withMessageContaining(message);
  }
}
