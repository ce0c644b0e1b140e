/** Virtual machines in QEMU. */
@org.jspecify.annotations.NullMarked
module org.liminix.qemu {
  requires com.google.common;
  requires transitive com.google.gson;
  requires transitive org.liminix.core;
  requires org.slf4j;

  exports org.liminix.qemu;
}
