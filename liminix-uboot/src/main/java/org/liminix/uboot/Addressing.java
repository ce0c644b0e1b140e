package org.liminix.uboot;

/** How the addresses that U-Boot's commands take relate to physical ones. */
public enum Addressing {
  /** They are the same: ARM, RISC-V and most others. */
  FLAT {
    @Override
    long physical(long address) {
      return address;
    }
  },

  /**
   * 32-bit MIPS: kseg0 (0x80000000, cached) and kseg1 (0xa0000000, uncached) both show the first
   * 512 MiB of physical memory. MIPS32 Privileged Resource Architecture, section 4.2.
   */
  MIPS {
    @Override
    long physical(long address) {
      boolean unmapped = address >= 0x8000_0000L && address < 0xc000_0000L;
      return unmapped ? address & 0x1fff_ffffL : address;
    }
  };

  abstract long physical(long address);

  AddressRange physical(AddressRange range) {
    return new AddressRange(physical(range.start()), range.size());
  }
}
