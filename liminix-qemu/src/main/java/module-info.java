/** Virtual machines in QEMU. */
@org.jspecify.annotations.NullMarked
module org.liminix.qemu {
  requires com.google.gson;
  requires transitive org.liminix.core;
}
