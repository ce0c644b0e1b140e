package org.liminix.testkit.junit;

import java.lang.reflect.Field;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.liminix.net.Spec;
import org.liminix.testkit.Bench;

/**
 * The parts started for a class, or for one test. A test's stage stands on the bench of its class
 * where there is one, and takes only its own parts with it when it ends.
 */
final class Stage implements AutoCloseable {
  private final Bench bench;
  private final @Nullable Stage shared;
  private final Map<String, AutoCloseable> parts = new LinkedHashMap<>();
  private final Deque<AutoCloseable> started = new ArrayDeque<>();

  private Stage(Bench bench, @Nullable Stage shared) {
    this.bench = bench;
    this.shared = shared;
  }

  static Stage open() {
    return new Stage(Bench.open(), null);
  }

  Stage forOneTest() {
    return new Stage(bench, this);
  }

  Bench bench() {
    return bench;
  }

  void start(Field field, Spec<?> spec) {
    AutoCloseable part = bench.start(spec);
    parts.put(field.getName(), part);
    started.push(part);
  }

  boolean has(Class<?> type) {
    return !candidates(type).isEmpty();
  }

  /** The part of that type; the one of that name, if there are several. */
  AutoCloseable part(Class<?> type, String name) {
    Map<String, AutoCloseable> candidates = candidates(type);
    if (candidates.size() == 1) {
      return candidates.values().iterator().next();
    }
    return Optional.ofNullable(candidates.get(name))
        .orElseThrow(
            () ->
                new ParameterResolutionException(
                    "Several parts are a %s, the fields %s: name the parameter like one of them, or mark it @Part(\"%s\")"
                        .formatted(
                            type.getSimpleName(),
                            List.copyOf(candidates.keySet()),
                            candidates.keySet().iterator().next())));
  }

  private Map<String, AutoCloseable> candidates(Class<?> type) {
    Map<String, AutoCloseable> candidates = new LinkedHashMap<>();
    if (shared != null) {
      candidates.putAll(shared.candidates(type));
    }
    parts.forEach(
        (name, part) -> {
          if (type.isInstance(part) && type != AutoCloseable.class && type != Object.class) {
            candidates.put(name, part);
          }
        });
    return candidates;
  }

  @Override
  public void close() {
    while (!started.isEmpty()) {
      bench.stop(started.pop());
    }
    if (shared == null) {
      bench.close();
    }
  }
}
