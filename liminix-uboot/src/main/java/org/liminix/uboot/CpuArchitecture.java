package org.liminix.uboot;

/** The processor an image is for: {@code IH_ARCH_…} of U-Boot's {@code include/image.h}. */
public enum CpuArchitecture implements ImageCode {
  INVALID(0, "invalid"),
  ALPHA(1, "alpha"),
  ARM(2, "arm"),
  X86(3, "x86"),
  IA64(4, "ia64"),
  MIPS(5, "mips"),
  MIPS64(6, "mips64"),
  POWERPC(7, "powerpc"),
  S390(8, "s390"),
  SH(9, "sh"),
  SPARC(10, "sparc"),
  SPARC64(11, "sparc64"),
  M68K(12, "m68k"),
  MICROBLAZE(14, "microblaze"),
  NIOS2(15, "nios2"),
  BLACKFIN(16, "blackfin"),
  AVR32(17, "avr32"),
  SANDBOX(19, "sandbox"),
  NDS32(20, "nds32"),
  OR1K(21, "or1k"),
  ARM64(22, "arm64"),
  ARC(23, "arc"),
  X86_64(24, "x86_64"),
  XTENSA(25, "xtensa"),
  RISCV(26, "riscv");

  private final int id;
  private final String shortName;

  CpuArchitecture(int id, String shortName) {
    this.id = id;
    this.shortName = shortName;
  }

  @Override
  public int id() {
    return id;
  }

  @Override
  public String shortName() {
    return shortName;
  }
}
