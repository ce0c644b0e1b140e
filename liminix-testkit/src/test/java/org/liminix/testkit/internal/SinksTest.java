package org.liminix.testkit.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SinksTest {
  @TempDir Path directory;

  private static void fill(FileSink sink) throws IOException {
    sink.directory("bin", 0755);
    sink.file("bin/tool", 04755, 3, new ByteArrayInputStream(new byte[] {'a', 'b', 'c'}));
    sink.symlink("bin/link", "tool");
    sink.hardLink("bin/same", "bin/tool");
    sink.characterDevice("console", 0600, 5, 1);
  }

  @Test
  void writesAnInitramfsThatCpioReads() throws Exception {
    Tools.require("cpio", "cpio");
    Path archive = directory.resolve("initrd");
    try (CpioSink sink = new CpioSink(Files.newOutputStream(archive))) {
      fill(sink);
    }

    String list = Tools.output("cpio", "-itv", "--quiet", "-F", archive.toString());

    assertThat(list)
        .containsPattern("drwxr-xr-x .* root +root .* bin\n")
        .containsPattern("-rwsr-xr-x .* root +root +3 .* bin/tool\n")
        .containsPattern("lrwxrwxrwx .* bin/link -> tool\n")
        .containsPattern("lrwxrwxrwx .* bin/same -> /bin/tool\n")
        .containsPattern("crw------- .* 5, +1 .* console\n");
    assertThat(Tools.output("file", archive.toString())).contains("SVR4 with no CRC");
  }

  @Test
  void writesASquashfsThatUnsquashfsReads() throws Exception {
    Tools.requireImageBuilding();
    Path image = directory.resolve("rootfs");

    Squashfs.write(directory, image, SinksTest::fill);

    assertThat(Tools.output("unsquashfs", "-lln", image.toString()))
        .containsPattern("drwxr-xr-x 0/0 .* squashfs-root/bin\n")
        .containsPattern("-rwsr-xr-x 0/0 +3 .* squashfs-root/bin/tool\n")
        .containsPattern("-rwsr-xr-x 0/0 +3 .* squashfs-root/bin/same")
        .containsPattern("lrwxrwxrwx 0/0 .* squashfs-root/bin/link -> tool\n")
        .containsPattern("crw------- 0/0 +5, +1 .* squashfs-root/console\n");
  }

  @Test
  void writesTheSameBytesForTheSameFiles() throws Exception {
    Tools.requireImageBuilding();
    Path first = directory.resolve("first");
    Path second = directory.resolve("second");

    Squashfs.write(directory, first, SinksTest::fill);
    Squashfs.write(directory, second, SinksTest::fill);

    assertThat(first).hasSameBinaryContentAs(second);
  }
}
