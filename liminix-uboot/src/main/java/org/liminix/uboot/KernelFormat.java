package org.liminix.uboot;

/** How a kernel is packed for {@link TftpBootScript}, and so which command starts it. */
public enum KernelFormat {
  /** A legacy {@link UImage}. */
  UIMAGE("bootm"),
  /**
   * A {@link Fit}, of which the default configuration starts, or where U-Boot has {@code
   * CONFIG_FIT_BEST_MATCH}, one whose own device tree is for this board, and none without one.
   */
  FIT("bootm"),
  /** The self-unpacking kernel of 32-bit ARM. */
  ZIMAGE("bootz"),
  /** The flat {@code Image} of 64-bit ARM. */
  IMAGE("booti");

  private final String command;

  KernelFormat(String command) {
    this.command = command;
  }

  String command() {
    return command;
  }
}
