/** A TFTP server and client over UDP or an emulated segment. */
@org.jspecify.annotations.NullMarked
module org.liminix.tftp {
  requires transitive org.liminix.core;
}
