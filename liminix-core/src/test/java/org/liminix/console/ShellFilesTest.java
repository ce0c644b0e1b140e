package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.process.Executable;

@Timeout(60)
class ShellFilesTest {
  private static final String NEEDED = "cat rm ls ";

  @TempDir Path directory;

  /** Leaves a shell these programs only, each of busybox if there is a colon before. */
  private static void leave(Shell shell, String programs) {
    StringBuilder functions = new StringBuilder("PATH=/nowhere\n");
    for (String program : (NEEDED + programs).split(" ", -1)) {
      functions.append(function(program)).append('\n');
    }
    shell.run(functions.toString()).orThrow();
  }

  private static String function(String program) {
    boolean busybox = program.startsWith(":");
    String name = busybox ? program.substring(1) : program;
    Path file =
        Executable.named(busybox ? "busybox" : name)
            .lookUp()
            .orElseThrow(
                () ->
                    Assumptions.<RuntimeException>abort(
                        program + " is missing: apt-get install busybox openssl coreutils"));
    return name + "() { " + file + (busybox ? " " + name : "") + " \"$@\"; }";
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    new Random(7).nextBytes(bytes);
    return bytes;
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i", "pipe:/bin/sh"})
  void carriesFilesBothWays(String program) throws IOException {
    Path file = directory.resolve("it's a file");
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).withoutPrompt().open();
      for (int size : new int[] {0, 1, 5000}) {
        shell.upload(bytes(size), file.toString());
        assertThat(file).hasBinaryContent(bytes(size));
        assertThat(shell.download(file.toString())).isEqualTo(bytes(size));
      }
      shell.run("cd " + directory);
      shell.upload(bytes(3), "-relative");
      assertThat(shell.download("-relative")).isEqualTo(bytes(3));
      assertThatExceptionOfType(CommandFailedException.class)
          .isThrownBy(() -> shell.download(directory + "/missing"));
      assertThatExceptionOfType(CommandFailedException.class)
          .isThrownBy(() -> shell.upload(bytes(3), directory + "/missing/file"));
      assertThatExceptionOfType(CommandFailedException.class)
          .isThrownBy(() -> shell.upload(bytes(3), directory.toString()));
      assertThat(shell.run("ls -A " + directory + " | cat").lines())
          .containsExactlyInAnyOrder("-relative", "it's a file");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "dash -i, base64 md5sum",
    "dash -i, :base64 :md5sum",
    "dash -i, openssl",
    "dash -i, :uudecode :uuencode :sha256sum",
    "dash -i, od cksum",
    "dash -i, :od :sha1sum",
    "dash -i, :hexdump cksum",
    "dash -i, :xxd cksum",
    "bash --norc -i, od cksum",
    "busybox sh -i, od cksum",
  })
  void makesDoWithWhatTheMachineHas(String program, String programs) throws IOException {
    Path file = directory.resolve("file");
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).withoutPrompt().open();
      leave(shell, programs);
      for (int size : new int[] {0, 1, 5000}) {
        shell.upload(bytes(size), file.toString());
        assertThat(file).hasBinaryContent(bytes(size));
        assertThat(shell.download(file.toString())).isEqualTo(bytes(size));
      }
    }
  }

  @Test
  void looksForProgramsOnlyOnceWhereThereAreSome() throws IOException {
    try (HostShell host = HostShell.start("dash -i")) {
      Shell shell = Shell.on(host.console()).open();
      leave(shell, "base64 md5sum");
      shell.upload(bytes(3), directory + "/file");
      shell.run(
          "base64() { /usr/bin/base64 \"$@\"; echo \"called $@\" >>" + directory + "/calls; }");
      shell.upload(bytes(3), directory + "/file");
      assertThat(directory.resolve("calls")).hasContent("called -d\n");
    }
  }

  @Test
  void saysWhatItHasLookedFor() throws IOException {
    try (HostShell host = HostShell.start("dash -i")) {
      Shell shell = Shell.on(host.console()).open();
      leave(shell, ":od");
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> shell.download("/etc/hostname"))
          .withMessageContaining(
              "needs one of md5sum, sha256sum, sha1sum, openssl, cksum, and none of these works");
      // Not what it lacked, but what it has, is remembered.
      shell.run(function("cksum") + "; unset -f od").orThrow();
      shell.upload(bytes(3), directory + "/file");
      Shell other = Shell.on(host.console()).withoutPrompt().open();
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> other.download("/etc/hostname"))
          .withMessageContaining("needs one of base64, openssl, uuencode, od, hexdump, xxd, and");
    }
  }

  @Test
  void doesNotTrustAProgramThatOnlyHasTheRightName() throws IOException {
    Path file = directory.resolve("file");
    try (HostShell host = HostShell.start("dash -i")) {
      Shell shell = Shell.on(host.console()).open();
      shell.run("base64() { echo 'applet not found'; }; openssl() { return 127; }");
      shell.upload(bytes(500), file.toString());
      assertThat(file).hasBinaryContent(bytes(500));
      assertThat(shell.download(file.toString())).isEqualTo(bytes(500));
    }
  }

  @Test
  void noticesWhatHasNotComeIntact() throws IOException {
    try (HostShell host = HostShell.start("dash -i")) {
      Shell shell = Shell.on(host.console()).open();
      shell.upload(bytes(3), directory + "/file");
      shell.run("md5sum() { echo 0123456789abcdef0123456789abcdef; }");
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> shell.upload(bytes(3), directory + "/file"))
          .withMessageContainingAll("has not arrived intact", "md5sum", "0123456789abcdef");
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> shell.download(directory + "/file"))
          .withMessageContaining("has not come intact");
    }
  }
}
