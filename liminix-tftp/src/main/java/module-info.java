/** A TFTP server and client over UDP or an emulated segment. */
@org.jspecify.annotations.NullMarked
module org.liminix.tftp {
  requires com.google.common;
  requires transitive org.liminix.core;
  requires org.jnrproject.jffi;
  requires org.slf4j;

  exports org.liminix.tftp;
}
