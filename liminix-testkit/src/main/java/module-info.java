/** What stands around a router in a test: ISP, hosts, guest images and the JUnit extension. */
@org.jspecify.annotations.NullMarked
module org.liminix.testkit {
  exports org.liminix.isp;

  requires org.apache.commons.compress;
  requires static org.assertj.core;
  requires static org.junit.jupiter.api;
  requires transitive org.liminix.core;
  requires transitive org.liminix.qemu;
  requires transitive org.liminix.tftp;
  requires transitive org.liminix.uboot;
  requires org.tukaani.xz;
}
