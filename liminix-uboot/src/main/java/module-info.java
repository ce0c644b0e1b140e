/** U-Boot image formats, scripts and the prompt. */
@org.jspecify.annotations.NullMarked
module org.liminix.uboot {
  requires static com.google.errorprone.annotations;
  requires transitive org.liminix.core;
  requires org.slf4j;
  requires org.tukaani.xz;

  exports org.liminix.uboot;
}
