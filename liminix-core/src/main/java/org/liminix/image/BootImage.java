package org.liminix.image;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Files that boot together: what a firmware build, Nix or a test's image builder, comes to.
 *
 * <pre>{@code
 * Vm router = Vm.mipsel().image(image).network(LAN, ACCESS).start();
 * }</pre>
 */
public interface BootImage {
  /** The kernel, in a form the machine's firmware or emulator loads. */
  Path kernel();

  /** The initial RAM file system, if there is one. */
  Optional<Path> initrd();

  /** The root file system, if it is not the initial one. */
  Optional<Path> rootfs();

  /** What this image's kernel must be told, besides what depends on the machine; may be empty. */
  String commandLine();
}
