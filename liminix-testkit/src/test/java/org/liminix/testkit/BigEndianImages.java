package org.liminix.testkit;

import java.io.IOException;
import java.nio.file.Path;
import org.liminix.testkit.internal.DebianSource;
import org.liminix.testkit.internal.Tools;

/**
 * A big-endian kernel and root for a Malta, as Liminix's {@code qemu} device has them: no initrd
 * and no modules. Debian has the sources only, so the first call of all builds for minutes.
 */
public final class BigEndianImages {
  private BigEndianImages() {}

  /** The kernel; skips the test where it cannot be built, or there is no QEMU. */
  public static Path vmlinux() throws IOException {
    Tools.require("qemu-system-mips", "qemu-system-mips");
    return built(DebianSource.LINUX).resolve("vmlinux");
  }

  /** The root file system, which says ROUTER-UP; skips the test where it cannot be built. */
  public static Path squashfs() throws IOException {
    return built(DebianSource.BUSYBOX).resolve("rootfs.squashfs");
  }

  private static Path built(DebianSource source) throws IOException {
    return source.directory(RouterImage.Builder.defaultCache());
  }
}
