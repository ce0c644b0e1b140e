package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.image.Manifest;
import org.liminix.testkit.internal.TestRepository;
import org.liminix.testkit.internal.Tools;

/** Builds images from an archive in a directory, so neither the network nor Debian is needed. */
class RouterImageTest {
  @TempDir Path cache;
  @TempDir Path archive;
  private TestRepository repository;

  @BeforeEach
  void publishPackages() throws IOException {
    Tools.requireImageBuilding();
    repository = TestRepository.create(archive);
  }

  private RouterImage.Builder image() {
    return RouterImage.debian(Architecture.MIPSEL).cache(cache).sources(repository.sources());
  }

  @Test
  void installsPackagesWithWhatTheyDependOn() throws Exception {
    repository.add("router-tool", "1.0", "router-library", "adduser").add("router-library", "2.0");

    RouterImage image = image().packages("router-tool").build();

    assertThat(rootOf(image))
        .contains("/usr/bin/router-tool")
        .contains("/usr/bin/router-library")
        .contains("/usr/bin/busybox");
    Manifest manifest = image.manifest();
    assertThat(manifest.find(Manifest.Kind.PACKAGE, "router-library").orElseThrow().version())
        .isEqualTo("2.0");
    assertThat(manifest.find(Manifest.Kind.PACKAGE, "adduser")).isEmpty();
  }

  @Test
  void linksCommandsToBusyboxUnlessAPackageBringsThem() throws Exception {
    repository.add("vi", "9.0");

    String root = rootOf(image().packages("vi").build());

    assertThat(root).contains("/usr/bin/cat -> busybox", "/usr/sbin/init -> ../bin/busybox");
    assertThat(root).contains("/usr/bin/vi\n").doesNotContain("/usr/bin/vi ->");
  }

  @Test
  void includesModulesWithWhatTheyDependOnAndTheirIndex() throws Exception {
    RouterImage image = image().modules("virtio-net", "mtdblock").build();

    String modules = "/usr/lib/modules/6.1.0-1-4kc-malta/";
    assertThat(rootOf(image))
        .contains(modules + "kernel/drivers/net/virtio_net.ko")
        .contains(modules + "kernel/drivers/virtio/virtio.ko")
        .doesNotContain("mtdblock.ko", "phram.ko");
    assertThat(contentOf(image, modules.substring(1) + "modules.dep"))
        .contains("kernel/drivers/net/virtio_net.ko: kernel/drivers/virtio/virtio.ko\n");
    assertThat(contentOf(image, modules.substring(1) + "modules.alias"))
        .isEqualTo("alias virtio:d00000001v* virtio_net\n");
    assertThat(contentOf(image, "etc/modules")).isEqualTo("virtio_net\nmtdblock\n");
  }

  @Test
  void letsAFileOfTheCallerReplaceOneOfAPackage() throws Exception {
    repository.add("router-tool", "1.0");

    RouterImage image =
        image()
            .packages("router-tool")
            .file("/usr/bin/router-tool", 0700, "mine")
            .file("/bin/other", "merged")
            .symlink("/etc/link", "inittab")
            .build();

    assertThat(contentOf(image, "usr/bin/router-tool")).isEqualTo("mine");
    assertThat(contentOf(image, "usr/bin/other")).isEqualTo("merged");
    assertThat(rootOf(image))
        .containsPattern("-rwx------ root/root .*/usr/bin/router-tool")
        .contains("/etc/link -> inittab");
  }

  @Test
  void buildsTheSameSpecificationOnceEvenWhenTheArchiveHasGone() throws Exception {
    RouterImage first = image().file("/etc/motd", "hello").build();
    repository.vanish();

    RouterImage second = image().file("/etc/motd", "hello").build();

    assertThat(second.rootfs()).isEqualTo(first.rootfs()).exists();
    assertThat(second.manifest()).isEqualTo(first.manifest());
    assertThatThrownBy(() -> image().packages("router-tool").build())
        .isInstanceOf(ImageException.class);
  }

  @Test
  void goesOnWithAnOldIndexWhenItCannotBeRefreshed() throws Exception {
    RouterImage first = image().build();
    repository.vanish();

    assertThat(image().maxIndexAge(Duration.ZERO).build().rootfs()).isEqualTo(first.rootfs());
    assertThat(image().refresh().build().rootfs()).isEqualTo(first.rootfs());
  }

  @Test
  void makesAnotherImageWhenAFileAModuleOrAPackageDiffers() throws Exception {
    repository.add("router-tool", "1.0");
    List<Path> roots =
        Stream.of(
                image(),
                image().file("/etc/motd", "hello"),
                image().file("/etc/motd", "hullo"),
                image().file("/etc/motd", 0600, "hello"),
                image().modules("virtio"),
                image().packages("router-tool"))
            .map(builder -> builder.build().rootfs())
            .toList();

    assertThat(roots).doesNotHaveDuplicates();
  }

  @Test
  void takesNewerPackagesOnlyWhenTheIndexIsRefreshed() throws Exception {
    repository.add("router-tool", "1.0");
    RouterImage first = image().packages("router-tool").build();
    repository.add("router-tool", "1.1");

    assertThat(image().packages("router-tool").build().rootfs()).isEqualTo(first.rootfs());
    RouterImage refreshed = image().packages("router-tool").refresh().build();
    assertThat(contentOf(refreshed, "usr/bin/router-tool")).isEqualTo("router-tool 1.1");
    assertThat(image().packages("router-tool").build().rootfs()).isEqualTo(refreshed.rootfs());
  }

  @Test
  void namesAPackageThatDoesNotExistInTheWordsOfApt() {
    assertThatThrownBy(() -> image().packages("no-such-tool").build())
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("Unable to locate package no-such-tool")
        .hasMessageContaining(".refresh()");
  }

  @Test
  void namesAModuleThatDoesNotExistAndThoseThatAreLikeIt() throws Exception {
    assertThatThrownBy(() -> image().modules("virtio_nett").build())
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("linux-image-6.1.0-1-4kc-malta has no module named virtio_nett")
        .hasMessageContaining("virtio_net");
    assertNothingHalfMade();
  }

  @Test
  void saysWhatToDoWhenThereIsNoArchive() throws Exception {
    repository.vanish();

    assertThatThrownBy(() -> image().build())
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("apt-get update failed for mipsel")
        .hasMessageContaining(".sources(");
  }

  @Test
  void noticesADamagedArchiveOfAPackage() throws Exception {
    repository.add("router-tool", "1.0");
    RouterImage first = image().packages("router-tool").build();
    Path deb = find("router-tool_1.0_mipsel.deb");
    byte[] damaged = Files.readAllBytes(deb);
    damaged[damaged.length / 2] ^= 1;
    Files.write(deb, damaged);

    RouterImage second = image().packages("router-tool").file("/etc/motd", "new").build();

    assertThat(contentOf(second, "usr/bin/router-tool")).isEqualTo("router-tool 1.0");
    assertThat(first.rootfs()).isNotEqualTo(second.rootfs());
  }

  @Test
  void buildsOnceForManyThreads() throws Exception {
    ExecutorService executor = Executors.newFixedThreadPool(6);
    try {
      Callable<Path> build = () -> image().file("/etc/motd", "hello").build().rootfs();
      List<Future<Path>> builds =
          executor.invokeAll(IntStream.range(0, 6).mapToObj(i -> build).toList());
      for (Future<Path> future : builds) {
        assertThat(future.get()).isEqualTo(builds.get(0).get()).exists();
      }
    } finally {
      executor.shutdownNow();
    }
    try (Stream<Path> images = Files.list(cache.resolve("images"))) {
      assertThat(images.filter(image -> !image.endsWith(".locks"))).hasSize(1);
    }
  }

  @Test
  void keepsPasswordsFromOtherUsers() throws Exception {
    Path own = cache.resolve("own");
    RouterImage.debian(Architecture.MIPSEL).cache(own).sources(repository.sources()).build();

    assertThat(Files.getPosixFilePermissions(own)).hasSize(3);
  }

  private void assertNothingHalfMade() throws IOException {
    try (Stream<Path> images = Files.list(cache.resolve("images"))) {
      assertThat(images.map(Path::getFileName).map(Path::toString)).containsOnly(".locks");
    }
  }

  private Path find(String name) throws IOException {
    try (Stream<Path> files = Files.walk(cache)) {
      return files.filter(file -> file.endsWith(name)).findFirst().orElseThrow();
    }
  }

  private static String rootOf(RouterImage image) throws Exception {
    Tools.require("unsquashfs", "squashfs-tools");
    return Tools.output("unsquashfs", "-ll", "-d", "", image.rootfs().toString());
  }

  private static String contentOf(RouterImage image, String path) throws Exception {
    Tools.require("unsquashfs", "squashfs-tools");
    return Tools.output("unsquashfs", "-cat", image.rootfs().toString(), path);
  }
}
