package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.process.UnixSocket;

/** The command by itself; {@link AttachmentIT} has a person at it. */
@Timeout(120)
class ConnectVmIT {
  @TempDir Path home;

  private Path base;

  @BeforeEach
  void makeBase() throws IOException {
    base = home.resolve("liminix");
    Files.createDirectory(
        base, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  private record Answer(int status, String text) {}

  /** Runs it where there is no terminal. */
  private Answer connectVm(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("setsid", "-w", "../scripts/connect-vm"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("XDG_RUNTIME_DIR", home.toString());
    Process process = builder.start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Answer(process.waitFor(), text);
  }

  /** A console that is there, of a machine called so. */
  private UnixSocket.Listener machine(String name) throws IOException {
    return UnixSocket.listen(directory(name).resolve("console"));
  }

  private Path directory(String name) throws IOException {
    return Files.createDirectories(base.resolve("jvm").resolve(name));
  }

  @Test
  void findsTheOnlyMachineAndMissesATerminal() throws Exception {
    try (var router = machine("router")) {
      Answer answer = connectVm();
      assertThat(answer.status).isEqualTo(1);
      assertThat(answer.text).contains("connect-vm: There is no terminal: /dev/tty");
      assertThat(connectVm("router")).isEqualTo(answer);
      assertThat(connectVm(directory("router").toString())).isEqualTo(answer);
      assertThat(connectVm("--list")).isEqualTo(new Answer(0, directory("router") + "\n"));
    }
  }

  @Test
  void asksWhichOfSeveralMachinesIsMeant() throws Exception {
    try (var router = machine("router");
        var other = machine("pc")) {
      Answer answer = connectVm();
      assertThat(answer.status).isEqualTo(1);
      assertThat(answer.text)
          .contains("more than one machine: say which")
          .contains(directory("router") + "\n", directory("pc") + "\n");
      assertThat(connectVm("pc").text).contains("There is no terminal");
      assertThat(connectVm("dsl").text)
          .contains("no machine called dsl", directory("router").toString());
    }
  }

  @Test
  void saysThatThereIsNoMachine() throws Exception {
    assertThat(connectVm().text).isEqualTo("connect-vm: There is no machine in " + base + "\n");
    Path gone = directory("gone");
    assertThat(connectVm(gone.toString()).text).contains(gone + " holds no console");
    assertThat(connectVm(gone + "/nowhere").text).contains("There is no directory " + gone);
    assertThat(connectVm("--list")).isEqualTo(new Answer(0, ""));
    assertThat(connectVm("--go-on").text).contains("There is no paused test in " + base);
    assertThat(connectVm("--go-on", gone.toString()).text).contains("Nobody waits in " + gone);
  }

  @Test
  void explainsItselfToWhoeverUsesItWrongly() throws Exception {
    assertThat(connectVm("one", "two").status).isEqualTo(2);
    Answer help = connectVm("--help");
    assertThat(help.status).isZero();
    assertThat(help.text).startsWith("Usage: connect-vm [DIRECTORY|NAME]");
  }

  @Test
  void refusesADirectoryThatOthersCouldHaveMade() throws Exception {
    Files.setPosixFilePermissions(base, PosixFilePermissions.fromString("rwxrwxrwx"));
    assertThat(connectVm("router").text).contains("not a directory of mode 0700");
  }

  @Test
  void letsThePausedTestGoOn() throws Exception {
    try (Pause pause = Pause.in(directory("bench"))) {
      CompletableFuture<Boolean> paused = CompletableFuture.supplyAsync(pause::await);
      assertThat(connectVm("--go-on")).isEqualTo(new Answer(0, ""));
      assertThat(paused.get(60, TimeUnit.SECONDS)).isTrue();
    }
  }
}
