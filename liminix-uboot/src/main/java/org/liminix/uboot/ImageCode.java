package org.liminix.uboot;

/**
 * One value of a coded field in an image header: a number in a {@link UImage}, a word in a {@link
 * Fit}.
 */
public sealed interface ImageCode permits CpuArchitecture, OperatingSystem, ImageType, Compression {
  /** The number that stands for it in a legacy header. */
  int id();

  /** The word that stands for it in a FIT and on the command line of {@code mkimage}. */
  String shortName();

  /** The constant's name in Java. */
  String name();
}
