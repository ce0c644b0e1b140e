package org.liminix.console;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * What can go wrong with a kernel, as its own messages tell.
 *
 * <pre>{@code
 * Console console = Console.over(channel).failOn(KernelFailure.fatal()).open();
 * console.tolerating(KernelFailure.KERNEL_WARNING, () -> shell.run("modprobe shaky"));
 * }</pre>
 *
 * <p>The texts are those of Linux 4.x to 6.x (kernel/panic.c, kernel/hung_task.c, mm/oom_kill.c,
 * init/, arch/{arm,arm64,mips,x86}/). They count only in messages of the kernel, never where other
 * text mentions them. Immutable.
 */
public enum KernelFailure {
  /** The kernel found no root file system, and panicked. */
  ROOT_MOUNT(
      "found no root file system", "Kernel panic - not syncing: VFS: Unable to mount root fs"),

  /** The first process ended or could not be started, and the kernel panicked. */
  INIT_DIED(
      "lost its init",
      "Kernel panic - not syncing: (Attempted to kill init|No (working )?init found|Requested init )"),

  /** The kernel gave up for another reason. */
  KERNEL_PANIC("panicked", "Kernel panic - not syncing"),

  /** The kernel did what the processor forbids; what it was doing is lost. */
  KERNEL_OOPS(
      "had an oops",
      "(CPU \\d+ |BUG: )?[Uu]nable to handle (kernel|page fault) |BUG: [Kk]ernel NULL pointer"
          + "|Internal error: .*\\[#\\d+]|Oops(\\[#|: | \\[#)"
          // x86 ends what its traps are called with an error code, MIPS with nothing.
          + "|[\\w ,-]+: [0-9a-f]{4} \\[#\\d+]|(?!Kernel bug)[\\w ,.!/()-]+\\[#\\d+]:"),

  /** The kernel made no progress for long; emulators on busy machines show that, too. */
  STALL(
      "stalled",
      "((NMI )?watchdog: )?(BUG: soft lockup|Watchdog detected hard LOCKUP)"
          + "|BUG: workqueue lockup|(rcu: )?INFO: rcu_\\w+ (self-)?detected"),

  /** The kernel found itself in a state that cannot be. */
  KERNEL_BUG("found a bug in itself", "kernel BUG at |Kernel bug detected|Kernel BUG |BUG: "),

  /** A process has been waiting inside the kernel for minutes. */
  HUNG_TASK("has a hung task", "INFO: task .* blocked (in I/O wait )?for more than \\d+ seconds"),

  /** The kernel killed a process, since memory ran out. */
  OOM_KILL(
      "killed a process for want of memory",
      "(Out of memory|Memory cgroup out of memory)( \\(\\w+\\))?: Kill(ed)? process "),

  /**
   * The kernel noticed something it should not have, and went on. One that is told to be {@code
   * quiet} does not show that.
   */
  KERNEL_WARNING("warned", "WARNING: "),

  /** The machine boots again and again, and nothing that is awaited comes between. */
  REBOOT_LOOP("boots again and again", "(?!)");

  private final String summary;
  private final Pattern text;

  KernelFailure(String summary, String text) {
    this.summary = summary;
    this.text = Pattern.compile(text);
  }

  /** What stops the machine: no root, no init, panic, a reboot loop. */
  public static Set<KernelFailure> fatal() {
    return Collections.unmodifiableSet(
        EnumSet.of(ROOT_MOUNT, INIT_DIED, KERNEL_PANIC, REBOOT_LOOP));
  }

  /**
   * What waits fail on unless told otherwise: all but {@link #STALL} and {@link #KERNEL_WARNING}.
   */
  public static Set<KernelFailure> errors() {
    return Collections.unmodifiableSet(EnumSet.complementOf(EnumSet.of(STALL, KERNEL_WARNING)));
  }

  /** Whether the machine runs no further. */
  boolean isPanic() {
    return this == ROOT_MOUNT || this == INIT_DIED || this == KERNEL_PANIC;
  }

  String summary() {
    return summary;
  }

  /** What a kernel's message, without its prefix, stands for: the first constant that fits. */
  static Optional<KernelFailure> of(CharSequence message) {
    for (KernelFailure failure : values()) {
      if (failure.text.matcher(message).lookingAt()) {
        return Optional.of(failure);
      }
    }
    return Optional.empty();
  }
}
