package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.Segments;
import org.liminix.process.Executable;
import org.liminix.process.WaitTimeoutException;

@Timeout(120)
class LiveControlIT {
  private static final Duration LONG = Duration.ofSeconds(60);

  @TempDir Path directory;

  @Test
  void startsPausedAndExecutesWhenItIsTold() throws IOException {
    try (Vm vm = TinyGuest.boots(directory, true).paused().start()) {
      assertThat(vm.state()).isEqualTo(RunState.PRELAUNCH);
      vm.qmp().awaitEvent("RESUME", LONG, vm::resume);
      vm.console().expect("OK", LONG);
      vm.qmp().awaitEvent("STOP", LONG, vm::pause);
      assertThat(vm.state()).isEqualTo(RunState.PAUSED);
      vm.resume();
      assertThat(vm.state()).isEqualTo(RunState.RUNNING);
    }
  }

  @Test
  void reportsAResetWithItsCause() throws IOException {
    try (Vm vm = TinyGuest.boots(directory, true).start()) {
      vm.console().expect("OK", LONG);
      QmpEvent reset = vm.qmp().awaitEvent("RESET", LONG, vm::reset);
      assertThat(reset.data().get("reason").getAsString()).isEqualTo("host-qmp-system-reset");
      vm.console().expect("OK", LONG);
    }
  }

  @Test
  void keepsEventsUntilTheyAreRead() throws IOException {
    try (Vm vm = TinyGuest.boots(directory, true).start();
        QmpEvents events = vm.qmp().events()) {
      vm.pause();
      vm.resume();
      vm.pause();
      assertThat(events.await("RESUME", LONG).name()).isEqualTo("RESUME");
      assertThat(events.next(LONG).name()).isEqualTo("STOP");
      assertThatExceptionOfType(WaitTimeoutException.class)
          .isThrownBy(() -> events.await("RESET", Duration.ofMillis(10)))
          .withMessageContainingAll("RESET", "10 ms", "reported nothing");
    }
  }

  @Test
  void endsAWaitForAnEventWhenQemuEnds() throws IOException {
    try (Vm vm = TinyGuest.boots(directory, true).start()) {
      assertThatExceptionOfType(QmpException.class)
          .isThrownBy(
              () ->
                  vm.qmp()
                      .awaitEvent(
                          "RESET",
                          LONG,
                          () -> ProcessHandle.of(vm.pid()).orElseThrow().destroyForcibly()))
          .satisfies(e -> assertThat(e.kind()).isEqualTo(QmpException.Kind.DISCONNECTED));
    }
  }

  @Test
  void speaksToTheHumanMonitor() throws IOException {
    try (Vm vm = TinyGuest.boots(directory, true).start()) {
      assertThat(vm.monitor("info status")).isEqualTo("VM status: running\n");
      assertThatExceptionOfType(QmpException.class)
          .isThrownBy(() -> vm.monitor("fly"))
          .withMessageContaining("unknown command: 'fly'")
          .satisfies(e -> assertThat(e.kind()).isEqualTo(QmpException.Kind.COMMAND_NOT_FOUND));
    }
  }

  @Test
  void pullsAndPlugsTheCablesItHas() throws IOException {
    try (Segments segments = Segments.isolated();
        Vm vm =
            TinyGuest.boots(directory, true)
                .network(LAN, ACCESS)
                .linksDown(ACCESS)
                .spec()
                .start(segments)) {
      vm.link(ACCESS).up();
      vm.link(LAN).down();
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> vm.link(org.liminix.net.Network.WORLD))
          .withMessageContaining("no card on world; its cards are on [lan, access]");
    }
  }

  @Test
  void takesScreenshotsAndKeys() throws IOException {
    try (Vm vm = TinyGuest.boots(directory, true).display().start()) {
      Path shot = directory.resolve("shot.ppm");
      vm.screenshot(shot);
      assertThat(new String(Files.readAllBytes(shot), 0, 3, StandardCharsets.ISO_8859_1))
          .isEqualTo("P6\n");
      vm.keys("ctrl", "alt", "delete");
      assertThatExceptionOfType(QmpException.class).isThrownBy(() -> vm.keys("no-such-key"));
      assertThatExceptionOfType(QmpException.class)
          .isThrownBy(vm::nmi)
          .withMessageContaining("not currently supported");
    }
  }

  @Test
  void plugsPciDevicesIntoItsSlots() throws IOException {
    assumeQemu("qemu-system-x86_64", "qemu-system-x86");
    Path image = Files.write(directory.resolve("image"), new byte[1 << 20]);
    try (Segments segments = Segments.isolated();
        Vm vm =
            Vm.x86_64()
                .disk(image)
                .hotplug(2)
                .accelerator(Accelerator.TCG)
                .memory(64)
                .paused()
                .spec()
                .start(segments)) {
      vm.plugDisk(image);
      vm.plugNetwork(LAN);
      assertThat(vm.monitor("info block")).contains("disk0", "hot-disk0");
      assertThat(vm.monitor("info network")).contains("hot-net1-dev");
      assertThatExceptionOfType(IllegalStateException.class)
          .isThrownBy(() -> vm.plugDisk(image))
          .withMessageContaining("no free slot: it has 2");
    }
  }

  static void assumeQemu(String program, String debianPackage) {
    Assumptions.assumeTrue(
        Executable.named(program).lookUp().isPresent(),
        "QEMU is missing: apt-get install " + debianPackage);
  }
}
