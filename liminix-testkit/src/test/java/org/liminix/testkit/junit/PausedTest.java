package org.liminix.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.testkit.Bench;
import org.liminix.testkit.internal.StandardError;

/** Tests that stand still after they have failed. */
@Timeout(120)
class PausedTest {
  @TempDir Path artifacts;

  private StandardError said;

  @BeforeEach
  void listen() {
    said = StandardError.capture();
  }

  @AfterEach
  void stopListening() {
    said.close();
  }

  @Test
  void standStillUntilAPersonLetsThemGoOn() throws Exception {
    CompletableFuture<EngineExecutionResults> run = run(Failing.class);
    assertThat(said.line("has failed")).contains("goesWrong(Bench)").contains("on purpose");
    assertThat(said.line("Paused.")).doesNotContain("To join");
    assertThat(run).isNotDone();
    assertThat(Failing.part.open).isTrue();
    said.runLine("--go-on");
    assertThat(run.get(60, TimeUnit.SECONDS).testEvents().failed().count()).isEqualTo(1);
    assertThat(Failing.part.open).isFalse();
  }

  @Testbench
  static class Failing {
    static final Light part = new Light();

    @Part final Spec<Light> light = part;

    @Test
    void goesWrong(Bench bench) {
      fail("on purpose");
    }
  }

  @Test
  void standStillWhenAPartDoesNotStart() throws Exception {
    CompletableFuture<EngineExecutionResults> run = run(HalfStarted.class);
    assertThat(said.line("has failed")).contains("does not start");
    said.runLine("--go-on");
    assertThat(run.get(60, TimeUnit.SECONDS).testEvents().failed().count()).isEqualTo(1);
    assertThat(HalfStarted.part.open).isFalse();
  }

  @Testbench
  static class HalfStarted {
    static final Light part = new Light();

    @Part final Spec<Light> light = part;
    @Part final Spec<Light> bad = new Light("does not start");

    @Test
    void neverRuns() {}
  }

  private CompletableFuture<EngineExecutionResults> run(Class<?> type) {
    return CompletableFuture.supplyAsync(
        () ->
            EngineTestKit.engine("junit-jupiter")
                .configurationParameter(TestbenchExtension.ARTIFACTS, artifacts.toString())
                .configurationParameter(TestbenchExtension.PAUSE, "true")
                .selectors(selectClass(type))
                .execute());
  }

  /** A part that is on or off. */
  private static final class Light implements Spec<Light>, AutoCloseable {
    final String trouble;
    volatile boolean open;

    Light(String... trouble) {
      this.trouble = String.join(" ", trouble);
    }

    @Override
    public Light start(Segments segments) {
      if (!trouble.isEmpty()) {
        throw new IllegalStateException(trouble);
      }
      open = true;
      return this;
    }

    @Override
    public Light start() {
      return start(Segments.multicast());
    }

    @Override
    public void close() {
      open = false;
    }
  }
}
