package org.liminix.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.console.CommandFailedException;
import org.liminix.net.Segments;
import org.liminix.process.WaitTimeoutException;
import org.liminix.qemu.Accelerator;
import org.liminix.qemu.AgentException;
import org.liminix.qemu.GuestAgent;
import org.liminix.qemu.GuestInterface;
import org.liminix.qemu.GuestResult;
import org.liminix.qemu.Vm;
import org.liminix.qemu.VmBuilder;
import org.liminix.testkit.internal.Tools;

/** Debian's own qemu-guest-agent, in the guest that boots fastest without KVM. */
@Timeout(240)
class GuestAgentIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private static Segments segments;
  private static Vm vm;
  private static GuestAgent agent;

  @TempDir Path directory;

  @BeforeAll
  static void boot() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-x86_64", "qemu-system-x86");
    segments = Segments.isolated();
    vm = guest().spec().start(segments);
    agent = vm.agent();
  }

  @AfterAll
  static void end() {
    if (vm != null) {
      vm.close();
    }
    if (segments != null) {
      segments.close();
    }
  }

  private static VmBuilder guest() {
    RouterImage image =
        RouterImage.debian(Architecture.AMD64)
            .packages("qemu-guest-agent")
            .modules("virtio_net", "virtio_console")
            .file(
                "/etc/rc.d/10-net",
                "ip address add 10.0.0.9/24 dev eth0\nip link set dev eth0 up\n")
            .file("/etc/rc.d/20-agent", "qemu-ga -d -t /run -f /run/qemu-ga.pid -p /dev/vport*p1\n")
            .symlink("/sbin/hwclock", "/bin/busybox")
            .file("/sbin/shutdown", 0755, "#!/bin/sh\nexec poweroff -f\n")
            .build();
    return Vm.microvm()
        .image(image)
        .commandLine("net.ifnames=0")
        .network(LAN)
        .guestAgent()
        .accelerator(Accelerator.TCG)
        .timeout(PATIENCE);
  }

  @Test
  void runsAProgramAndTellsItsTwoOutputsAndItsStatusApart() {
    GuestResult result = agent.exec("sh", "-c", "echo one; echo two >&2; exit 3");
    assertThat(result.output()).isEqualTo("one");
    assertThat(result.errorOutput()).isEqualTo("two");
    assertThat(result.status()).isEqualTo(3);
    assertThatExceptionOfType(CommandFailedException.class)
        .isThrownBy(result::orThrow)
        .withMessageContainingAll("exit status 3", "one", "two");
  }

  @Test
  void handsArgumentsOnAsTheyAre() {
    assertThat(agent.exec("echo", "a  b", "$HOME", "'", "*").orThrow().output())
        .isEqualTo("a  b $HOME ' *");
    assertThat(agent.exec("no-such-program").status()).isEqualTo(127);
  }

  @Test
  void feedsAProgramAndReturnsMoreThanOneMessageHolds() {
    String input = "0123456789abcde\n".repeat(20_000);
    GuestResult result = agent.command("cat").input(input).run().orThrow();
    assertThat(result.output() + "\n").isEqualTo(input);
  }

  @Test
  void runsProgramsAtTheSameTime() {
    ExecutorService threads = Executors.newCachedThreadPool();
    List<CompletableFuture<GuestResult>> running = new ArrayList<>();
    // Each waits for the next one, so that none would end if they ran one after the other.
    for (String work :
        new String[] {"cat x0", "cat x1; echo 1 >x0", "cat x2; echo 2 >x1", "echo 3 >x2"}) {
      String line = "cd /tmp; mkfifo x0 x1 x2 2>/dev/null; " + work;
      running.add(CompletableFuture.supplyAsync(() -> agent.exec("sh", "-c", line), threads));
    }
    threads.shutdown();
    assertThat(running).extracting(one -> one.join().output()).containsExactly("1", "2", "3", "");
  }

  /** Its requests together are more than the agent reads at a time. */
  @Test
  void answersEverybodyWhoAsksAtTheSameTime() {
    ExecutorService threads = Executors.newFixedThreadPool(8);
    List<CompletableFuture<String>> running = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String input = Character.toString('a' + i % 26).repeat(50 * i + 1);
      running.add(
          CompletableFuture.supplyAsync(
              () -> {
                String output = agent.command("cat").input(input).run().orThrow().output();
                return output.equals(input) ? "same" : output;
              },
              threads));
    }
    threads.shutdown();
    assertThat(running).extracting(CompletableFuture::join).containsOnly("same");
  }

  @Test
  void returnsWhenTheProgramEndsWhateverItLeavesBehind() {
    assertThat(agent.exec("sh", "-c", "sleep 1000 & echo left").orThrow().output())
        .isEqualTo("left");
  }

  @Test
  void saysThatAProgramGoesOnAndHearsTheNextOne() {
    assertThatExceptionOfType(WaitTimeoutException.class)
        .isThrownBy(() -> agent.command("sleep", "1000").timeout(Duration.ofMillis(200)).run())
        .withMessageContainingAll("sleep 1000", "200 ms", "goes on in the guest, below process");
    assertThat(agent.exec("echo", "next").output()).isEqualTo("next");
  }

  @Test
  void carriesFilesOfAnySize() throws IOException {
    byte[] content = new byte[3_000_000];
    new Random(1).nextBytes(content);
    Path source = Files.write(directory.resolve("source"), content);
    agent.upload(source, "/tmp/content");
    assertThat(agent.exec("sha256sum", "/tmp/content").orThrow().output())
        .startsWith(com.google.common.hash.Hashing.sha256().hashBytes(content).toString());
    Path back = directory.resolve("back");
    agent.download("/tmp/content", back);
    assertThat(back).hasBinaryContent(content);
    agent.upload("short".getBytes(UTF_8), "/tmp/content");
    assertThat(new String(agent.download("/tmp/content"), UTF_8)).isEqualTo("short");
    agent.upload(new byte[0], "/tmp/content");
    assertThat(agent.download("/tmp/content")).isEmpty();
    assertThat(agent.download("/proc/version")).startsWith("Linux".getBytes(UTF_8));
  }

  @Test
  void passesOnWhatTheAgentRefuses() {
    assertThatExceptionOfType(AgentException.class)
        .isThrownBy(() -> agent.download("/nowhere"))
        .withMessageContaining("No such file")
        .satisfies(e -> assertThat(e.errorClass()).isEqualTo("GenericError"))
        .satisfies(e -> assertThat(e.description()).contains("/nowhere"));
    assertThatExceptionOfType(AgentException.class)
        .isThrownBy(() -> agent.execute("guest-fly"))
        .satisfies(e -> assertThat(e.errorClass()).isEqualTo("CommandNotFound"));
    agent.ping();
  }

  @Test
  void namesTheInterfacesOfTheGuest() {
    assertThat(agent.interfaces())
        .anySatisfy(
            card -> {
              assertThat(card.name()).isEqualTo("eth0");
              assertThat(card.hardwareAddress()).isPresent();
              assertThat(card.addresses())
                  .extracting(GuestInterface.Address::toString)
                  .contains("10.0.0.9/24");
            })
        .anySatisfy(card -> assertThat(card.name()).isEqualTo("lo"));
  }

  @Test
  void setsTheClock() {
    agent.setTime(Instant.parse("2031-02-03T04:05:06Z"));
    assertThat(agent.exec("date", "-u", "+%Y-%m-%d").output()).isEqualTo("2031-02-03");
  }

  @Test
  void saysWhatTheGuestNeedsIfThereIsNoAgent() {
    VmBuilder without =
        Vm.microvm()
            .image(RouterImage.debian(Architecture.AMD64).build())
            .guestAgent()
            .accelerator(Accelerator.TCG)
            .timeout(Duration.ofMillis(500));
    try (Vm deaf = without.start()) {
      assertThatExceptionOfType(WaitTimeoutException.class)
          .isThrownBy(deaf::agent)
          .withMessageContainingAll(
              "500 ms", "qemu-guest-agent", "virtio_console", "qemu-ga -p /dev/vport*p1");
    }
  }

  @Test
  void findsTheAgentAgainAfterASnapshotAndAReset() {
    try (Vm other = guest().spec().start(segments)) {
      GuestAgent there = other.agent();
      there.exec("sh", "-c", "echo before > /tmp/state").orThrow();
      other.snapshot("before");
      there.exec("sh", "-c", "echo after > /tmp/state").orThrow();
      other.restore("before");
      assertThat(there.exec("cat", "/tmp/state").output()).isEqualTo("before");

      CompletableFuture<GuestResult> cut =
          CompletableFuture.supplyAsync(
              () -> there.exec("sh", "-c", "echo it runs >/dev/console; sleep 1000"));
      other.console().expect("it runs", PATIENCE);
      other.reset();
      assertThat(cut)
          .failsWithin(PATIENCE)
          .withThrowableThat()
          .withMessageContaining("has closed its port");
      assertThat(other.agent().exec("cat", "/proc/uptime").output()).isNotEmpty();
      other.agent().shutdown(PATIENCE);
      assertThat(other.exit()).isCompleted();
    }
  }

  @Test
  void findsTheAgentOfAGuestThatWasBootedOnceAndTellsItTheTime() {
    VmBuilder machine =
        guest()
            .commandLine("test=" + UUID.randomUUID()) // not what an earlier run has left
            .bootedOnce(ready -> ready.agent().exec("date", "-s", "2001-02-03 04:05:06").orThrow());
    for (int run = 0; run < 2; run++) {
      try (Vm restored = machine.spec().start(segments)) {
        assertThat(restored.agent().exec("date", "-u", "+%s").orThrow().output())
            .satisfies(
                seconds ->
                    assertThat(Long.parseLong(seconds))
                        .isGreaterThanOrEqualTo(Instant.now().getEpochSecond() - 600));
      }
    }
  }
}
