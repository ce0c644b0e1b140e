package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.process.WaitInterruptedException;

@Timeout(60)
class PauseTest {
  @TempDir Path directory;

  @Test
  void lastsUntilSomebodySaysGoOn() {
    try (Pause pause = Pause.in(directory)) {
      CompletableFuture<Boolean> paused = CompletableFuture.supplyAsync(pause::await);
      assertThat(Pause.goOn(directory)).isTrue();
      assertThat(paused.join()).isTrue();
    }
    assertThat(Pause.goOn(directory)).isFalse();
  }

  @Test
  void endsWhenItIsClosed() {
    Pause pause = Pause.in(directory);
    CompletableFuture<Boolean> paused = CompletableFuture.supplyAsync(pause::await);
    pause.close();
    assertThat(paused.join()).isFalse();
  }

  @Test
  void endsWhenItsThreadIsInterrupted() {
    try (Pause pause = Pause.in(directory)) {
      Thread.currentThread().interrupt();
      assertThatExceptionOfType(WaitInterruptedException.class).isThrownBy(pause::await);
      assertThat(Thread.interrupted()).isTrue();
    }
  }

  @Test
  void isOnlyOneAtATimeInADirectory() {
    try (Pause pause = Pause.in(directory)) {
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> Pause.in(directory))
          .withMessageContaining("one thread at a time");
      assertThat(Pause.goOn(directory)).isTrue();
      assertThat(pause.await()).isTrue();
    }
  }
}
