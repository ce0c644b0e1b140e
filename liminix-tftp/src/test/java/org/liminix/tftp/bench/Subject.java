package org.liminix.tftp.bench;

import com.google.common.base.Splitter;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A server under measurement, in a process of its own. */
final class Subject implements AutoCloseable {
  private static final double TICKS_PER_SECOND = 100; // USER_HZ, the same on every Linux

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

  /** Moves it to a processor. */
  void pin(int cpu) throws IOException, InterruptedException {
    for (long pid : family()) {
      new ProcessBuilder("taskset", "-a", "-c", "-p", Integer.toString(cpu), Long.toString(pid))
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .start()
          .waitFor();
    }
  }

  /** Processor seconds of the process and the children it has waited for. */
  double cpuSeconds() throws IOException {
    long ticks = 0;
    for (long pid : family()) {
      String stat = read(pid, "stat");
      if (!stat.isEmpty()) {
        List<String> fields =
            Splitter.on(' ').splitToList(stat.substring(stat.lastIndexOf(')') + 2));
        // utime, stime, cutime and cstime are the fields 14 to 17; these begin at the third
        for (int field = 14; field <= 17; field++) {
          ticks += Long.parseLong(fields.get(field - 3));
        }
      }
    }
    return ticks / TICKS_PER_SECOND;
  }

  /** Resident memory of the process and its children in MiB. */
  double memory() throws IOException {
    double kibibytes = 0;
    for (long pid : family()) {
      kibibytes +=
          read(pid, "status")
              .lines()
              .filter(line -> line.startsWith("VmRSS:"))
              .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
              .sum();
    }
    return kibibytes / 1024;
  }

  /** What the kernel tells of a process; nothing of one that has ended meanwhile. */
  private static String read(long pid, String file) throws IOException {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/" + file));
    } catch (IOException e) {
      if (Files.exists(Path.of("/proc/" + pid))) {
        throw e;
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
