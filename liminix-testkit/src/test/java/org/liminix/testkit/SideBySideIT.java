package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;

/** Benches share nothing: the same test runs twice at the same time, addresses and all. */
class SideBySideIT {
  @Test
  @Timeout(360)
  void runsTwoCopiesOfThePppoeTestAtTheSameTime() {
    List<CompletableFuture<EngineExecutionResults>> copies =
        Stream.generate(() -> CompletableFuture.supplyAsync(SideBySideIT::pppoe)).limit(2).toList();
    for (CompletableFuture<EngineExecutionResults> copy : copies) {
      assertThat(copy.join().allEvents().failed().list()).isEmpty();
      assertThat(copy.join().testEvents().succeeded().count()).isEqualTo(5);
    }
  }

  private static EngineExecutionResults pppoe() {
    return EngineTestKit.engine("junit-jupiter").selectors(selectClass(PppoeIT.class)).execute();
  }
}
