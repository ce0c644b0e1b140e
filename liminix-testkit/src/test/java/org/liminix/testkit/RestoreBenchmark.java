package org.liminix.testkit;

import java.util.ArrayList;
import java.util.List;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmBuilder;

/**
 * Measures how long a MIPS guest takes from start() to an answering shell: booted, and restored
 * from where it was booted once. Prints both and the ratio.
 */
public final class RestoreBenchmark {
  private static final int ROUNDS = 9;

  private RestoreBenchmark() {}

  public static void main(String[] arguments) {
    RouterImage image = RouterImage.debian(Architecture.MIPSEL).build();
    List<Long> boots = new ArrayList<>();
    List<Long> restores = new ArrayList<>();
    VmBuilder restored =
        Vm.mipsel().image(image).bootedOnce(vm -> vm.shell().run("true").orThrow());
    time(restored); // boots, unless an earlier run has
    for (int round = 0; round < ROUNDS; round++) {
      boots.add(time(Vm.mipsel().image(image)));
      restores.add(time(restored));
    }
    System.out.printf(
        "start to an answering shell: restored %.0f ms, booted %.0f ms, ratio %.1f (medians of %d)%n",
        median(restores), median(boots), median(boots) / median(restores), ROUNDS);
  }

  private static long time(VmBuilder machine) {
    long start = System.nanoTime();
    try (Vm vm = machine.start()) {
      vm.shell().run("true").orThrow();
      return System.nanoTime() - start;
    }
  }

  private static double median(List<Long> nanos) {
    return nanos.stream().sorted().skip(nanos.size() / 2).findFirst().orElseThrow() / 1e6;
  }
}
