package org.liminix.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Counts what programs hold, for tests of what they leave behind. */
final class Held {
  private Held() {}

  /** What this JVM holds, in a line that can be compared. */
  static String byThisJvm() throws IOException, InterruptedException {
    // A thread that is ending is not one that was left behind.
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().matches("liminix-(qmp|console).*")) {
        thread.join();
      }
    }
    long threads =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("liminix"))
            .count();
    long children = ProcessHandle.current().descendants().count();
    SortedMap<String, Integer> descriptors = new TreeMap<>();
    try (Stream<Path> links = Files.list(Path.of("/proc/self/fd"))) {
      for (Path link : links.toList()) {
        String target = read(link);
        // The JVM itself reads now and then what its container may use, and classes.
        if (!target.matches("/(sys|proc|dev|cgroup)/.*|.*\\.(jar|class)|")) {
          descriptors.merge(target.replaceAll(":.*", ""), 1, Integer::sum);
        }
      }
    }
    return "threads %d, processes %d, descriptors %s".formatted(threads, children, descriptors);
  }

  private static String read(Path link) {
    try {
      return Files.readSymbolicLink(link).toString();
    } catch (IOException e) {
      return ""; // that of the listing itself
    }
  }

  /** Waits until no process has the text on its command line. */
  static void awaitNoProcess(String text) throws Exception {
    for (List<ProcessHandle> left = with(text); !left.isEmpty(); left = with(text)) {
      for (ProcessHandle process : left) {
        process.onExit().get(60, TimeUnit.SECONDS);
      }
    }
  }

  private static List<ProcessHandle> with(String text) throws IOException {
    List<ProcessHandle> found = new ArrayList<>();
    for (ProcessHandle process : ProcessHandle.allProcesses().toList()) {
      Path commandLine = Path.of("/proc", Long.toString(process.pid()), "cmdline");
      try {
        byte[] words = Files.readAllBytes(commandLine);
        if (new String(words, StandardCharsets.ISO_8859_1).contains(text)) {
          found.add(process);
        }
      } catch (IOException e) {
        if (Files.exists(commandLine)) {
          throw e;
        }
      }
    }
    return found;
  }
}
