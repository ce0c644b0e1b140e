/** U-Boot image formats, scripts and the prompt. */
@org.jspecify.annotations.NullMarked
module org.liminix.uboot {
  requires transitive org.liminix.core;
}
