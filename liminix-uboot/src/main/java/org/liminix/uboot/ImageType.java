package org.liminix.uboot;

/**
 * What an image holds: those {@code IH_TYPE_…} of U-Boot's {@code include/image.h} that stand in a
 * legacy header or a FIT, not the private formats of boot ROMs.
 */
public enum ImageType implements ImageCode {
  INVALID(0, "invalid"),
  STANDALONE(1, "standalone"),
  KERNEL(2, "kernel"),
  RAMDISK(3, "ramdisk"),
  MULTI(4, "multi"),
  FIRMWARE(5, "firmware"),
  SCRIPT(6, "script"),
  FILESYSTEM(7, "filesystem"),
  FLAT_DT(8, "flat_dt"),
  KERNEL_NOLOAD(14, "kernel_noload"),
  X86_SETUP(20, "x86_setup"),
  LOADABLE(22, "loadable"),
  FPGA(29, "fpga"),
  TEE(31, "tee"),
  PMMC(33, "pmmc"),
  COPRO(39, "copro");

  private final int id;
  private final String shortName;

  ImageType(int id, String shortName) {
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
