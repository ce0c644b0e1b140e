package org.liminix.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.liminix.process.Executable;
import org.tukaani.xz.XZInputStream;

/** A big-endian kernel and root that lie beside the project where they are available. */
public final class BigEndianImages {
  private static final Path FOLDER = Path.of("../../shared/images/mips-be");

  private BigEndianImages() {}

  /** Unpacks the kernel; skips the test if there is none, or no QEMU. */
  public static Path vmlinux(Path directory) throws IOException {
    Assumptions.assumeTrue(
        Files.isDirectory(FOLDER),
        "The big-endian kernel and root are missing: " + FOLDER.toAbsolutePath().normalize());
    Assumptions.assumeTrue(
        Executable.named("qemu-system-mips").lookUp().isPresent(),
        "QEMU is missing: apt-get install qemu-system-mips");
    Path kernel = directory.resolve("vmlinux");
    try (InputStream packed = Files.newInputStream(FOLDER.resolve("vmlinux.xz"))) {
      Files.copy(new XZInputStream(packed), kernel);
    }
    return kernel;
  }

  /** The root file system. */
  public static Path squashfs() {
    return FOLDER.resolve("rootfs.squashfs");
  }
}
