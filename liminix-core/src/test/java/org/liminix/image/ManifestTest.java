package org.liminix.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.liminix.image.Manifest.Entry;
import org.liminix.image.Manifest.Kind;

class ManifestTest {
  private final Manifest manifest =
      Manifest.of(
          List.of(
              new Entry(Kind.FILE, "/etc/motd", "", 12, 12),
              new Entry(Kind.PACKAGE, "ppp", "2.4.9-1", 664_000, 344_220),
              new Entry(Kind.KERNEL, "linux-image-6.1", "6.1.1", 16 << 20, 45 << 20)));

  @Test
  void putsTheBiggestFirst() {
    assertThat(manifest.entries())
        .extracting(Entry::name)
        .containsExactly("linux-image-6.1", "ppp", "/etc/motd");
  }

  @Test
  void addsUp() {
    assertThat(manifest.totalSize()).isEqualTo(12 + 664_000 + (16 << 20));
  }

  @Test
  void findsByKindAndName() {
    assertThat(manifest.find(Kind.PACKAGE, "ppp").orElseThrow().version()).isEqualTo("2.4.9-1");
    assertThat(manifest.find(Kind.MODULE, "ppp")).isEmpty();
    assertThat(manifest.entries(Kind.FILE)).extracting(Entry::name).containsExactly("/etc/motd");
  }

  @Test
  void rendersATable() {
    assertThat(manifest)
        .hasToString(
            """
                 SIZE     PACKED  KIND     NAME             VERSION
             16.0 MiB   45.0 MiB  kernel   linux-image-6.1  6.1.1
            648.4 KiB  336.2 KiB  package  ppp              2.4.9-1
                 12 B       12 B  file     /etc/motd
             16.6 MiB             total    3 entries
            """);
  }

  @Test
  void refusesNegativeSizes() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Entry(Kind.FILE, "/x", "", -1, 0))
        .withMessageContaining("/x");
  }
}
