package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.LAN;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.Segments;
import org.liminix.process.LiminixException;
import org.liminix.process.WaitInterruptedException;
import org.liminix.test.ChildJvm;

/** Each in a JVM of its own, where nothing else runs that could be counted. */
@Timeout(180)
class FailingStartIT {
  @TempDir Path directory;

  @Test
  void releasesEverythingWhicheverStepFails() throws Exception {
    TinyGuest.boots(directory, true); // skips where there is no QEMU
    try (ChildJvm jvm = ChildJvm.run(FaultMain.class, directory.toString())) {
      for (String line = jvm.line(); !line.equals("end"); line = jvm.line()) {
        String[] words = line.split(": ", -1);
        String before = jvm.line();
        assertThat(words[1]).as(words[0]).startsWith("fails");
        assertThat(jvm.line()).as(words[0]).isEqualTo(before);
      }
    }
  }

  /** Tries one fault after the other and says what is held before and after each. */
  public static final class FaultMain {
    private FaultMain() {}

    private interface Fault {
      Vm start(VmBuilder machine, Path run, Segments segments) throws IOException;
    }

    private static final Map<String, Fault> FAULTS = new LinkedHashMap<>();

    static {
      FAULTS.put(
          "there is no run directory",
          (machine, run, segments) ->
              machine
                  .runDirectory(Files.writeString(run.resolve("file"), "").resolve("run"))
                  .spec()
                  .start(segments));
      for (String name :
          new String[] {
            "serial",
            "control",
            "net-0",
            "disk0.qcow2",
            "qmp",
            "monitor",
            "console",
            "pid",
            "qemu.log",
            "console.log"
          }) {
        FAULTS.put(
            "a directory is in the way of " + name,
            (machine, run, segments) -> {
              Files.createDirectories(run.resolve(name).resolve("full"));
              return machine.runDirectory(run).spec().start(segments);
            });
      }
      FAULTS.put(
          "a network cannot be captured",
          (machine, run, segments) -> {
            segments.onOpen(segment -> segment.capture(run.resolve("nowhere").resolve("lan")));
            return machine.spec().start(segments);
          });
      FAULTS.put(
          "a segment is closed",
          (machine, run, segments) -> {
            segments.close();
            return machine.spec().start(segments);
          });
      FAULTS.put(
          "QEMU knows no such device",
          (machine, run, segments) ->
              machine.qemuArgument("-device", "no-such-card").spec().start(segments));
      FAULTS.put(
          "QEMU ends when it is connected",
          (machine, run, segments) ->
              Vm.mips()
                  .kernel(Files.writeString(run.resolve("kernel"), ""))
                  .spec()
                  .start(segments));
      FAULTS.put(
          "the guest is not made ready to be saved",
          (machine, run, segments) ->
              machine
                  .cache(run)
                  .bootedOnce(
                      vm -> {
                        throw new LiminixException("not ready");
                      })
                  .spec()
                  .start(segments));
      FAULTS.put(
          "the cache cannot be used",
          (machine, run, segments) ->
              machine
                  .cache(Files.writeString(run.resolve("cache"), ""))
                  .bootedOnce(vm -> {})
                  .spec()
                  .start(segments));
      FAULTS.put(
          "the thread is interrupted already",
          (machine, run, segments) -> {
            Thread.currentThread().interrupt();
            return machine.spec().start(segments);
          });
    }

    public static void main(String[] arguments) throws Exception {
      Path directory = Path.of(arguments[0]);
      Path disk = Files.write(directory.resolve("disk"), new byte[512]);
      try (Segments segments = Segments.isolated()) { // loads what every start needs
        VmBuilder machine = TinyGuest.boots(directory, true).network(LAN).disk(disk);
        machine.spec().start(segments).close();
      }
      int count = 0;
      for (Map.Entry<String, Fault> fault : FAULTS.entrySet()) {
        String before = Held.byThisJvm();
        Path run = Files.createDirectory(directory.resolve("run" + count++));
        String result;
        try (Segments segments = Segments.isolated();
            Vm vm =
                fault
                    .getValue()
                    .start(
                        TinyGuest.boots(directory, true).network(LAN).disk(disk), run, segments)) {
          result = vm + " has started";
        } catch (LiminixException e) {
          boolean honest =
              Thread.interrupted() == (e instanceof WaitInterruptedException)
                  && e.getMessage() != null;
          result = (honest ? "fails: " : "has lost the interrupt: ") + e;
        }
        System.out.println(fault.getKey() + ": " + result.lines().findFirst().orElseThrow());
        System.out.println(before);
        System.out.println(Held.byThisJvm());
      }
      System.out.println("end");
      System.exit(0);
    }
  }

  @Test
  void startsOrReleasesEverythingWhenItIsInterruptedAtAnyMoment() throws Exception {
    TinyGuest.boots(directory, true); // skips where there is no QEMU
    try (ChildJvm jvm = ChildJvm.run(InterruptMain.class, directory.toString())) {
      String before = jvm.line();
      for (String line = jvm.line(); !line.equals("end"); line = jvm.line()) {
        assertThat(line).isIn("started", "interrupted");
      }
      assertThat(jvm.line()).isEqualTo(before);
    }
  }

  /** Interrupts one start after the other, each a little later or earlier. */
  public static final class InterruptMain {
    private static final int ROUNDS = 100;

    private InterruptMain() {}

    public static void main(String[] arguments) throws Exception {
      VmSpec tiny = TinyGuest.boots(Path.of(arguments[0]), true).network(LAN).spec();
      SplittableRandom random = new SplittableRandom();
      Segments segments = Segments.isolated();
      tiny.start(segments).close(); // loads classes, which takes longer than a start
      long begin = System.nanoTime();
      tiny.start(segments).close();
      long mostMillis = Duration.ofNanos(System.nanoTime() - begin).toMillis();
      System.out.println(Held.byThisJvm());
      for (int round = 0; round < ROUNDS; round++) {
        AtomicReference<String> result = new AtomicReference<>("");
        Thread starter = new Thread(() -> result.set(start(tiny, segments)));
        starter.start();
        starter.join(random.nextLong(1, mostMillis + 1));
        starter.interrupt();
        starter.join();
        System.out.println(result);
      }
      System.out.println("end");
      System.out.println(Held.byThisJvm());
      System.exit(0);
    }

    private static String start(VmSpec spec, Segments segments) {
      try (Vm vm = spec.start(segments)) {
        return vm.isAlive() ? "started" : "started and ended";
      } catch (WaitInterruptedException e) {
        return Thread.interrupted() ? "interrupted" : "interrupted, which is forgotten";
      } catch (RuntimeException e) {
        return e.toString().lines().findFirst().orElseThrow();
      }
    }
  }
}
