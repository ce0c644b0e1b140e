/** U-Boot image formats, scripts and the prompt. */
@org.jspecify.annotations.NullMarked
module org.liminix.uboot {
  requires static transitive com.google.errorprone.annotations;
  requires transitive org.liminix.core;

  exports org.liminix.uboot;
}
