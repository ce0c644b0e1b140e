/** What the testbench stands on: consoles, Ethernet segments, supervised processes, images. */
@org.jspecify.annotations.NullMarked
module org.liminix.core {
  requires com.google.common;
  requires transitive org.jspecify;
  requires org.slf4j;

  exports org.liminix.console;
  exports org.liminix.net;
  exports org.liminix.process;
}
