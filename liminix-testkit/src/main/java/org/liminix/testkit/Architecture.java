package org.liminix.testkit;

/** A processor family a router image can be made for. */
public enum Architecture {
  /**
   * Little-endian 32-bit MIPS: QEMU's {@code malta} machine with Debian's {@code 4kc-malta} kernel.
   * Debian 12 (bookworm) is the last release that has it.
   */
  MIPSEL
}
