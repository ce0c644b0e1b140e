package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ConsoleKernelTest extends WithPeer {
  private static final Duration LONG = Duration.ofSeconds(50);
  private static final Duration SHORT = Duration.ofMillis(20);
  private static final String PANIC =
      "[   12.345678] Kernel panic - not syncing: sysrq triggered crash\r\n";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[    1.234567] eth0: link up\r\n",
        "[12345.234567][    T1] eth0: link up\r\n",
        "<6>[    1.234567] eth0: link up\r\n",
        "[    1.234567] one\r\n[    1.234568] two\r\n",
      })
  void findsWhatMessagesOfTheKernelSplitWhereverTheyDo(String message) throws IOException {
    String said = "router login: \r\n";
    for (int place = 0; place <= said.length(); place++) {
      guest.says(said.substring(0, place) + message + said.substring(place));
      assertThat(console.expect("router login: ", LONG).text()).isEqualTo("router login: ");
      console.expect("\n", LONG);
    }
    assertThat(console.transcript().kernelLines()).hasSizeGreaterThanOrEqualTo(said.length());
  }

  @Test
  void findsASplitPromptThatArrivesByteByByte() throws Exception {
    FutureTask<Match> match = new FutureTask<>(() -> console.expect("root@router:~# ", LONG));
    new Thread(match).start();
    String said = "root@rou[    1.234567] eth0: link up\r\nter:~# ";
    for (int i = 0; i < said.length(); i++) {
      guest.says(said.substring(i, i + 1));
    }
    assertThat(match.get()).isNotNull();
  }

  @Test
  void findsTheKernelsMessagesInTheOrderInWhichTheyCame() throws IOException {
    guest.says(
        "[    0.000000] Linux version 6.1\r\nwan [    1.000000] eth0: up\r\nup: 10.0.0.1\r\n");
    console.expect("Linux version", LONG);
    console.expect("eth0: up", LONG);
    console.expect("up: 10.0.0.1", LONG);
    assertThat(console.transcript().text())
        .isEqualTo("[    0.000000] Linux version 6.1\nwan [    1.000000] eth0: up\nup: 10.0.0.1\n");
    assertThat(console.transcript().withoutKernel()).isEqualTo("wan up: 10.0.0.1\n");
    assertThat(console.transcript().kernelLines())
        .containsExactly("[    0.000000] Linux version 6.1", "[    1.000000] eth0: up");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"[", "[ ", "[    1", "[    1.234567]", "<", "<6", "<6>[  ", "[    1.234567] a"})
  void holdsBackNothingThatMayBecomeAMessage(String beginning) throws IOException {
    guest.says("ready " + beginning);
    console.expect("ready " + beginning, LONG);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[1.0] x\n",
        "[ ok ] x\n",
        "a [root@router ~]# ",
        "a <b>[c]</b>\n",
        "x <6>y\n",
        "[   1.12345] z\n"
      })
  void takesOtherBracketsForText(String text) throws IOException {
    guest.says(text + "end");
    console.expect("end", LONG);
    assertThat(console.transcript().withoutKernel()).isEqualTo(text + "end");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)|ROOT_MOUNT",
        "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100|INIT_DIED",
        "Kernel panic - not syncing: No working init found.|INIT_DIED",
        "Kernel panic - not syncing: sysrq triggered crash|KERNEL_PANIC",
        "CPU 0 Unable to handle kernel paging request at virtual address 00000000|KERNEL_OOPS",
        "Oops[#1]:|KERNEL_OOPS",
        "Internal error: Oops: 96000045 [#1] SMP|KERNEL_OOPS",
        "BUG: kernel NULL pointer dereference, address: 0000000000000000|KERNEL_OOPS",
        "kernel BUG at drivers/misc/lkdtm/bugs.c:76!|KERNEL_BUG",
        "BUG: scheduling while atomic: swapper/0/0x00000100|KERNEL_BUG",
        "INFO: task sh:77 blocked for more than 120 seconds.|HUNG_TASK",
        "Out of memory: Killed process 81 (hog) total-vm:1kB|OOM_KILL",
      })
  void raisesAFailureInTheWaitThatIsActive(String message, KernelFailure failure) throws Exception {
    FutureTask<Match> match = new FutureTask<>(() -> console.expect("never", LONG));
    new Thread(match).start();
    guest.says("[    2.000000] before\r\n[    2.000001] " + message + "\r\n");
    assertThatThrownBy(match::get)
        .cause()
        .hasMessageContainingAll("router", "\"never\"", message)
        .isInstanceOfSatisfying(
            KernelException.class,
            e -> {
              assertThat(e.failure()).isEqualTo(failure);
              assertThat(e.lines())
                  .containsExactly("[    2.000000] before", "[    2.000001] " + message);
            });
  }

  @Test
  void raisesWhatCameBeforeTheTextThatWasAwaited() throws IOException {
    guest.says("[    2.000000] Out of memory: Killed process 8 (pppd)\r\nlogin: ");
    guest.hangsUp();
    assertThatExceptionOfType(KernelException.OomKill.class)
        .isThrownBy(() -> console.expect("login: ", LONG));
    console.expect("login: ", LONG);
  }

  @Test
  void matchesTheReportOfAFailureThatIsExpected() throws IOException {
    guest.says(PANIC + "[   12.345679] Rebooting in 1 seconds..\r\n");
    console.expect("Kernel panic", LONG);
    console.expect("Rebooting in", LONG);
  }

  @Test
  void raisesAPanicUntilAKernelBoots() throws IOException {
    guest.says(PANIC);
    for (int i = 0; i < 2; i++) {
      assertThatExceptionOfType(KernelException.Panic.class)
          .isThrownBy(() -> console.expect("never", LONG));
    }
    guest.says("[    0.000000] Linux version 6.1\r\nlogin: ");
    assertThat(
            console.tolerating(KernelFailure.KERNEL_PANIC, () -> console.expect("login: ", LONG)))
        .isNotNull();
    assertThatExceptionOfType(ConsoleTimeoutException.class)
        .isThrownBy(() -> console.expect("never", SHORT));
  }

  @Test
  void toleratesWhatItIsToldTo() throws IOException {
    guest.says("[    2.000000] Out of memory: Killed process 8 (pppd)\r\nfirst ");
    console.tolerating(KernelFailure.OOM_KILL, () -> console.expect("first", LONG));
    guest.says("[    2.000000] WARNING: CPU: 0 PID: 1 at net/core/dev.c:1\r\nsecond ");
    console.expect("second", LONG);
    guest.says("[    3.000000] Out of memory: Killed process 9 (pppd)\r\nthird ");
    assertThatExceptionOfType(KernelException.OomKill.class)
        .isThrownBy(() -> console.expect("third", LONG));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Kernel panic - not syncing: in a README\r\n",
        "log: [    2.000000 Kernel panic - not syncing: x\r\n",
        "[    2.000000] test: prints Kernel panic - not syncing\r\n",
        "[    2.000000] systemd[1]: Out of memory: Killed process\r\n",
        "# echo 'BUG: sleeping function' Oops[#1]:\r\n",
      })
  void isNotAlarmedByTextThatMentionsAFailure(String text) throws IOException {
    guest.says(text + "end");
    console.expect("end", LONG);
  }

  @Test
  void recognisesAPanicOfAKernelWithoutTimestamps() throws IOException {
    guest.says("Linux version 4.4.0\r\nKernel panic - not syncing: Attempted to kill init!\r\n");
    assertThatExceptionOfType(KernelException.InitDied.class)
        .isThrownBy(() -> console.expect("login", LONG));
  }

  @Test
  void recognisesARebootLoop() throws IOException {
    for (int boot = 0; boot < 3; boot++) {
      guest.says("[    0.000000] Linux version 6.1\r\n[    9.000000] watchdog: late\r\n");
    }
    assertThatExceptionOfType(KernelException.RebootLoop.class)
        .isThrownBy(() -> console.expect("login", LONG));
  }

  @Test
  void rebootsThatAreAwaitedAreNoLoop() throws IOException {
    for (int boot = 0; boot < 5; boot++) {
      guest.says("[    0.000000] Linux version 6.1\r\nlogin: ");
      console.expect("login: ", LONG);
    }
  }

  @Test
  void givesACommandsOutputWithoutTheMessagesThatSplitIt() throws Exception {
    guest.says("[   10.000000] boot\r\n");
    assertThat(outputOf("he[   10.100000] eth0: up\r\nllo\r\n")).isEqualTo("hello");
  }

  @Test
  void givesTheOldMessagesThatACommandPrints() throws Exception {
    String old = "[    1.000000] one\r\n[    2.000000] Kernel panic - not syncing: old\r\n";
    guest.says("[   10.000000] boot\r\n");
    assertThat(outputOf(old + "[   10.000000] boot\r\n[   10.000001] quiet\r\n"))
        .isEqualTo(
            "[    1.000000] one\n[    2.000000] Kernel panic - not syncing: old\n"
                + "[   10.000000] boot\n[   10.000001] quiet");
  }

  @Test
  void raisesAPanicWhileACommandRuns() {
    assertThatExceptionOfType(ExecutionException.class)
        .isThrownBy(() -> outputOf(PANIC))
        .withCauseInstanceOf(KernelException.Panic.class);
  }

  @Test
  void hasItsLinesFollowedAndTimed() throws Exception {
    LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();
    console.follow(line -> lines.add(line.text()));
    guest.says("one\r\n");
    assertThat(lines.poll(20, TimeUnit.SECONDS)).isEqualTo("one");
    guest.says("two");
    console.expect("two", LONG);
    assertThat(lines).isEmpty();
    guest.hangsUp();
    assertThat(lines.take()).isEqualTo("two");
    assertThatExceptionOfType(ConsoleClosedException.class)
        .isThrownBy(() -> console.expect("more", LONG));
    assertThat(console.transcript().timedLines())
        .extracting(Transcript.Line::text)
        .containsExactly("one", "two");
  }

  @Test
  void tellsWhichOfSeveralTextsCameFirst() throws IOException {
    guest.says("Password: ");
    assertThat(console.expectAny("# ", "Password: ").index()).isEqualTo(1);
    guest.says("/ # ");
    assertThat(console.expectAny(Pattern.compile("[#$] "), Pattern.compile("/ ")).index())
        .isEqualTo(1);
  }

  @Test
  void waitsForSilence() throws IOException {
    guest.says("one two");
    assertThat(console.expectQuiet(Duration.ofMillis(300), LONG)).isEqualTo("one two");
    guest.says("three");
    assertThat(console.expect("three", LONG).before()).isEmpty();
  }

  /** Of a command that says that. */
  private String outputOf(String said) throws Exception {
    FutureTask<String> output =
        new FutureTask<>(
            () -> Shell.on(console).withoutPrompt().open().run("command", LONG).output());
    new Thread(output).start();
    String question = guest.hears("\n");
    guest.says("@s" + question.replaceAll("(?s).*@''s([^']+)'.*", "$1") + "\r\n");
    String command = guest.hears("\n");
    while (!command.contains("@''b")) {
      command = guest.hears("\n"); // asked again, on a slow machine
    }
    String id = command.replaceAll("(?s).*@''b(\\w+);.*", "$1");
    guest.says("@b" + id + "\r\n" + said + "@e" + id + " 0@\r\n");
    return output.get();
  }
}
