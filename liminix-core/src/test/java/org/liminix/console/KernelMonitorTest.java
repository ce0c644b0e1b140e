package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What counts as news of the kernel, and what as a quotation, by a clock that the test moves. */
class KernelMonitorTest {
  private static final String KILL = "Out of memory: Killed process 81 (hog) total-vm:1kB\n";
  private static final String PANIC = "Kernel panic - not syncing: sysrq triggered crash\n";

  private long nanos;
  private final KernelMonitor monitor =
      new KernelMonitor(EnumSet.allOf(KernelFailure.class), () -> nanos);
  private final Lanes lanes = new Lanes(monitor);

  @Test
  void takesAFailureThatACommandPrintsFromTheKernelsLogForAQuotation() {
    says("[   10.000000] boot\n[   20.000000] " + KILL);
    assertThat(failures()).containsExactly(KernelFailure.OOM_KILL);
    passes(Duration.ofMinutes(1));
    monitor.commandRuns(true);
    String log = "[    0.000000] Linux version 6.1\n[   10.000000] boot\n[   20.000000] " + KILL;
    says(log);
    assertThat(failures()).isEmpty();
    assertThat(lanes.shell().toString()).isEqualTo(log);
  }

  @Test
  void takesALogOfAnotherMachineForAQuotation() {
    says("[   10.000000] boot\n");
    passes(Duration.ofSeconds(20));
    monitor.commandRuns(true);
    says("[  900.000000] usb 1-1: gone\n[  900.000001] " + PANIC);
    assertThat(failures()).isEmpty();
    says("[   30.100000] " + PANIC);
    assertThat(failures()).containsExactly(KernelFailure.KERNEL_PANIC);
  }

  @Test
  void hearsAPanicOfAKernelWhoseClockRunsFast() {
    says("[   10.000000] boot\n");
    monitor.commandRuns(true);
    passes(Duration.ofMinutes(5));
    says("[  450.000000] " + PANIC);
    assertThat(failures()).containsExactly(KernelFailure.KERNEL_PANIC);
  }

  @Test
  void takesAWholeLogForAQuotationWhereTheKernelHasPrintedNothingYet() {
    monitor.commandRuns(true);
    says("[    0.000000] Linux version 6.1\n[   20.000000] " + KILL + "[   30.000000] " + PANIC);
    assertThat(failures()).isEmpty();
  }

  @Test
  void hearsAPanicWhereTheKernelHasPrintedNothingYet() {
    monitor.commandRuns(true);
    says("[  100.000000] sysrq: Trigger a crash\n");
    passes(Duration.ofSeconds(1));
    says("[  101.000000] " + PANIC);
    assertThat(failures()).containsExactly(KernelFailure.KERNEL_PANIC);
  }

  @Test
  void isToldOnceOfALineThatIsPrintedAgain() {
    says("[   20.000000] " + KILL + "kern.err kernel: [   20.000000] " + KILL);
    says("# dmesg | tail -n 1\n[   20.000000] " + KILL + "[   21.000000] " + KILL);
    assertThat(failures()).containsExactly(KernelFailure.OOM_KILL, KernelFailure.OOM_KILL);
  }

  @Test
  void isToldAgainOfWhatFailsAtTheSameTimeInTheNextBoot() {
    for (int boot = 0; boot < 2; boot++) {
      says(
          "[    0.000000] x\n[    1.240000] "
              + PANIC
              + "[    1.240000] Rebooting in 1 seconds..\n");
    }
    assertThat(failures()).containsExactly(KernelFailure.KERNEL_PANIC, KernelFailure.KERNEL_PANIC);
  }

  @Test
  void hearsTheKernelOfASnapshotThatIsRestoredWhileACommandRuns() {
    says("[   40.000000] boot\n");
    passes(Duration.ofSeconds(5));
    monitor.saved("ready");
    passes(Duration.ofSeconds(55));
    says("[  100.000000] " + PANIC);
    assertThat(failures()).containsExactly(KernelFailure.KERNEL_PANIC);
    assertThat(monitor.stillDead()).isPresent();
    monitor.restored("ready");
    assertThat(monitor.stillDead()).isEmpty();
    monitor.commandRuns(true);
    says("[   39.000000] old\n");
    monitor.commandRuns(false);
    monitor.commandRuns(true);
    says("[   46.000000] eth0: up\n[   46.000000] " + PANIC);
    assertThat(failures()).containsExactly(KernelFailure.KERNEL_PANIC);
    assertThat(lanes.shell().toString()).isEqualTo("[   39.000000] old\n");
  }

  @Test
  void forgetsThePanicOfAKernelThatIsReplaced() {
    says("[  100.000000] " + PANIC);
    assertThat(failures()).containsExactly(KernelFailure.KERNEL_PANIC);
    monitor.changed();
    assertThat(monitor.stillDead()).isEmpty();
  }

  @Test
  void takesAFailureForAQuotationThatWasOneBefore() {
    monitor.commandRuns(true);
    says("[    0.000000] Linux version 6.1\n[   30.000000] " + PANIC);
    monitor.commandRuns(false);
    monitor.commandRuns(true);
    says("old: [   30.000000] " + PANIC);
    assertThat(failures()).isEmpty();
  }

  @Test
  void countsTheBootsOfAQuietKernelByItsClock() {
    for (int boot = 0; boot < 4; boot++) {
      says("[    1.500000] " + PANIC + "[    1.600000] Rebooting in 1 seconds..\n");
    }
    assertThat(failures())
        .containsExactly(
            KernelFailure.KERNEL_PANIC,
            KernelFailure.KERNEL_PANIC,
            KernelFailure.KERNEL_PANIC,
            KernelFailure.REBOOT_LOOP,
            KernelFailure.KERNEL_PANIC);
  }

  @Test
  void countsABootOnceThatSaysMoreThanItsVersion() {
    for (int boot = 0; boot < 2; boot++) {
      says("[    0.000000] Booting Linux on physical CPU 0x0\n[    0.000000] Linux version 6.1\n");
      says("[    9.000000] reboot: Restarting system\n");
    }
    assertThat(failures()).isEmpty();
    says("[    0.000000] Booting Linux on physical CPU 0x0\n[    0.000000] Linux version 6.1\n");
    assertThat(failures()).containsExactly(KernelFailure.REBOOT_LOOP);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[    2.000000] ", ""})
  void isToldOnceOfAnOopsThatIsReportedInSeveralWays(String stamp) {
    says("[    0.000000] Linux version 6.1\n".substring(stamp.isEmpty() ? 15 : 0));
    says(
        (stamp + "CPU 0 Unable to handle kernel paging request at virtual address 00000000\n")
            + (stamp + "Oops[#1]:\n")
            + (stamp + "Kernel panic - not syncing: Fatal exception\n"));
    assertThat(failures()).containsExactly(KernelFailure.KERNEL_OOPS, KernelFailure.KERNEL_PANIC);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        // arch/mips/kernel/traps.c and unaligned.c, die()
        "Kernel bug detected[#1]:|KERNEL_BUG",
        "Unhandled kernel unaligned access[#1]:|KERNEL_OOPS",
        "Reserved instruction in kernel code[#2]:|KERNEL_OOPS",
        // arch/arm/kernel/traps.c and arch/arm64/kernel/traps.c, __die()
        "Internal error: : 1008 [#1] SMP ARM|KERNEL_OOPS",
        "Internal error: synchronous external abort: 0000000096000210 [#1] SMP|KERNEL_OOPS",
        // arch/x86/kernel/dumpstack.c, __die_header(); arch/x86/mm/fault.c
        "general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1]|KERNEL_OOPS",
        "BUG: unable to handle page fault for address: ffffffffc0000000|KERNEL_OOPS",
        // arch/riscv/kernel/traps.c, die()
        "Kernel BUG [#1]|KERNEL_BUG",
        "Oops [#1]|KERNEL_OOPS",
        // mm/oom_kill.c, __oom_kill_process(); 4.x says Kill
        "Out of memory (oom_kill_allocating_task): Killed process 7 (dd) total-vm:1kB|OOM_KILL",
        "Memory cgroup out of memory: Killed process 7 (dd) total-vm:1kB|OOM_KILL",
        "Out of memory: Kill process 7 (dd) score 900 or sacrifice child|OOM_KILL",
        // kernel/hung_task.c, check_hung_task()
        "INFO: task dd:7 blocked in I/O wait for more than 120 seconds.|HUNG_TASK",
        // kernel/watchdog.c, kernel/watchdog_hld.c, kernel/workqueue.c, kernel/rcu/tree_stall.h
        "watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [dd:7]|STALL",
        "NMI watchdog: Watchdog detected hard LOCKUP on cpu 0|STALL",
        "BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 40s!|STALL",
        "rcu: INFO: rcu_sched detected stalls on CPUs/tasks:|STALL",
        "INFO: rcu_preempt self-detected stall on CPU|STALL",
        // init/main.c, kernel_init()
        "Kernel panic - not syncing: No working init found.  Try passing init= option|INIT_DIED",
        "Kernel panic - not syncing: Requested init /nowhere failed (error -2).|INIT_DIED",
        // Nothing of the kind.
        "NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.|",
        "Kernel command line: panic=10 oops=panic root=/dev/vda|",
        "reboot: Restarting system|",
        "sysctl: hung_task_timeout_secs is obsolete: INFO: task|",
        "traps: dd[7] general protection fault ip:401000 sp:7ffd error:0 in dd|",
        "dd invoked oom-killer: gfp_mask=0x140cca, order=0, oom_score_adj=0|",
        "---[ end Kernel panic - not syncing: sysrq triggered crash ]---|",
        "systemd[1]: BUG: in a unit|",
        "pci 0000:00:00.0: [8086:29c0] type 00 class 0x060000|",
        "rcu: Hierarchical RCU implementation.|",
      })
  void tellsWhatAMessageStandsFor(String message, KernelFailure failure) {
    assertThat(KernelFailure.of(message)).isEqualTo(Optional.ofNullable(failure));
  }

  @Test
  void toleratesWithinAnotherBlockAndAfterIt() {
    monitor.tolerate(Set.of(KernelFailure.OOM_KILL, KernelFailure.HUNG_TASK));
    monitor.tolerate(Set.of(KernelFailure.OOM_KILL));
    says("[   20.000000] " + KILL);
    monitor.tolerateNoMore(Set.of(KernelFailure.OOM_KILL));
    says("[   21.000000] " + KILL);
    assertThat(failures()).isEmpty();
    monitor.tolerateNoMore(Set.of(KernelFailure.OOM_KILL, KernelFailure.HUNG_TASK));
    assertThat(failures()).isEmpty();
    says("[   22.000000] " + KILL);
    assertThat(failures()).containsExactly(KernelFailure.OOM_KILL);
  }

  private void says(String text) {
    lanes.append(text.toCharArray(), text.length());
  }

  private void passes(Duration time) {
    nanos += time.toNanos();
  }

  /** Those that no wait has raised so far. */
  private List<KernelFailure> failures() {
    List<KernelFailure> failures = new ArrayList<>();
    for (Optional<KernelMonitor.Report> report = monitor.take(Integer.MAX_VALUE);
        report.isPresent();
        report = monitor.take(Integer.MAX_VALUE)) {
      failures.add(report.get().failure());
    }
    return failures;
  }
}
