package org.liminix.test;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Another JVM with the class path of this one, for tests of what happens when it is killed. */
public final class ChildJvm implements AutoCloseable {
  private final Process process;
  private final BufferedReader output;

  private ChildJvm(Process process) {
    this.process = process;
    this.output = process.inputReader();
  }

  public static ChildJvm run(Class<?> main, String... arguments) throws IOException {
    return run(List.of(), Map.of(), main, arguments);
  }

  /** As above, with options of the JVM and with some variables of its environment set. */
  public static ChildJvm run(
      List<String> options, Map<String, String> environment, Class<?> main, String... arguments)
      throws IOException {
    return run(List.of(), options, environment, main, arguments);
  }

  /** One that has no terminal, wherever this one was started. */
  public static ChildJvm runWithoutTerminal(Class<?> main, String... arguments) throws IOException {
    return runUnder(List.of("setsid"), Map.of(), main, arguments);
  }

  /** One whose command follows these words, those of a program that becomes another. */
  public static ChildJvm runUnder(
      List<String> wrapper, Map<String, String> environment, Class<?> main, String... arguments)
      throws IOException {
    return run(wrapper, List.of(), environment, main, arguments);
  }

  /** Whether {@link #runUnder} would get as far as the JVM: whether {@code true} runs there. */
  public static boolean runsUnder(List<String> wrapper) throws InterruptedException {
    List<String> command = new ArrayList<>(wrapper);
    command.add("true");
    try {
      return new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException noSuchProgram) {
      return false;
    }
  }

  private static ChildJvm run(
      List<String> wrapper,
      List<String> options,
      Map<String, String> environment,
      Class<?> main,
      String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(wrapper);
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", classPath()));
    command.addAll(options);
    command.add(main.getName());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    return new ChildJvm(builder.redirectError(ProcessBuilder.Redirect.INHERIT).start());
  }

  /** What this JVM runs, and its tests. */
  public static String classPath() {
    return Stream.of(
            System.getProperty("jdk.module.path", ""),
            System.getProperty("java.class.path", ""),
            "target/test-classes")
        .filter(path -> !path.isEmpty())
        .collect(Collectors.joining(File.pathSeparator));
  }

  /** The next line it prints. */
  public String line() throws IOException {
    String line = output.readLine();
    if (line == null) {
      throw new IOException("The child JVM has ended without the expected line");
    }
    return line;
  }

  /** Waits for the end of a directory that other processes remove. */
  public static void awaitGone(Path path) throws IOException, InterruptedException {
    Path parent = Objects.requireNonNull(path.getParent());
    try (var watch = path.getFileSystem().newWatchService()) {
      parent.register(watch, StandardWatchEventKinds.ENTRY_DELETE);
      while (Files.exists(path)) {
        var key = watch.poll(30, TimeUnit.SECONDS);
        if (key == null) {
          throw new IOException("Nobody removes " + path);
        }
        key.pollEvents();
        key.reset();
      }
    }
  }

  /** Types a line to it. */
  public void type(String line) throws IOException {
    process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
    process.getOutputStream().flush();
  }

  /** Waits for its end, and returns its exit status. */
  public int awaitExit() throws InterruptedException {
    return process.waitFor();
  }

  /** Sends it SIGKILL. */
  public void kill() throws InterruptedException {
    process.destroyForcibly().waitFor();
  }

  /** Lets a main that reads its standard input go on, and waits for its end. */
  public void finish() throws IOException, InterruptedException {
    process.getOutputStream().close();
    process.waitFor();
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
