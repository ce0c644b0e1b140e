package org.liminix.testkit.junit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.liminix.net.Network.LAN;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.liminix.net.EthernetHost;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.testkit.Bench;

class TestbenchExtensionTest {
  /** What the parts of the classes below do, in the order of its happening. */
  private static final List<String> log = Collections.synchronizedList(new ArrayList<>());

  @TempDir Path artifacts;

  @Test
  void startsPartsInOrderAndEndsThemInReverse() {
    assertThat(run(InOrder.class).testEvents().succeeded().count()).isEqualTo(1);
    assertThat(log)
        .containsExactly(
            "start one", "start two", "start three", "test", "end three", "end two", "end one");
  }

  @Testbench
  static class InOrder {
    @Part final Spec<Probe> third = new ProbeSpec("two");

    @Order(1)
    @Part
    final Spec<Probe> first = new ProbeSpec("one");

    @Part final Spec<Probe> second = new ProbeSpec("three");

    @Test
    void test() {
      log.add("test");
    }
  }

  @Test
  void startsPartsOfStaticFieldsOncePerClass() {
    EngineExecutionResults results = run(Shared.class);
    assertThat(results.testEvents().succeeded().count()).isEqualTo(2);
    assertThat(log)
        .containsExactly(
            "start class",
            "before all",
            "start each",
            "test",
            "end each",
            "start each",
            "test",
            "end each",
            "end class");
  }

  @Testbench
  static class Shared {
    @Part static final Spec<Probe> ofClass = new ProbeSpec("class");
    @Part final Spec<Probe> ofTest = new ProbeSpec("each");

    @BeforeAll
    static void beforeAll(Probe ofClass) {
      log.add("before all");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void test(int number, Probe ofClass, @Part("ofTest") Probe other) {
      assertThat(ofClass.name).isEqualTo("class");
      assertThat(other.name).isEqualTo("each");
      assertThat(ofClass.segments).isSameAs(other.segments);
      log.add("test");
    }
  }

  @Test
  void givesANestedTestbenchABenchOfItsOwn() {
    assertThat(run(Outer.class).testEvents().failed().list()).isEmpty();
    assertThat(log)
        .startsWith("start outer")
        .containsSubsequence("start each", "start inner", "end inner", "end each")
        .containsSubsequence("start other", "end other")
        .endsWith("end outer")
        .hasSize(8);
  }

  @Testbench
  static class Outer {
    @Part static final Spec<Probe> outer = new ProbeSpec("outer");
    @Part final Spec<Probe> each = new ProbeSpec("each");

    @Nested
    class OnTheSameBench {
      @Part final Spec<Probe> inner = new ProbeSpec("inner");

      @Test
      void test(@Part("inner") Probe inner, @Part("outer") Probe outer) {
        assertThat(inner.segments).isSameAs(outer.segments);
      }
    }

    @Nested
    @Testbench
    class OnItsOwn {
      @Part final Spec<Probe> other = new ProbeSpec("other");

      @Test
      void test(Probe probe, Bench bench, Segments segments) {
        assertThat(probe.name).isEqualTo("other");
        assertThat(bench.segments()).isSameAs(segments);
        assertThat(bench.parts()).containsExactly(probe);
      }
    }
  }

  @Test
  void keepsEvidenceOfAFailureAndSaysWhere() {
    TestExecutionResult result = onlyFailure(run(Failing.class));
    Throwable failure = result.getThrowable().orElseThrow();
    Path kept = artifacts.resolve(Failing.class.getName()).resolve("goesWrong");
    assertThat(failure).hasMessage("on purpose");
    assertThat(failure.getSuppressed()).hasSize(1);
    assertThat(failure.getSuppressed()[0].getMessage()).contains(kept.toString());
    assertThat(kept.resolve("lan.pcapng")).isRegularFile();
    assertThat(kept.resolve("lan.pcapng").toFile().length()).isGreaterThan(400);
  }

  @Testbench
  static class Failing {
    @Part final Spec<EthernetHost> a = EthernetHost.on(LAN).address("10.0.0.1/24").spec();
    @Part final Spec<EthernetHost> b = EthernetHost.on(LAN).address("10.0.0.2/24").spec();

    @Test
    void goesWrong(@Part("a") EthernetHost a) {
      a.ping("10.0.0.2", Duration.ofSeconds(10));
      fail("on purpose");
    }
  }

  @Test
  void endsWhatItStartedWhenALaterPartDoesNotStart() {
    TestExecutionResult result = onlyFailure(run(HalfStarted.class));
    assertThat(result.getThrowable().orElseThrow()).hasMessage("does not start");
    assertThat(log).containsExactly("start good", "end good");
  }

  @Testbench
  static class HalfStarted {
    @Part final Spec<Probe> good = new ProbeSpec("good");
    @Part final Spec<Probe> bad = new ProbeSpec("bad");

    @Test
    void neverRuns() {
      log.add("test");
    }
  }

  @Test
  void saysWhichPartsAParameterCouldMean() {
    TestExecutionResult result = onlyFailure(run(Ambiguous.class));
    assertThat(result.getThrowable().orElseThrow())
        .hasMessageContaining("[left, right]")
        .hasMessageContaining("@Part(\"left\")");
  }

  @Testbench
  static class Ambiguous {
    @Part final Spec<Probe> left = new ProbeSpec("left");
    @Part final Spec<Probe> right = new ProbeSpec("right");

    @Test
    void test(Probe probe) {
      log.add("test");
    }
  }

  @Test
  void refusesAFieldThatHoldsNoSpec() {
    TestExecutionResult result = onlyFailure(run(NoSpec.class));
    assertThat(result.getThrowable().orElseThrow())
        .hasMessageContaining("@Part field builder holds a java.lang.String, not a Spec");
  }

  @Testbench
  static class NoSpec {
    @Part final String builder = "a builder";

    @Test
    void test() {
      log.add("test");
    }
  }

  private EngineExecutionResults run(Class<?> type) {
    log.clear();
    return EngineTestKit.engine("junit-jupiter")
        .configurationParameter(TestbenchExtension.ARTIFACTS, artifacts.toString())
        .selectors(selectClass(type))
        .execute();
  }

  private static TestExecutionResult onlyFailure(EngineExecutionResults results) {
    return results
        .testEvents()
        .failed()
        .list()
        .get(0)
        .getRequiredPayload(TestExecutionResult.class);
  }

  /** A part that says when it starts and ends, unless its name is "bad": that one fails. */
  record ProbeSpec(String name) implements Spec<Probe> {
    @Override
    public Probe start(Segments segments) {
      if (name.equals("bad")) {
        throw new IllegalStateException("does not start");
      }
      log.add("start " + name);
      return new Probe(name, segments);
    }

    @Override
    public Probe start() {
      return start(Objects.requireNonNull(Segments.multicast()));
    }
  }

  /** What a {@link ProbeSpec} starts. */
  static final class Probe implements AutoCloseable {
    final String name;
    final Segments segments;

    Probe(String name, Segments segments) {
      this.name = name;
      this.segments = segments;
    }

    @Override
    public void close() {
      log.add("end " + name);
    }
  }
}
