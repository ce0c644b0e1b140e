package org.liminix.testkit.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.commons.compress.archivers.ar.ArArchiveOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.testkit.ImageException;

class DebArchiveTest {
  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(strings = {"xz", "gzip", "none"})
  void readsWhatDpkgDebWrites(String compression) throws Exception {
    Tools.require("dpkg-deb", "dpkg");
    Path tree = directory.resolve("tree");
    Files.createDirectories(tree.resolve("DEBIAN"));
    Files.createDirectories(tree.resolve("usr/bin"));
    Files.writeString(tree.resolve("DEBIAN/control"), new Deb("tool", "1.0").control());
    Files.writeString(tree.resolve("usr/bin/tool"), "content");
    Files.createSymbolicLink(tree.resolve("usr/bin/alias"), Path.of("tool"));
    Path deb = directory.resolve("tool.deb");
    Tools.output("dpkg-deb", "-Z" + compression, "-b", tree.toString(), deb.toString());

    List<String> seen = new ArrayList<>();
    DebArchive.visit(
        deb,
        (entry, content) ->
            seen.add(
                entry.getName()
                    + " -> "
                    + entry.getLinkName()
                    + ": "
                    + new String(content.readAllBytes(), StandardCharsets.UTF_8)));

    assertThat(seen).contains("./usr/bin/tool -> : content", "./usr/bin/alias -> tool: ");
  }

  @Test
  void saysHowToGetAroundACompressionItCannotRead() throws IOException {
    Path deb = directory.resolve("tool.deb");
    try (ArArchiveOutputStream ar = new ArArchiveOutputStream(Files.newOutputStream(deb))) {
      Deb.member(ar, "debian-binary", new byte[4]);
      Deb.member(ar, "data.tar.zst", new byte[4]);
    }

    assertThatThrownBy(() -> DebArchive.visit(deb, (entry, content) -> {}))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("data.tar.zst")
        .hasMessageContaining("dpkg-deb -Zxz");
  }

  @Test
  void refusesAnArchiveWithoutFiles() throws IOException {
    Path deb = directory.resolve("tool.deb");
    try (ArArchiveOutputStream ar = new ArArchiveOutputStream(Files.newOutputStream(deb))) {
      Deb.member(ar, "debian-binary", new byte[4]);
    }

    assertThatThrownBy(() -> DebArchive.visit(deb, (entry, content) -> {}))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("not a Debian package");
  }
}
