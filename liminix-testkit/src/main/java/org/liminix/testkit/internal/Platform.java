package org.liminix.testkit.internal;

import java.util.List;
import org.liminix.testkit.Architecture;

/**
 * What Debian and QEMU call things for one architecture.
 *
 * @param debianName the architecture in the package index
 * @param kernelPackage the package that depends on the newest kernel
 * @param rootModules the modules that make the root readable, loaded before it is mounted
 * @param console the serial line a shell is offered on
 * @param commandLine kernel arguments that shorten the boot
 */
record Platform(
    String debianName,
    String kernelPackage,
    List<String> rootModules,
    String console,
    String commandLine) {

  static Platform of(Architecture architecture) {
    return switch (architecture) {
      // The self-tests of the crypto modules take a third of a second under emulation.
      case MIPSEL ->
          new Platform(
              "mipsel",
              "linux-image-4kc-malta",
              List.of("phram", "mtdblock", "squashfs"),
              "ttyS0",
              "quiet cryptomgr.notests");
    };
  }
}
