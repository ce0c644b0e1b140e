package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.console.CommandResult;
import org.liminix.console.KernelException;
import org.liminix.console.KernelFailure;
import org.liminix.console.Shell;
import org.liminix.net.Segments;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.Tools;

/**
 * Real guests, made to crash: one for all that happens after the boot, put back before each test.
 */
@Timeout(300)
class KernelFailureIT {
  private static final Duration LONG = Duration.ofMinutes(2);
  private static final String FREEZE =
      "cd /proc/sys/kernel; echo 1 >hung_task_check_interval_secs; echo 1 >hung_task_timeout_secs;"
          + " fsfreeze --freeze /run/disk; echo x >/run/disk/file & ";

  /** Of a machine that has been up for longer than this one. */
  private static final String OLD_LOG =
      """
      [    0.000000] Linux version 6.1.0
      [99998.000000] Out of memory: Killed process 81 (hog) total-vm:1kB
      [99999.000000] Kernel panic - not syncing: Attempted to kill init!
      [99999.100000] ---[ end Kernel panic - not syncing: Attempted to kill init! ]---""";

  private static @Nullable Vm shared;

  private final Vm guest = Objects.requireNonNull(shared);
  private final Shell shell = guest.shell();

  @BeforeAll
  static void boot() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
    Vm booted = start("", "loop", "ext4", "softdog");
    shared = booted;
    booted.console().expect("router: ready", LONG);
    booted
        .shell()
        .run(
            "cd /run && dd if=/dev/zero of=image bs=1M count=4 && mke2fs -F image && mkdir disk"
                + " && mount -t ext4 -o loop image disk && cd /",
            LONG)
        .orThrow();
    booted.snapshot("ready");
  }

  @AfterAll
  static void end() {
    if (shared != null) {
      shared.close();
      shared = null;
    }
  }

  @BeforeEach
  void goBack() {
    guest.restore("ready");
  }

  @Test
  void isToldOfACrashWhileACommandRuns() {
    assertThat(shell.run("dmesg", LONG).output())
        .contains("Linux version", "Freeing unused kernel");
    assertThatExceptionOfType(KernelException.Panic.class)
        .isThrownBy(() -> shell.run("echo c >/proc/sysrq-trigger", LONG))
        .withMessageContaining("sysrq triggered crash");
    assertThatExceptionOfType(KernelException.Panic.class)
        .isThrownBy(() -> guest.console().expect("never said", LONG));
    awaitTheEndOfThePanic();
  }

  @Test
  void isToldOnceOfAProcessThatIsKilledForWantOfMemoryAndGoesOn() {
    assertThatExceptionOfType(KernelException.OomKill.class)
        .isThrownBy(() -> shell.run(eatMemory(), LONG))
        .withMessageContaining("(dd)");
    assertThat(shell.run("dmesg", LONG).orThrow().output())
        .contains("Out of memory: Killed process");
    shell.run("echo 1 >/proc/sys/vm/panic_on_oom").orThrow();
    assertThatExceptionOfType(KernelException.Panic.class)
        .isThrownBy(() -> shell.run(eatMemory(), LONG))
        .withMessageContaining("panic_on_oom");
    awaitTheEndOfThePanic();
  }

  @Test
  void isToldOfATaskThatHangs() {
    assertThatExceptionOfType(KernelException.HungTask.class)
        .isThrownBy(() -> shell.run(FREEZE + "sleep 600", LONG))
        .withMessageContaining("blocked for more than");
    CommandResult thawed =
        guest
            .console()
            .tolerating(
                KernelFailure.HUNG_TASK,
                () ->
                    shell.run(
                        "echo 0 >/proc/sys/kernel/hung_task_timeout_secs;"
                            + " fsfreeze --unfreeze /run/disk; wait; cat /run/disk/file",
                        LONG));
    assertThat(thawed.output()).endsWith("x");
  }

  @Test
  void toleratesATaskThatHangs() {
    String output =
        guest
            .console()
            .tolerating(
                KernelFailure.HUNG_TASK,
                () ->
                    shell
                        .run(
                            FREEZE
                                + "until dmesg | grep -q 'blocked for more'; do sleep 1; done;"
                                + " echo 0 >hung_task_timeout_secs; echo through",
                            LONG)
                        .output());
    assertThat(output).endsWith("through");
    assertThat(guest.console().transcript().kernelLines())
        .anyMatch(line -> line.contains("blocked for more than"));
  }

  @Test
  void isToldOfAWatchdogThatIsNotFed() {
    assertThatExceptionOfType(KernelException.Panic.class)
        .isThrownBy(
            () ->
                shell.run(
                    "rmmod softdog; modprobe softdog soft_margin=1 soft_panic=1;"
                        + " echo >/dev/watchdog; sleep 600",
                    LONG))
        .withMessageContaining("Software Watchdog Timer expired");
    awaitTheEndOfThePanic();
  }

  @Test
  void isNotAlarmedByALogThatIsShown() {
    shell.run("cat >/run/log/old <<'END'\n" + OLD_LOG + "\nEND").orThrow();
    assertThat(shell.run("cat /run/log/old").output()).isEqualTo(OLD_LOG);
    assertThat(shell.run("grep panic /run/log/old | sed 's/^/old: /'").output())
        .startsWith("old: [99999.000000] Kernel panic");
  }

  @Test
  void isToldOfARootThatIsMissingAndOfTheLoopThatFollows() {
    try (Vm loop = start("rdinit=/nowhere root=/dev/nowhere panic=-1")) {
      assertThatExceptionOfType(KernelException.RootMount.class)
          .isThrownBy(() -> loop.console().expect("# ", LONG));
      assertThatExceptionOfType(KernelException.RebootLoop.class)
          .isThrownBy(
              () ->
                  loop.console()
                      .tolerating(
                          KernelFailure.ROOT_MOUNT, () -> loop.console().expect("# ", LONG)));
    }
  }

  @Test
  void isToldOfTheDeathOfInit() {
    try (Vm dead = start("init=/bin/false")) {
      assertThatExceptionOfType(KernelException.InitDied.class)
          .isThrownBy(() -> dead.console().expect("# ", LONG));
    }
  }

  @Test
  void readsPromptsAndAnswersWhileTheKernelTalks() {
    shell.run("echo on >/proc/sys/kernel/printk_devkmsg").orThrow(); // no limit to their rate
    // A restored Malta may sleep for long: the kernel tells its time anew, outside of a command.
    shell.run("(sleep 1; echo '<3>awake' >/dev/kmsg) &").orThrow();
    guest.console().expect("] awake", LONG);
    shell.run("(for i in $(seq 300); do echo \"<3>noise $i\" >/dev/kmsg; done) &").orThrow();
    for (int i = 0; i < 20; i++) {
      assertThat(shell.run("echo one; echo two").output()).isEqualTo("one\ntwo");
    }
    assertThat(shell.run("wait; dmesg | grep -c 'noise'", LONG).output()).isEqualTo("300");
    assertThat(guest.console().transcript().kernelLines())
        .filteredOn(line -> line.contains("noise"))
        .hasSize(300);
  }

  /** More than there is, which is only noticed when it is written to. */
  private static String eatMemory() {
    return "echo 1 >/proc/sys/vm/overcommit_memory; dd if=/dev/zero of=/dev/null bs=600M";
  }

  /** So that nothing of it is taken for what the guest says when it has been put back. */
  private void awaitTheEndOfThePanic() {
    guest
        .console()
        .tolerating(
            KernelFailure.KERNEL_PANIC,
            () -> guest.console().expect(Pattern.compile("---\\[ end Kernel panic.*\n"), LONG));
  }

  private static Vm start(String commandLine, String... modules) {
    RouterImage image = RouterImage.debian(Architecture.MIPSEL).modules(modules).build();
    return Vm.mipsel()
        .image(image)
        .commandLine(commandLine)
        .timeout(LONG)
        .spec()
        .start(Segments.isolated());
  }
}
