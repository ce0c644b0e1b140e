package org.liminix.uboot;

import org.junit.jupiter.api.Test;

class UBootNoiseIT {
  @Test
  void runsTenThousandCommandsOverABadLineAndNoneWrongly() {
    UBootTest.runs(10_000, 0.0003, 7);
  }
}
