package org.liminix.testkit.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.liminix.testkit.ImageException;

class KernelModulesTest {
  private final KernelModules modules =
      new KernelModules(
          "linux-image-6.1",
          List.of(
              module("net/nft_masq.ko", List.of("nf_tables", "nf_nat"), List.of()),
              module("net/nf_tables.ko", List.of("nfnetlink", "libcrc32c"), List.of()),
              module("net/nf_nat.ko", List.of("nf_tables", "mtdblock"), List.of()),
              module("net/nfnetlink.ko", List.of(), List.of()),
              module("lib/libcrc32c.ko", List.of(), List.of("crc32c", "not-there")),
              module("crypto/crc32c-generic.ko", List.of(), List.of(), "crc32c"),
              module("a/ring_a.ko", List.of(), List.of("ring_b")),
              module("a/ring_b.ko", List.of("ring_a"), List.of()),
              module("a/broken.ko", List.of("missing"), List.of())),
          List.of("mtdblock"));

  private static ModuleInfo module(
      String path, List<String> depends, List<String> softDepends, String... aliases) {
    return new ModuleInfo(ModuleInfo.nameOf(path), path, 1, depends, softDepends, List.of(aliases));
  }

  private List<String> names(String... wanted) {
    return modules.withDependencies(List.of(wanted)).stream().map(ModuleInfo::name).toList();
  }

  @Test
  void putsEveryModuleBehindWhatItDependsOn() {
    assertThat(names("nft_masq"))
        .containsExactly(
            "nfnetlink", "crc32c_generic", "libcrc32c", "nf_tables", "nf_nat", "nft_masq");
  }

  @Test
  void keepsTheOrderOfTheCallerWhereNothingForcesAnother() {
    assertThat(names("libcrc32c", "nfnetlink", "crc32c-generic"))
        .containsExactly("crc32c_generic", "libcrc32c", "nfnetlink");
  }

  @Test
  void takesWhatTheKernelHasBuiltInAsGiven() {
    assertThat(names("mtdblock")).isEmpty();
    assertThat(modules.isBuiltIn("mtdblock")).isTrue();
  }

  @Test
  void survivesSoftDependenciesInACircle() {
    assertThat(names("ring_a")).containsExactlyInAnyOrder("ring_a", "ring_b");
  }

  @Test
  void writesTheIndexModprobeReads() {
    List<ModuleInfo> wanted = modules.withDependencies(List.of("nf_tables"));

    // modules.dep(5): the deepest dependency comes last.
    assertThat(modules.dependencyIndex(wanted))
        .isEqualTo(
            """
            net/nfnetlink.ko:
            crypto/crc32c-generic.ko:
            lib/libcrc32c.ko: crypto/crc32c-generic.ko
            net/nf_tables.ko: lib/libcrc32c.ko crypto/crc32c-generic.ko net/nfnetlink.ko
            """);
    assertThat(KernelModules.aliasIndex(wanted)).isEqualTo("alias crc32c crc32c_generic\n");
  }

  @Test
  void namesTheKernelAndSimilarModulesWhenThereIsNone() {
    assertThatThrownBy(() -> names("nf_table"))
        .isInstanceOf(ImageException.class)
        .hasMessage("linux-image-6.1 has no module named nf_table; it does have nf_tables");
    assertThatThrownBy(() -> names("quux"))
        .hasMessageContaining("no module named quux")
        .hasMessageContaining("lsmod");
    assertThatThrownBy(() -> names("broken")).hasMessageContaining("no module named missing");
  }
}
