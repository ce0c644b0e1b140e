package org.liminix.testkit.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.testkit.ImageException;

class AptSourcesTest {
  private static final String KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

  @TempDir Path apt;

  @BeforeEach
  void makeParts() throws IOException {
    Files.createDirectory(apt.resolve("sources.list.d"));
  }

  private void part(String name, String text) throws IOException {
    Files.writeString(apt.resolve("sources.list.d").resolve(name), text);
  }

  @Test
  void takesTheDebianSourcesOfTheHostAndNoOthers() throws IOException {
    part(
        "debian.sources",
        """
        Types: deb deb-src
        # a comment
        URIs: http://mirror.example/debian
        Suites: bookworm
          bookworm-updates
        Components: main
        Signed-By: %s

        Types: deb
        URIs: http://mirror.example/debian-security/
        Suites: bookworm-security
        Components: main contrib
        Architectures: amd64
        Enabled: yes

        Types: deb
        URIs: http://mirror.example/debian
        Suites: sid
        Components: main
        Enabled: no
        """
            .formatted(KEYRING));
    part(
        "vendor.sources",
        """
        Types: deb
        URIs: https://deb.vendor.example/node
        Suites: nodistro
        Components: main
        Signed-By: /usr/share/keyrings/vendor.gpg
        """);
    part("vendor.list", "deb [signed-by=/k.gpg] https://vendor.example/linux/debian x main\n");
    part("docker.list", "deb https://vendor.example/linux/debian bookworm stable\n");
    part("off.sources.disabled", "Types: deb\nURIs: http://off.example/debian\nSuites: x\n");

    assertThat(AptSources.ofHost(apt))
        .isEqualTo(
            new AptSources(
                """
                Types: deb
                URIs: http://mirror.example/debian
                Suites: bookworm bookworm-updates
                Components: main
                Signed-By: %s

                Types: deb
                URIs: http://mirror.example/debian-security/
                Suites: bookworm-security
                Components: main contrib
                Signed-By: %s
                """
                    .formatted(KEYRING, KEYRING),
                "sources"));
  }

  @Test
  void readsTheOneLineForm() throws IOException {
    Files.writeString(
        apt.resolve("sources.list"),
        """
        # deb http://old.example/debian x main
        deb [arch=amd64 trusted=yes] http://mirror.example/debian bookworm main contrib # x
        deb-src http://mirror.example/debian bookworm main
        deb cdrom:[Debian 12]/ bookworm main
        """);

    AptSources sources = AptSources.ofHost(apt);

    assertThat(sources.text())
        .isEqualTo(
            "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm\n"
                + "Components: main contrib\nSigned-By: "
                + KEYRING
                + "\n");
  }

  @Test
  void takesASnapshotForDebian() throws IOException {
    String uri = "http://snapshot.example/archive/debian/20250520T000000Z";
    Files.writeString(apt.resolve("sources.list"), "deb " + uri + " bookworm main\n");

    assertThat(AptSources.ofHost(apt).text()).contains(uri);
  }

  @Test
  void tellsAHostWithoutDebianSourcesHowToNameThem() {
    assertThatThrownBy(() -> AptSources.ofHost(apt))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining(apt.toString())
        .hasMessageContaining(".sources(");
  }

  @Test
  void recognisesTheFormOfAListGivenByTheCaller() {
    assertThat(AptSources.of("deb http://x.example/debian y main").suffix()).isEqualTo("list");
    assertThat(AptSources.of("\nTypes: deb\nURIs: x\n").suffix()).isEqualTo("sources");
  }
}
