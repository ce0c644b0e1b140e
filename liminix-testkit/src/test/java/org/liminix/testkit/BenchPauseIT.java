package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.qemu.Vm;
import org.liminix.test.Tmux;
import org.liminix.testkit.internal.StandardError;
import org.liminix.testkit.internal.Tools;

@Timeout(240)
class BenchPauseIT {
  @BeforeAll
  static void requireTools() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
  }

  @Test
  void saysHowToJoinItsMachinesAndHowToGoOn() throws Exception {
    RouterImage image = RouterImage.debian(Architecture.MIPSEL).build();
    try (Tmux tmux = Tmux.open();
        StandardError said = StandardError.capture();
        Bench bench = Bench.open()) {
      Vm vm = bench.start(Vm.mipsel().image(image).name("dut").paused().spec());
      CompletableFuture<Void> paused = CompletableFuture.runAsync(bench::pause);
      tmux.type(said.line("connect-vm").strip() + "\r");
      tmux.screen().expect("[console of dut: ^O leaves, ^P goes to monitor");
      tmux.type("\u000f");
      tmux.screen().expect("A test is paused until");
      assertThat(paused).isNotDone();
      said.runLine("--go-on");
      paused.get(60, TimeUnit.SECONDS);
      assertThat(vm.isAlive()).isTrue();
    }
  }
}
