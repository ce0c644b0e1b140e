package org.liminix.qemu;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.liminix.process.WaitInterruptedException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets machines start no faster than this host can take them: as many at a time as it has
 * processors, and no more at once than nine tenths of its memory hold. The rest wait for their
 * turn, in order.
 */
final class Admission {
  private static final Logger log = LoggerFactory.getLogger(Admission.class);
  private static final Semaphore STARTS =
      new Semaphore(Math.max(2, Runtime.getRuntime().availableProcessors()), true);
  private static final int MEBIBYTES = hostMebibytes() / 10 * 9;
  private static final Semaphore MEMORY = new Semaphore(MEBIBYTES, true);

  private Admission() {}

  /** The memory of a machine, until it is closed. */
  static AutoCloseable memory(String name, int mebibytes, Duration timeout) {
    // One machine alone may have more: it is the host's to refuse it.
    int wanted = Math.min(mebibytes, MEBIBYTES);
    acquire(
        MEMORY,
        wanted,
        timeout,
        "%s needs %d MiB of memory, and the machines that run leave %d of the %d MiB that this host can give them: close some, or give them less memory(...)",
        name);
    return () -> MEMORY.release(wanted);
  }

  /** The turn to start, until the machine has started. */
  static AutoCloseable turn(String name, Duration timeout) {
    acquire(
        STARTS,
        1,
        timeout,
        "%s waits for %d turn to start and %d of %d are free: other machines do not get started",
        name);
    return STARTS::release;
  }

  private static void acquire(
      Semaphore semaphore, int permits, Duration timeout, String message, String name) {
    try {
      if (semaphore.tryAcquire(permits, 0, TimeUnit.SECONDS)) {
        return;
      }
      log.debug("{} waits to be started", name);
      if (!semaphore.tryAcquire(permits, timeout.toNanos(), TimeUnit.NANOSECONDS)) {
        throw new VmException(
            "Waited %d s in vain: ".formatted(timeout.toSeconds())
                + message.formatted(
                    name,
                    permits,
                    semaphore.availablePermits(),
                    semaphore == MEMORY ? MEBIBYTES : Runtime.getRuntime().availableProcessors()));
      }
    } catch (InterruptedException e) {
      throw new WaitInterruptedException("room to start " + name, e);
    }
  }

  private static int hostMebibytes() {
    try {
      // proc(5): "MemTotal:       24601234 kB"
      return Files.readAllLines(Path.of("/proc/meminfo"), StandardCharsets.US_ASCII).stream()
          .filter(line -> line.startsWith("MemTotal:"))
          .mapToInt(line -> (int) (Long.parseLong(line.replaceAll("[^0-9]", "")) / 1024))
          .findFirst()
          .orElse(Integer.MAX_VALUE);
    } catch (IOException e) {
      log.debug("Without /proc memory is not counted", e);
      return Integer.MAX_VALUE;
    }
  }
}
