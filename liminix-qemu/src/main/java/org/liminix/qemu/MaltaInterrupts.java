package org.liminix.qemu;

import java.util.Map;

/**
 * Has a Malta's interrupt controller go by the level of the lines of PCI, as a real board's
 * firmware does and QEMU's stand-in for it does not.
 *
 * <p>Network cards share a line. While one holds it, the edge of another is lost, and once it is,
 * both are deaf for good: a router under load loses its networks. Every reset undoes the setting.
 */
final class MaltaInterrupts {
  /**
   * IRQ 10 and 11, to which QEMU's PIIX4 routes PCI, are bits 2 and 3 of the second edge/level
   * control register, port 0x4d1 (Intel 82371AB data sheet, ELCR2).
   */
  private static final String GO_BY_LEVEL = "o/b 0x4d1 0x0c";

  private MaltaInterrupts() {}

  /** Sets it for this start and all that follow; to be called before the processor runs. */
  static void goByLevel(Qmp qmp) {
    // A kernel needs far longer to get to its network cards than QEMU to hear of this.
    qmp.onEvent(
        event -> {
          if (event.name().equals("RESET")) {
            var unused =
                qmp.executeAsync("human-monitor-command", Map.of("command-line", GO_BY_LEVEL));
          }
        });
    qmp.monitor(GO_BY_LEVEL);
  }
}
