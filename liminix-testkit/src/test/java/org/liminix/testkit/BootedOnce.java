package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.data.Offset;
import org.liminix.console.Shell;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmBuilder;

/** Has a guest boot once, and makes sure of those that go on from there. */
final class BootedOnce {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final int RUNS = 3;

  private BootedOnce() {}

  /**
   * Every run finds the memory, and none what another has done to it; its timers go on, its clock
   * is right though it was saved with a wrong one, and its random numbers are its own.
   */
  static void check(VmBuilder machine, String booted, Path cache) {
    AtomicInteger boots = new AtomicInteger();
    machine
        .cache(cache)
        .bootedOnce(
            vm -> {
              boots.incrementAndGet();
              vm.console().expect(booted, PATIENCE);
              vm.shell().run("mkdir /dev/kept && echo booted > /dev/kept/state").orThrow();
              vm.shell().run("date -u -s @1000000000").orThrow();
            });
    Set<String> random = new HashSet<>();
    for (int run = 0; run < RUNS; run++) {
      try (Vm vm = machine.start()) {
        Shell shell = vm.shell();
        assertThat(shell.run("cat /dev/kept/state").output()).isEqualTo("booted");
        random.add(shell.run("head -c 16 /dev/urandom | md5sum").orThrow().output());
        assertThat(Long.parseLong(shell.run("date +%s").orThrow().output()))
            .isCloseTo(Instant.now().getEpochSecond(), Offset.offset(60L));
        shell.run("echo spoiled > /dev/kept/state").orThrow();
        assertThat(shell.run("sleep 1 && echo slept", PATIENCE).output()).isEqualTo("slept");
      }
    }
    assertThat(boots).hasValue(1);
    assertThat(random).hasSize(RUNS);
  }
}
