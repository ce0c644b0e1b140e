package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class ShellCommandTest {
  /** Every ASCII character but NUL, some that are more than a byte, and newlines at the end. */
  private static final String ANY_CHARACTERS =
      IntStream.range(1, 128).mapToObj(Character::toString).collect(Collectors.joining())
          + "grün € \ud83d\ude00 it's\n!x !! \"$HOME\" `id`\n\n";

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i"})
  void hasADirectoryAndAnEnvironmentOfItsOwn(String program, @TempDir Path directory)
      throws IOException {
    Path place = Files.createDirectory(directory.resolve("-it's a place"));
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).open();
      shell.run("cd /; colour=blue; export WEATHER=sunny").orThrow();
      String command = "pwd; sh -c 'echo $COLOUR $WEATHER' && cd /tmp && colour=green; exit 7";
      CommandResult result =
          shell
              .command(command)
              .in(place.toString())
              .with("COLOUR", "red  \"and\"")
              .with("WEATHER", "rainy")
              .run();
      assertThat(result).isEqualTo(new CommandResult(command, 7, place + "\nred \"and\" rainy"));
      assertThat(shell.run("pwd; echo $COLOUR $WEATHER $colour").lines())
          .containsExactly("/", "sunny blue");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i", "pipe:/bin/sh"})
  void quotesValuesOfAnyCharacters(String program, @TempDir Path directory) throws IOException {
    Path file = directory.resolve("value");
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).withoutPrompt().open();
      shell.command("printf %s \"$VALUE\" >" + file).with("VALUE", ANY_CHARACTERS).run().orThrow();
      assertThat(file).hasContent(ANY_CHARACTERS);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i"})
  void runsCommandsAndHereDocumentsOfAnyCharacters(String program, @TempDir Path directory)
      throws IOException {
    Path file = directory.resolve("file");
    String text = "\ttab\n$1 \\ !x\n\u0003\u0004\u0015\u007fgrün\n" + "long ".repeat(400) + "\n";
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).open();
      shell.run("cat >" + file + " <<'END'\n" + text + "END").orThrow();
      assertThat(file).hasContent(text);
      assertThat(shell.run("cat <<-END\n\t\tindented $((1 + 1))\n\tEND").output())
          .isEqualTo("indented 2");
      assertThat(shell.run("echo 'wow!'; echo a!b").output()).isEqualTo("wow!\na!b");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i"})
  void saysThatItsDirectoryIsMissing(String program, @TempDir Path directory) throws IOException {
    try (HostShell host = HostShell.start(program)) {
      Shell shell = Shell.on(host.console()).open();
      String missing = directory + "/missing";
      for (ShellCommand command :
          new ShellCommand[] {
            shell.command("echo ran").in(missing), shell.command("echo ran").in(missing)
          }) {
        assertThatExceptionOfType(CommandFailedException.class)
            .isThrownBy(command::run)
            .withMessageContaining("\"cd '" + missing + "'\" ended with exit status 1")
            .withMessageNotContaining("ran");
        assertThatExceptionOfType(CommandFailedException.class)
            .isThrownBy(command::start)
            .withMessageContaining("\"cd '" + missing + "'\" ended with exit status 1");
      }
      assertThat(shell.run("echo alive").output()).isEqualTo("alive");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"dash -i", "bash --norc -i", "busybox sh -i"})
  void setsUpAWholeShell(String program, @TempDir Path directory) throws IOException {
    try (HostShell host = HostShell.start(program)) {
      Shell shell =
          Shell.on(host.console()).in(directory.toString()).with("COLOUR", "it's\nred").open();
      assertThat(shell.run("pwd; sh -c 'echo \"$COLOUR\"'").lines())
          .containsExactly(directory.toString(), "it's", "red");
      assertThatExceptionOfType(CommandFailedException.class)
          .isThrownBy(() -> Shell.on(host.console()).withoutPrompt().in("/missing").open())
          .withMessageContaining("/missing");
    }
  }

  @Test
  void refusesWhatNoShellCanHave() throws IOException {
    try (HostShell host = HostShell.start("dash -i")) {
      Shell shell = Shell.on(host.console()).open();
      ShellCommand command = shell.command("true").in("/").with("A", "1");
      for (String name : new String[] {"", "1A", "A-B", "A=B", "Ä"}) {
        assertThatExceptionOfType(IllegalArgumentException.class)
            .isThrownBy(() -> command.with(name, ""))
            .withMessageContaining("\"" + name + "\"");
      }
      assertThatExceptionOfType(IllegalStateException.class)
          .isThrownBy(() -> command.with("A", "2"))
          .withMessageContaining("set already, to 1");
      assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> command.in("/tmp"));
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> shell.command("true").in(""));
      assertThatExceptionOfType(IllegalArgumentException.class)
          .isThrownBy(() -> shell.run("echo \0"))
          .withMessageContaining("NUL");
      assertThat(shell.run("echo alive").output()).isEqualTo("alive");
    }
  }
}
