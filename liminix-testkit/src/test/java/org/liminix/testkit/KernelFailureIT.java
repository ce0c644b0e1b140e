package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.console.KernelException;
import org.liminix.console.KernelFailure;
import org.liminix.console.Shell;
import org.liminix.net.Segments;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.Tools;

/** Real guests, made to crash. */
@Timeout(300)
class KernelFailureIT {
  private static final Duration LONG = Duration.ofMinutes(2);

  @BeforeAll
  static void requireTools() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
  }

  @Test
  void isToldOfACrashWhileACommandRuns() {
    try (Vm guest = start("")) {
      Shell shell = guest.shell();
      String messages = shell.run("dmesg", LONG).output();
      assertThat(messages).contains("Linux version", "Freeing unused kernel");
      assertThatExceptionOfType(KernelException.Panic.class)
          .isThrownBy(() -> shell.run("echo c >/proc/sysrq-trigger", LONG))
          .withMessageContaining("sysrq triggered crash");
    }
  }

  @Test
  void isToldOfARootThatIsMissingAndOfTheLoopThatFollows() {
    try (Vm guest = start("rdinit=/nowhere root=/dev/nowhere panic=-1")) {
      assertThatExceptionOfType(KernelException.RootMount.class)
          .isThrownBy(() -> guest.console().expect("# ", LONG));
      assertThatExceptionOfType(KernelException.RebootLoop.class)
          .isThrownBy(
              () ->
                  guest
                      .console()
                      .tolerating(
                          KernelFailure.ROOT_MOUNT, () -> guest.console().expect("# ", LONG)));
    }
  }

  @Test
  void isToldOfTheDeathOfInit() {
    try (Vm guest = start("init=/bin/false")) {
      assertThatExceptionOfType(KernelException.InitDied.class)
          .isThrownBy(() -> guest.console().expect("# ", LONG));
    }
  }

  @Test
  void readsPromptsAndAnswersWhileTheKernelTalks() {
    try (Vm guest = start("printk.devkmsg=on")) { // no limit to their rate
      Shell shell = guest.shell();
      shell.run("(for i in $(seq 300); do echo \"<3>noise $i\" >/dev/kmsg; done) &").orThrow();
      for (int i = 0; i < 20; i++) {
        assertThat(shell.run("echo one; echo two").output()).isEqualTo("one\ntwo");
      }
      assertThat(shell.run("wait; dmesg | grep -c 'noise'", LONG).output()).isEqualTo("300");
      assertThat(guest.console().transcript().kernelLines())
          .filteredOn(line -> line.contains("noise"))
          .hasSize(300);
    }
  }

  private static Vm start(String commandLine) {
    RouterImage image = RouterImage.debian(Architecture.MIPSEL).build();
    return Vm.mipsel()
        .image(image)
        .commandLine(commandLine)
        .timeout(LONG)
        .spec()
        .start(Segments.isolated());
  }
}
