package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class MaltaInterruptsIT {
  private static final String ASK = "i/b 0x4d1";

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void goesByTheLevelOfPciFromTheStartAndAfterEveryReset(boolean bigEndian, @TempDir Path directory)
      throws Exception {
    try (Vm vm = TinyGuest.boots(directory, bigEndian).start()) {
      assertThat(vm.monitor(ASK)).contains("= 0x0c");
      // Heard of after the library has heard of it.
      CountDownLatch reset = new CountDownLatch(1);
      vm.qmp()
          .onEvent(
              event -> {
                if (event.name().equals("RESET")) {
                  reset.countDown();
                }
              });
      vm.monitor("o/b 0x4d1 0x00");
      vm.reset();
      assertThat(reset.await(30, TimeUnit.SECONDS)).isTrue();
      assertThat(vm.monitor(ASK)).contains("= 0x0c");
    }
  }
}
