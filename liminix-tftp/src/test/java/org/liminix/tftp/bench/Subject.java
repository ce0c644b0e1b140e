package org.liminix.tftp.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A server under measurement, in a process of its own. */
final class Subject implements AutoCloseable {
  private final String name;
  private final Process process;
  private final FastClient.Target target;

  private Subject(String name, Process process, FastClient.Target target) {
    this.name = name;
    this.process = process;
    this.target = target;
  }

  static Subject start(
      String name, int cpu, List<String> command, InetSocketAddress server, String file)
      throws IOException {
    List<String> pinned = new ArrayList<>(List.of("taskset", "-c", Integer.toString(cpu)));
    pinned.addAll(command);
    Process process =
        new ProcessBuilder(pinned)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    return new Subject(name, process, new FastClient.Target(server, file));
  }

  String name() {
    return name;
  }

  FastClient.Target target() {
    return target;
  }

  /** Nanoseconds on a processor of every thread there is, children's included, by its id. */
  Map<Long, Long> processorTimes() {
    Map<Long, Long> times = new HashMap<>();
    for (long pid : family()) {
      try (Stream<Path> threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
        threads.forEach(
            thread -> times.put(Long.parseLong(thread.getFileName().toString()), onCpu(thread)));
      } catch (IOException ended) {
        // between being listed and being looked at
      }
    }
    return times;
  }

  private static long onCpu(Path thread) {
    try {
      String schedstat = Files.readString(thread.resolve("schedstat"));
      return Long.parseLong(schedstat.substring(0, schedstat.indexOf(' ')));
    } catch (IOException ended) {
      return 0;
    }
  }

  /** Processor seconds since then of the threads there are now. */
  double processorSecondsSince(Map<Long, Long> before) {
    return processorTimes().entrySet().stream()
            .mapToLong(now -> Math.max(0, now.getValue() - before.getOrDefault(now.getKey(), 0L)))
            .sum()
        / 1e9;
  }

  /** Resident memory of the process and its children in MB. */
  double memory() {
    double kibibytes = 0;
    for (long pid : family()) {
      kibibytes +=
          read(pid, "status")
              .lines()
              .filter(line -> line.startsWith("VmRSS:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
              .sum();
    }
    return kibibytes * 1024 / 1e6;
  }

  /** What the kernel tells of a process; nothing of one that has ended meanwhile. */
  private static String read(long pid, String file) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/" + file));
    } catch (IOException e) {
      if (Files.exists(Path.of("/proc/" + pid))) {
        throw new UncheckedIOException(e);
      }
      return "";
    }
  }

  private List<Long> family() {
    List<Long> pids = new ArrayList<>();
    pids.add(process.pid());
    process.descendants().forEach(child -> pids.add(child.pid()));
    return pids;
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroy);
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
