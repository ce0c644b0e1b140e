/** What stands around a router in a test: ISP, hosts, guest images and the JUnit extension. */
@org.jspecify.annotations.NullMarked
module org.liminix.testkit {
  requires com.google.common;

  exports org.liminix.isp;

  requires org.apache.commons.compress;
  requires static org.assertj.core;
  requires static transitive org.junit.jupiter.api;
  requires static org.junit.platform.commons;
  requires transitive org.liminix.core;
  requires transitive org.liminix.qemu;
  requires transitive org.liminix.tftp;
  requires transitive org.liminix.uboot;
  requires static org.opentest4j;
  requires org.slf4j;
  requires org.tukaani.xz;

  exports org.liminix.testkit;
  exports org.liminix.testkit.junit;
}
