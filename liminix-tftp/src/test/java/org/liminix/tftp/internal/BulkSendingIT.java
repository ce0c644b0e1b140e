package org.liminix.tftp.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.liminix.test.ChildJvm;

/** A line slower than the server, with frames smaller than its packets or large ones. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class BulkSendingIT {
  private static final int SMALL_FRAMES = 1400;
  private static final int LARGE_FRAMES = 65_536;

  @ParameterizedTest
  @CsvSource({
    "segments, " + LARGE_FRAMES,
    "segments, " + SMALL_FRAMES,
    "messages, " + LARGE_FRAMES,
    "messages, " + SMALL_FRAMES,
    "single, " + SMALL_FRAMES
  })
  void sendsEveryPacketOnceAndInOrderThoughThePortIsFullOften(String way, int mtu)
      throws Exception {
    List<String> onASlowLine =
        List.of(
            "unshare",
            "-Urn",
            "sh",
            "-c",
            "ip link set lo up mtu "
                + mtu
                + " && tc qdisc add dev lo root tbf rate 40mbit burst 10kb latency 10s"
                + " && exec \"$@\"",
            "sh");
    assumeTrue(
        ChildJvm.runsUnder(onASlowLine),
        "There is no slow line in a namespace of a user's own here: that needs unshare of"
            + " util-linux, ip and tc of iproute2, the kernel's sch_tbf, and perhaps sysctl"
            + " kernel.unprivileged_userns_clone=1");
    try (ChildJvm sender = ChildJvm.runUnder(onASlowLine, Map.of(), SlowLoopback.class, way)) {
      assertThat(Integer.parseInt(sender.line())).as("times that the port was full").isPositive();
    }
  }
}
