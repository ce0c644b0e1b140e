package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.hash.Hashing;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SipHashTest {
  @Test
  void agreesWithGuava() {
    Random random = new Random(24);
    for (int i = 0; i < 10_000; i++) {
      long key0 = random.nextLong();
      long key1 = random.nextLong();
      long message = random.nextLong();
      assertThat(new SipHash(key0, key1).of(message))
          .isEqualTo(Hashing.sipHash24(key0, key1).hashLong(message).asLong());
    }
  }
}
