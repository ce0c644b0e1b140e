/** What the testbench stands on: consoles, Ethernet segments, supervised processes, images. */
@SuppressWarnings("module") // testkit is built after this
@org.jspecify.annotations.NullMarked
module org.liminix.core {
  requires com.google.common;
  requires transitive org.jspecify;
  requires static com.fazecast.jSerialComm;
  requires jdk.net;
  requires org.slf4j;

  exports org.liminix.console;
  exports org.liminix.image;
  exports org.liminix.net;
  exports org.liminix.net.internal to
      org.liminix.qemu,
      org.liminix.testkit;
  exports org.liminix.process;
  exports org.liminix.process.internal to
      org.liminix.qemu,
      org.liminix.testkit;
}
