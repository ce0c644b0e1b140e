package org.liminix.testkit;

/** A processor family a router image can be made for. */
public enum Architecture {
  /**
   * Little-endian 32-bit MIPS: QEMU's {@code malta} machine with Debian's {@code 4kc-malta} kernel.
   * Debian 12 (bookworm) is the last release that has it.
   */
  MIPSEL,
  /** 64-bit ARM: QEMU's {@code virt} machine with Debian's {@code cloud-arm64} kernel. */
  ARM64,
  /** 32-bit ARM: QEMU's {@code virt} machine with Debian's {@code armmp} kernel. */
  ARMHF,
  /**
   * 64-bit PCs: QEMU's {@code q35} and {@code microvm} with Debian's {@code cloud-amd64} kernel.
   */
  AMD64
}
