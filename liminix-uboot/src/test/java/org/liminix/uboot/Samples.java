package org.liminix.uboot;

import java.util.Random;

/** Bytes to put into images, and a board to put images onto. */
final class Samples {
  /** A board with every kind of flash. */
  static final MemoryMap BOARD =
      MemoryMap.builder()
          .addressing(Addressing.MIPS)
          .ram(new AddressRange(0x80000000L, 0x8000000))
          .uboot(new AddressRange(0x87f00000L, 0x100000))
          .flash(
              FlashDevice.nor(new AddressRange(0xbe000000L, 0x400000), 0x10000)
                  .withProtected("u-boot", new AddressRange(0, 0x40000))
                  .withPartition("firmware", new AddressRange(0x40000, 0x3a0000))
                  .withProtected("u-boot-env", new AddressRange(0x3e0000, 0x20000)))
          .flash(
              FlashDevice.spiNor(0x1000000, 0x10000)
                  .withProtected("u-boot", new AddressRange(0, 0x50000))
                  .withPartition("firmware", new AddressRange(0x50000, 0xfb0000)))
          .flash(
              FlashDevice.nand(0x8000000, 0x20000)
                  .withProtected("u-boot", new AddressRange(0, 0x100000))
                  .withPartition("firmware", new AddressRange(0x100000, 0x2000000)))
          .flash(FlashDevice.mmc(0, 0x10000000).withProtected("mbr", new AddressRange(0, 0x100000)))
          .flash(FlashDevice.ubiVolume("liminix", 0x40000))
          .build();

  private Samples() {}

  /** That many bytes that look random and are the same each time. */
  static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(count).nextBytes(bytes);
    return bytes;
  }
}
