package org.liminix.net.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ChecksumTest {
  @Test
  void isRightAfterAWordHasChanged() {
    Random random = new Random(1624);
    for (int i = 0; i < 10_000; i++) {
      ByteBuffer words = ByteBuffer.allocate(8);
      random.nextBytes(words.array());
      int checksum = Checksum.of(words, 0, 8);
      int old = Short.toUnsignedInt(words.getShort(2));
      int other = random.nextInt(0x1_0000);
      words.putShort(2, (short) other);
      assertThat(Checksum.updated(checksum, (~old & 0xffff) + other))
          .isEqualTo(Checksum.of(words, 0, 8));
    }
  }
}
