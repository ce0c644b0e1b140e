package org.liminix.qemu;

import java.util.Locale;

/** Whether a machine executes, and why not: QEMU's {@code RunState}, as far as tests ask for it. */
public enum RunState {
  /** It executes. */
  RUNNING,
  /** It was paused, by the test or by a debugger. */
  PAUSED,
  /** It has not executed anything yet. */
  PRELAUNCH,
  /** Its guest has shut down. */
  SHUTDOWN,
  /** Its guest has reported a panic, through a device that can. */
  GUEST_PANICKED,
  /** The accelerator cannot go on: with KVM, the host refuses to run the guest any further. */
  INTERNAL_ERROR,
  /** It is being written to or read from a snapshot. */
  SNAPSHOT,
  /** Something else; {@code query-status} tells. */
  OTHER;

  static RunState of(String name) {
    return switch (name) {
      case "save-vm", "restore-vm", "inmigrate", "postmigrate", "finish-migrate" -> SNAPSHOT;
      case "debug" -> PAUSED;
      default -> {
        String constant = name.replace('-', '_').toUpperCase(Locale.ROOT);
        for (RunState state : values()) {
          if (state.name().equals(constant)) {
            yield state;
          }
        }
        yield OTHER;
      }
    };
  }
}
