package org.liminix.testkit.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.process.WaitInterruptedException;
import org.liminix.testkit.ImageException;

@Timeout(60)
class HostToolTest {
  @TempDir Path scratch;
  private final HostTool shell = new HostTool("sh", "dash");

  @Test
  void namesThePackageOfAProgramThatIsNotInstalled() {
    HostTool missing = new HostTool("no-such-program", "some-package");

    assertThatThrownBy(() -> missing.run(scratch, List.of()))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("no-such-program")
        .hasMessageContaining("apt-get install some-package");
  }

  @Test
  void keepsOutputAndErrorsApartAndGivesTheStatus() throws IOException {
    HostTool.Result result = shell.run(scratch, List.of("-c", "echo out; echo err >&2; exit 3"));

    assertThat(result).isEqualTo(new HostTool.Result(3, "out\n", "err\n"));
    assertThat(result.words()).isEqualTo("out\nerr");
    try (Stream<Path> left = Files.list(scratch)) {
      assertThat(left).isEmpty();
    }
  }

  @Test
  void reportsTheWordsOfAProgramThatDoesNotTakeItsInput() {
    byte[] much = new byte[1 << 20];

    assertThatThrownBy(
            () ->
                shell.run(
                    scratch, List.of("-c", "echo no thanks >&2; exit 1"), out -> out.write(much)))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("no thanks");
  }

  @Test
  void letsAProgramEndWellThatDoesNotWantTheRestOfItsInput() throws IOException {
    byte[] much = new byte[1 << 20];

    HostTool.Result result =
        shell.run(scratch, List.of("-c", "head -c 3; exit 0"), out -> out.write(much));

    assertThat(result.output()).hasSize(3);
  }

  @Test
  void reportsAnInputThatCannotBeReadThoughTheProgramEndsWell() {
    assertThatThrownBy(
            () ->
                shell.run(
                    scratch,
                    List.of("-c", "cat"),
                    out -> {
                      throw new IOException("no such package");
                    }))
        .isInstanceOf(ImageException.class)
        .hasMessageContaining("no such package");
  }

  @Test
  void endsTheProgramWhenItsCallerIsInterrupted() throws Exception {
    Path started = scratch.resolve("started");
    Path never = scratch.resolve("never");
    Tools.output("mkfifo", started.toString(), never.toString());
    String script = "echo $$ > " + started + "; read line < " + never;
    CompletableFuture<Throwable> outcome = new CompletableFuture<>();
    Thread caller =
        new Thread(
            () -> {
              try {
                shell.run(scratch, List.of("-c", script));
                outcome.completeExceptionally(new AssertionError("it ended by itself"));
              } catch (IOException | RuntimeException e) {
                outcome.complete(e);
              }
            });
    caller.start();
    long pid;
    try (BufferedReader reader = Files.newBufferedReader(started, StandardCharsets.UTF_8)) {
      pid = Long.parseLong(String.valueOf(reader.readLine()));
    }

    caller.interrupt();

    assertThat(outcome.get(30, TimeUnit.SECONDS)).isInstanceOf(WaitInterruptedException.class);
    ProcessHandle.of(pid).ifPresent(shellProcess -> shellProcess.onExit().join());
  }
}
