package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A failure of the kernel ends whatever is awaited. */
@Timeout(60)
class KernelWaitsTest extends WithPeer {
  /** Longer than the test may take. */
  private static final Duration LONG = Duration.ofMinutes(5);

  private static final String KILL =
      "[   12.000000] Out of memory: Killed process 81 (hog) total-vm:1kB\r\n";

  enum Wait {
    TEXT(console -> console.expect("never said", LONG)),
    EXPRESSION(console -> console.expect(Pattern.compile("never said"), LONG)),
    ANY_TEXT(console -> console.expectAny(LONG, "never said", "nor that")),
    ANY_EXPRESSION(console -> console.expectAny(LONG, Pattern.compile("never said"))),
    SILENCE(console -> console.expectQuiet(LONG.dividedBy(2), LONG)),
    PROMPT(console -> Shell.on(console).timeout(LONG).open()),
    LOGIN(console -> Shell.on(console).login("root").timeout(LONG).open()),
    ANSWER(console -> Shell.on(console).withoutPrompt().timeout(LONG).open());

    @SuppressWarnings("ImmutableEnumChecker") // a lambda without state
    private final Consumer<Console> wait;

    Wait(Consumer<Console> wait) {
      this.wait = wait;
    }
  }

  @ParameterizedTest
  @EnumSource
  void endsAWait(Wait kind) throws Exception {
    FutureTask<Boolean> wait = started(() -> kind.wait.accept(console));
    guest.says(KILL);
    assertThatThrownBy(wait::get)
        .cause()
        .isInstanceOf(KernelException.OomKill.class)
        .hasMessageContaining("(hog)");
  }

  @ParameterizedTest
  @EnumSource
  void endsTheWaitThatComesNext(Wait kind) throws Exception {
    guest.says(KILL + "after");
    CountDownLatch said = new CountDownLatch(1);
    var unused = console.follow(line -> said.countDown());
    guest.says("\r\n");
    assertThat(said.await(50, TimeUnit.SECONDS)).isTrue();
    assertThatExceptionOfType(KernelException.OomKill.class)
        .isThrownBy(() -> kind.wait.accept(console));
    assertThat(console.expect("after", LONG).before()).contains("Out of memory");
  }

  enum Work {
    RUN(shell -> shell.run("true", LONG)),
    UPLOAD(shell -> shell.upload(new byte[10], "/tmp/file", LONG)),
    DOWNLOAD(shell -> shell.download("/tmp/file", LONG));

    @SuppressWarnings("ImmutableEnumChecker") // a lambda without state
    private final Consumer<Shell> work;

    Work(Consumer<Shell> work) {
      this.work = work;
    }
  }

  @ParameterizedTest
  @EnumSource
  void endsTheWorkOfAShell(Work kind) throws Exception {
    FutureTask<Boolean> work =
        started(() -> kind.work.accept(Shell.on(console).withoutPrompt().timeout(LONG).open()));
    String question = guest.hears("\n");
    guest.says("@s" + question.replaceAll("(?s).*@''s([^']+)'.*", "$1") + "\r\n");
    while (!guest.hears("\n").contains("@''b")) {
      // The question was put again, as it is on a slow machine.
    }
    guest.says(KILL);
    assertThatThrownBy(work::get).cause().isInstanceOf(KernelException.OomKill.class);
  }

  @Test
  void endsAWaitForSilenceAlsoWhenTheConsoleHasEnded() throws Exception {
    guest.says(KILL);
    guest.hangsUp();
    assertThatExceptionOfType(KernelException.OomKill.class)
        .isThrownBy(() -> console.expectQuiet(Duration.ofSeconds(1), LONG));
    assertThat(console.expectQuiet(Duration.ofSeconds(1), LONG)).contains("Out of memory");
  }

  @Test
  void toleratesNoMoreAfterABlockThatEndsWithAnException() throws IOException {
    assertThatExceptionOfType(IllegalStateException.class)
        .isThrownBy(
            () ->
                console.tolerating(
                    Set.of(KernelFailure.OOM_KILL, KernelFailure.HUNG_TASK),
                    () -> {
                      guestSays(KILL + "first");
                      console.expect("first", LONG);
                      throw new IllegalStateException("of the test's own");
                    }));
    guest.says(KILL.replace("12.", "13.") + "second");
    assertThatExceptionOfType(KernelException.OomKill.class)
        .isThrownBy(() -> console.expect("second", LONG));
  }

  @Test
  void hearsAKernelThatTakesThePlaceOfOneThatWasStoppedInAMessage() throws IOException {
    guest.says("[    4.000000] boot\r\n[    9.000000] ---[ end Ker");
    console.expect("end Ker", LONG);
    console.kernelChanged();
    guest.says("[    5.000000] Kernel panic - not syncing: x\r\n");
    assertThatExceptionOfType(KernelException.Panic.class)
        .isThrownBy(() -> console.expect("never said", LONG));
    assertThat(console.transcript().kernelLines())
        .containsExactly("[    4.000000] boot", "[    5.000000] Kernel panic - not syncing: x");
  }

  private void guestSays(String text) {
    try {
      guest.says(text);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static FutureTask<Boolean> started(Runnable action) {
    FutureTask<Boolean> task = new FutureTask<>(action, true);
    new Thread(task).start();
    return task;
  }
}
