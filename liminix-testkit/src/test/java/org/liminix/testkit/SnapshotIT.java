package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmBuilder;
import org.liminix.testkit.internal.Tools;

/** Guests that go on from where they were. */
@Timeout(240)
class SnapshotIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @BeforeAll
  static void requireTools() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
  }

  private static final RouterImage.Builder IMAGE = RouterImage.debian(Architecture.MIPSEL);

  @Test
  void goesBackToASnapshotAndItsTimersGoOn() {
    try (Vm vm = Vm.mipsel().image(IMAGE.build()).start()) {
      vm.console().expect("router: ready", PATIENCE);
      vm.shell().run("echo before > /tmp/state").orThrow();
      vm.snapshot("before");
      vm.shell().run("echo after > /tmp/state").orThrow();
      vm.restore("before");
      assertThat(vm.shell().run("cat /tmp/state").output()).isEqualTo("before");
      assertThat(vm.shell().run("sleep 1 && echo slept", PATIENCE).output()).isEqualTo("slept");
    }
  }

  @Test
  void bootsOnceAndIsRestoredFromThenOn() {
    AtomicInteger boots = new AtomicInteger();
    VmBuilder machine =
        Vm.mipsel()
            .image(IMAGE.build())
            .commandLine("test=" + UUID.randomUUID()) // not what an earlier run has left
            .bootedOnce(
                vm -> {
                  boots.incrementAndGet();
                  vm.shell().run("echo booted > /tmp/state").orThrow();
                });
    for (int run = 0; run < 3; run++) {
      try (Vm vm = machine.start()) {
        assertThat(vm.shell().run("cat /tmp/state").output()).isEqualTo("booted");
        assertThat(vm.shell().run("sleep 1 && echo slept", PATIENCE).output()).isEqualTo("slept");
        long guest = Long.parseLong(vm.shell().run("date +%s").orThrow().output());
        assertThat(guest)
            .isCloseTo(System.currentTimeMillis() / 1000, org.assertj.core.data.Offset.offset(30L));
        vm.shell().run("echo spoiled > /tmp/state").orThrow();
      }
    }
    assertThat(boots).hasValue(1);
  }
}
