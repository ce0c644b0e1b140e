package org.liminix.uboot;

/** What an image runs under or is: {@code IH_OS_…} of U-Boot's {@code include/image.h}. */
public enum OperatingSystem implements ImageCode {
  INVALID(0, "invalid"),
  OPENBSD(1, "openbsd"),
  NETBSD(2, "netbsd"),
  FREEBSD(3, "freebsd"),
  BSD4_4(4, "4_4bsd"),
  LINUX(5, "linux"),
  SVR4(6, "svr4"),
  ESIX(7, "esix"),
  SOLARIS(8, "solaris"),
  IRIX(9, "irix"),
  SCO(10, "sco"),
  DELL(11, "dell"),
  NCR(12, "ncr"),
  VXWORKS(14, "vxworks"),
  PSOS(15, "psos"),
  QNX(16, "qnx"),
  U_BOOT(17, "u-boot"),
  RTEMS(18, "rtems"),
  INTEGRITY(21, "integrity"),
  OSE(22, "ose"),
  PLAN9(23, "plan9"),
  OPENRTOS(24, "openrtos"),
  ARM_TRUSTED_FIRMWARE(25, "arm-trusted-firmware"),
  TEE(26, "tee"),
  OPENSBI(27, "opensbi"),
  EFI(28, "efi");

  private final int id;
  private final String shortName;

  OperatingSystem(int id, String shortName) {
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
