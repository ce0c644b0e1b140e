package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.qemu.Vm;
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
  void bootsOnceAndIsRestoredFromThenOn(@TempDir Path cache) {
    BootedOnce.check(Vm.mipsel().image(IMAGE.build()), "router: ready", cache);
  }
}
