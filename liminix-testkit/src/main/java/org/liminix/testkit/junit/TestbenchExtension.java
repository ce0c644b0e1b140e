package org.liminix.testkit.junit;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.ReflectionSupport;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.testkit.Bench;
import org.opentest4j.TestAbortedException;

/** What {@link Testbench} does. Registered by that annotation. */
public final class TestbenchExtension
    implements BeforeAllCallback,
        BeforeEachCallback,
        AfterEachCallback,
        AfterAllCallback,
        ParameterResolver {
  /** The configuration parameter that says where evidence of failures goes. */
  public static final String ARTIFACTS = "liminix.testbench.artifacts";

  /** The configuration parameter that has a test that failed stand still, if it is "true". */
  public static final String PAUSE = "liminix.pause";

  private static final Namespace NAMESPACE = Namespace.create(TestbenchExtension.class);

  /** Made by JUnit. */
  public TestbenchExtension() {}

  @Override
  public void beforeAll(ExtensionContext context) {
    Class<?> type = context.getRequiredTestClass();
    // A nested class that is a @Testbench of its own right does not stand on the bench around it.
    Optional<Stage> around =
        type.isAnnotationPresent(Testbench.class) ? Optional.empty() : find(context);
    List<Field> fields = parts(type, true);
    if (fields.isEmpty()) {
      store(context, around);
    } else {
      startAll(context, open(context, around), fields, null);
    }
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    Stage stage = open(context, find(context));
    for (Object instance : instancesOnTheBench(context)) {
      startAll(context, stage, parts(instance.getClass(), false), instance);
    }
  }

  /** The instances around the test and its own, from that on whose class has this bench. */
  private static List<Object> instancesOnTheBench(ExtensionContext context) {
    List<Object> all = context.getRequiredTestInstances().getAllInstances();
    int first = all.size() - 1;
    while (first > 0 && !all.get(first).getClass().isAnnotationPresent(Testbench.class)) {
      first--;
    }
    return all.subList(first, all.size());
  }

  private static Stage open(ExtensionContext context, Optional<Stage> around) {
    Stage stage = around.map(Stage::forOneTest).orElseGet(Stage::open);
    store(context, Optional.of(stage));
    return stage;
  }

  private static void startAll(
      ExtensionContext context, Stage stage, List<Field> fields, @Nullable Object instance) {
    try {
      for (Field field : fields) {
        stage.start(field, spec(field, instance));
      }
    } catch (RuntimeException | Error e) {
      try (stage) {
        examine(context, stage, e);
      }
      throw e;
    }
  }

  @Override
  public void afterEach(ExtensionContext context) {
    own(context).ifPresent(stage -> end(context, stage));
  }

  @Override
  public void afterAll(ExtensionContext context) {
    boolean hasParts = !parts(context.getRequiredTestClass(), true).isEmpty();
    own(context).filter(stage -> hasParts).ifPresent(stage -> end(context, stage));
  }

  private static void end(ExtensionContext context, Stage stage) {
    try (stage) {
      context.getExecutionException().ifPresent(failure -> examine(context, stage, failure));
    }
  }

  private static void examine(ExtensionContext context, Stage stage, Throwable failure) {
    if (failure instanceof TestAbortedException) {
      return; // skipped, not failed
    }
    try {
      Path directory = artifacts(context);
      String summary = stage.bench().summary();
      stage.bench().saveTo(directory);
      failure.addSuppressed(new KeptEvidence(directory, summary));
      context.publishReportEntry("testbench evidence", directory.toString());
    } catch (RuntimeException e) {
      failure.addSuppressed(e);
    }
    if (context.getConfigurationParameter(PAUSE).filter("true"::equals).isPresent()) {
      System.err.println(context.getDisplayName() + " has failed: " + failure);
      stage.bench().pause();
    }
  }

  private static Path artifacts(ExtensionContext context) {
    Path root =
        context
            .getConfigurationParameter(ARTIFACTS)
            .map(Path::of)
            .orElseGet(() -> Path.of(buildsWithGradle() ? "build" : "target", "testbench"));
    Path directory = root.resolve(context.getRequiredTestClass().getName());
    return context
        .getTestMethod()
        .map(method -> directory.resolve(name(method, context.getDisplayName())))
        .orElse(directory)
        .toAbsolutePath();
  }

  private static boolean buildsWithGradle() {
    return Stream.of("build.gradle", "build.gradle.kts").map(Path::of).anyMatch(Files::exists);
  }

  /** The method's name, and what tells its invocations apart if it is parameterised or repeated. */
  private static String name(Method method, String displayName) {
    String name = method.getName();
    String invocation = displayName.startsWith(name) ? "" : "-" + displayName;
    return (name + invocation).replaceAll("[^\\w.-]+", "_");
  }

  /**
   * Superclasses first, then in the order of the source, which the JVM keeps though no
   * specification says so; JUnit's own search orders them by a hash.
   */
  private static List<Field> parts(Class<?> type, boolean ofClass) {
    Deque<Class<?>> hierarchy = new ArrayDeque<>();
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      hierarchy.push(c);
    }
    return hierarchy.stream()
        .flatMap(c -> Arrays.stream(c.getDeclaredFields()))
        .filter(field -> field.isAnnotationPresent(Part.class))
        .filter(field -> Modifier.isStatic(field.getModifiers()) == ofClass)
        .sorted(Comparator.comparingInt(TestbenchExtension::order))
        .toList();
  }

  private static int order(Field field) {
    Order order = field.getAnnotation(Order.class);
    return order == null ? Order.DEFAULT : order.value();
  }

  private static Spec<?> spec(Field field, @Nullable Object instance) {
    Object value =
        ReflectionSupport.tryToReadFieldValue(field, instance)
            .getOrThrow(e -> new ExtensionConfigurationException("Cannot read " + field, e));
    if (value instanceof Spec<?> spec) {
      return spec;
    }
    throw new ExtensionConfigurationException(
        "@Part field "
            + field.getName()
            + " holds "
            + (value == null ? "nothing" : "a " + value.getClass().getName())
            + ", not a Spec: end its builder with spec()");
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return find(context)
        .map(stage -> type == Bench.class || type == Segments.class || stage.has(type))
        .orElse(false);
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Stage stage =
        find(context)
            .orElseThrow(() -> new ParameterResolutionException("There is no bench at this point"));
    Class<?> type = parameter.getParameter().getType();
    if (type == Bench.class) {
      return stage.bench();
    }
    if (type == Segments.class) {
      return stage.bench().segments();
    }
    String name =
        parameter
            .findAnnotation(Part.class)
            .map(Part::value)
            .filter(value -> !value.isEmpty())
            .orElse(parameter.getParameter().getName());
    return stage.part(type, name);
  }

  private static void store(ExtensionContext context, Optional<Stage> stage) {
    context.getStore(NAMESPACE).put(Stage.class, stage);
  }

  /** The stage of the context, or of the nearest around it. */
  private static Optional<Stage> find(ExtensionContext context) {
    return stage(context.getStore(NAMESPACE).get(Stage.class));
  }

  /** The stage of the context itself, which it has no more. */
  private static Optional<Stage> own(ExtensionContext context) {
    return stage(context.getStore(NAMESPACE).remove(Stage.class));
  }

  private static Optional<Stage> stage(@Nullable Object stored) {
    return stored instanceof Optional<?> stage ? stage.map(Stage.class::cast) : Optional.empty();
  }

  /** Tells the reader of a failure where to look next. */
  private static final class KeptEvidence extends RuntimeException {
    private static final long serialVersionUID = 1L;

    KeptEvidence(Path directory, String summary) {
      super(
          "The bench when this failed:\n"
              + summary.indent(2)
              + "Transcripts and captures are in "
              + directory,
          null,
          false,
          false);
    }
  }
}
