package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.console.BackgroundCommand;
import org.liminix.console.Console;
import org.liminix.console.ConsoleException;
import org.liminix.console.ConsoleTimeoutException;
import org.liminix.console.Shell;
import org.liminix.net.Segments;
import org.liminix.qemu.Vm;
import org.liminix.testkit.internal.Tools;

/** A guest with busybox's getty and login on its console, of which each test leaves a prompt. */
@Timeout(240)
class LoginIT {
  private static final Duration LONG = Duration.ofSeconds(60);

  private static final Pattern NEVER = Pattern.compile("never shown");

  private static Segments segments;
  private static Vm guest;
  private static Console console;

  @BeforeAll
  static void boot() {
    Tools.requireImageBuilding();
    Tools.require("qemu-system-mipsel", "qemu-system-mips");
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .file(
                "/etc/inittab",
                """
                ::sysinit:/etc/init.d/mounts
                ::once:/etc/init.d/services
                ttyS0::respawn:/bin/busybox getty -L ttyS0 115200 vt100
                """)
            // The password of root is secret, that of the other is empty.
            .file(
                "/etc/passwd",
                """
                root:$1$liminix$fJwGEwFVyhMGYISm4IWYE.:0:0:root:/:/bin/sh
                visitor::1000:1000:visitor:/tmp:/bin/sh
                """)
            .build();
    segments = Segments.isolated();
    guest = Vm.mipsel().image(image).timeout(LONG).spec().start(segments);
    console = guest.console();
  }

  @AfterAll
  static void end() {
    if (guest != null) {
      guest.close();
      segments.close();
    }
  }

  @Test
  void logsInWithAPassword() throws Exception {
    Shell shell = Shell.on(console).timeout(LONG).login("root", "secret").with("A", "b\tc").open();
    assertThat(shell.run("id -u; echo \"$A\"").output()).isEqualTo("0\nb\tc");
    assertThat(shell.command("pwd").in("/proc").run().output()).isEqualTo("/proc");

    byte[] content = new byte[10_000];
    new Random(1).nextBytes(content);
    shell.upload(content, "/tmp/file");
    assertThat(shell.download("/tmp/file")).isEqualTo(content);

    try (BackgroundCommand job = shell.start("mkfifo /tmp/gate; read line </tmp/gate; exit $line");
        BackgroundCommand other = shell.start("sleep 1000")) {
      assertThat(shell.run("until [ -p /tmp/gate ]; do :; done; echo 7 >/tmp/gate").output())
          .isEmpty();
      assertThat(job.await(LONG).status()).isEqualTo(7);
      other.signal("TERM");
      assertThat(other.await(LONG).status()).isEqualTo(128 + 15);
    }
    assertThat(shell.run("ls -d /tmp/liminix*").succeeded()).isFalse();
    console.sendLine("exit");
  }

  @Test
  void logsInWithoutAPassword() {
    Shell shell = Shell.on(console).timeout(LONG).login("visitor").open();
    assertThat(shell.run("id -u; pwd").output()).isEqualTo("1000\n/run/tmp");
    console.sendLine("exit");
  }

  @Test
  void saysThatAPasswordIsWrong() {
    assertThatExceptionOfType(ConsoleException.class)
        .isThrownBy(() -> Shell.on(console).timeout(LONG).login("root", "wrong").open())
        .withMessageContainingAll("does not let root in", "Login incorrect");
  }

  @Test
  void saysThatAPasswordIsAskedFor() {
    assertThatExceptionOfType(ConsoleException.class)
        .isThrownBy(() -> Shell.on(console).timeout(LONG).login("root").open())
        .withMessageContainingAll("does not let root in", "use login(user, password)");
    console.sendLine("");
  }

  @Test
  void saysThatALoginIsAwaited() {
    // Whoever was there before has left when this is shown.
    console.sendLine("");
    console.expect("login: ", LONG);
    assertThatExceptionOfType(ConsoleTimeoutException.class)
        .isThrownBy(() -> Shell.on(console).prompt(NEVER).timeout(Duration.ofMillis(50)).open())
        .withMessageContaining("A login is awaited there: name the user with login(");
  }
}
