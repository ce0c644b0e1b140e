package org.liminix.testkit.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModuleInfoTest {
  private static final String PATH = "kernel/drivers/net/virtio-net.ko";

  @ParameterizedTest
  @CsvSource({"false,LITTLE_ENDIAN", "false,BIG_ENDIAN", "true,LITTLE_ENDIAN", "true,BIG_ENDIAN"})
  void readsModulesOfEveryWordSizeAndByteOrder(boolean wide, String order) {
    ByteOrder byteOrder =
        order.equals("BIG_ENDIAN") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    byte[] file =
        Elfs.module(
            wide,
            byteOrder,
            "license=GPL",
            "alias=virtio:d00000001v*",
            "alias=second",
            "softdep=pre: crc32c other post: later",
            "depends=virtio-ring,virtio",
            "no pair");

    ModuleInfo module = ModuleInfo.parse(PATH, file);

    assertThat(module.name()).isEqualTo("virtio_net");
    assertThat(module.size()).isEqualTo(file.length);
    assertThat(module.aliases()).containsExactly("virtio:d00000001v*", "second");
    assertThat(module.depends()).containsExactly("virtio_ring", "virtio");
    assertThat(module.softDepends()).containsExactly("crc32c", "other");
    assertThat(ModuleInfo.fromLine(module.toLine())).isEqualTo(module);
  }

  @Test
  void readsAModuleThatNeedsNothing() {
    ModuleInfo module = ModuleInfo.parse(PATH, Elfs.module("depends="));

    assertThat(module.depends()).isEmpty();
    assertThat(ModuleInfo.fromLine(module.toLine())).isEqualTo(module);
  }

  @Test
  void refusesWhatIsNoModule() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ModuleInfo.parse(PATH, new byte[100]))
        .withMessageContaining("not an ELF file");
    byte[] other = Elfs.module("depends=");
    other[53 + "depends=".length() + 2] = 'x';
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ModuleInfo.parse(PATH, other))
        .withMessageContaining(".modinfo");
  }

  @Test
  void saysSoWhenAFileIsCutOffOrDamagedAndNothingElse() {
    byte[] whole = Elfs.module("alias=a", "depends=b,c");
    for (int length = 0; length < whole.length; length++) {
      byte[] part = Arrays.copyOf(whole, length);
      assertThatIllegalArgumentException().isThrownBy(() -> ModuleInfo.parse(PATH, part));
    }
    Random random = new Random(1);
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = whole.clone();
      for (int j = 0; j <= random.nextInt(4); j++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      try {
        ModuleInfo.parse(PATH, damaged);
      } catch (IllegalArgumentException e) {
        assertThat(e).hasMessageNotContaining("null");
      }
    }
  }
}
