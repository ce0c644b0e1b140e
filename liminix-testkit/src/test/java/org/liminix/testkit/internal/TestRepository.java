package org.liminix.testkit.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A package archive in a directory, small enough to build images from in a test. */
public final class TestRepository {
  private final Path directory;
  private final List<Deb> packages = new ArrayList<>();

  private TestRepository(Path directory) {
    this.directory = directory;
  }

  /** An archive with a kernel, its modules and a busybox: all an image needs. */
  public static TestRepository create(Path directory) throws IOException {
    TestRepository repository = new TestRepository(directory);
    String modules = "lib/modules/6.1.0-1-4kc-malta/";
    repository.packages.add(
        new Deb("linux-image-4kc-malta", "6.1").depends("linux-image-6.1.0-1-4kc-malta"));
    repository.packages.add(
        new Deb("linux-image-6.1.0-1-4kc-malta", "6.1.1")
            .depends("initramfs-tools")
            .file("./boot/vmlinuz-6.1.0-1-4kc-malta", "a kernel")
            .file("./" + modules + "modules.builtin", "kernel/drivers/mtd/mtdblock.ko\n")
            .file("./" + modules + "kernel/drivers/mtd/devices/phram.ko", Elfs.module("depends="))
            .file("./" + modules + "kernel/fs/squashfs/squashfs.ko", Elfs.module("depends="))
            .file(
                "./" + modules + "kernel/drivers/net/virtio_net.ko",
                Elfs.module("alias=virtio:d00000001v*", "depends=virtio"))
            .file("./" + modules + "kernel/drivers/virtio/virtio.ko", Elfs.module("depends=")));
    repository.packages.add(
        new Deb("busybox-static", "1.35")
            .file("./bin/busybox", Elfs.busybox("ash", "cat", "init", "modprobe", "sh", "vi")));
    repository.publish();
    return repository;
  }

  /** Adds a package with one file, {@code /usr/bin/<name>}, or a newer version of it. */
  public TestRepository add(String name, String version, String... depends) throws IOException {
    Deb deb = new Deb(name, version).file("./usr/bin/" + name, name + " " + version);
    for (String dependency : depends) {
      deb.depends(dependency);
    }
    return add(deb);
  }

  TestRepository add(Deb deb) throws IOException {
    packages.removeIf(other -> other.name.equals(deb.name));
    packages.add(deb);
    publish();
    return this;
  }

  /** The source list to build from. */
  public String sources() {
    return "deb [trusted=yes] copy:" + directory + " ./\n";
  }

  /** Takes everything away, as if the network were down. */
  public void vanish() throws IOException {
    AtomicFile.deleteRecursively(directory);
  }

  private void publish() throws IOException {
    StringBuilder index = new StringBuilder();
    for (Deb deb : packages) {
      byte[] bytes = deb.toBytes();
      String file = deb.name + "_" + deb.version + "_mipsel.deb";
      Files.write(directory.resolve(file), bytes);
      index.append(deb.control());
      index.append("Filename: ./").append(file).append("\nSize: ").append(bytes.length);
      index.append("\nSHA256: ").append(Hashes.sha256(bytes)).append("\n\n");
    }
    Files.writeString(directory.resolve("Packages"), index);
    byte[] packagesFile = index.toString().getBytes(StandardCharsets.UTF_8);
    Files.writeString(
        directory.resolve("Release"),
        "Origin: test\nSuite: test\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n "
            + Hashes.sha256(packagesFile)
            + " "
            + packagesFile.length
            + " Packages\n");
  }
}
