package org.liminix.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;
import org.liminix.console.ConnectVm;
import org.liminix.console.Pause;
import org.liminix.net.Capture;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.process.Evidence;
import org.liminix.process.LiminixException;
import org.liminix.process.RunDirectory;
import org.liminix.qemu.Vm;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Networks of its own with everything that runs on them: a router, its ISP, the hosts behind it.
 * What happens on the networks is captured; when a test fails, the captures and what the parts have
 * kept can be saved.
 *
 * <pre>{@code
 * try (Bench bench = Bench.open()) {
 *   BorderNetworkGateway isp = bench.start(BorderNetworkGateway.likeLiminix().spec());
 *   Vm router = bench.start(Vm.mipsel().image(image).network(LAN, ACCESS).spec());
 *   isp.awaitSession(Duration.ofSeconds(60));
 * }
 * }</pre>
 *
 * <p>Benches run side by side without noticing each other. Thread-safe. Whoever opened it closes
 * it, which ends the parts in the reverse order of their start.
 */
public final class Bench implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Bench.class);

  private final RunDirectory directory;
  private final Segments segments;
  private final Deque<AutoCloseable> parts = new ArrayDeque<>(); // guarded by itself

  private final Queue<Capture> captures = new ConcurrentLinkedQueue<>();

  private Bench(boolean capturing) {
    this.directory = RunDirectory.create("bench");
    this.segments = Segments.isolated();
    if (capturing) {
      segments.onOpen(
          segment -> captures.add(segment.capture(directory.file(fileName(segment.network())))));
    }
  }

  private static String fileName(Network network) {
    return network.name().replaceAll("[^\\w.-]+", "-") + ".pcapng";
  }

  /** An empty bench that captures everything that passes on its networks. */
  public static Bench open() {
    return new Bench(true);
  }

  /** An empty bench for traffic that would be too much to keep. */
  public static Bench withoutCaptures() {
    return new Bench(false);
  }

  /** The networks of this bench. */
  public Segments segments() {
    return segments;
  }

  /**
   * Starts a part on the networks of this bench.
   *
   * @return the running part, which is closed with the bench at the latest
   */
  public <T extends AutoCloseable> T start(Spec<T> spec) {
    T part = spec.start(segments);
    synchronized (parts) {
      parts.push(part);
    }
    return part;
  }

  /** Closes a part before the bench is closed; does nothing if it is not on this bench. */
  public void stop(AutoCloseable part) {
    boolean known;
    synchronized (parts) {
      known = parts.remove(part);
    }
    if (known) {
      close(part);
    }
  }

  private static void close(AutoCloseable part) {
    try {
      part.close();
    } catch (Exception e) {
      log.warn("Closing {} failed", part, e);
    }
  }

  /** The parts that run, in that order. */
  public List<AutoCloseable> parts() {
    synchronized (parts) {
      List<AutoCloseable> inOrder = new ArrayList<>();
      parts.descendingIterator().forEachRemaining(inOrder::add);
      return inOrder;
    }
  }

  /** The state of every part that has something to say about it. */
  public String summary() {
    return parts().stream()
        .filter(Evidence.class::isInstance)
        .map(part -> ((Evidence) part).summary())
        .collect(Collectors.joining("\n"));
  }

  /**
   * Saves the captures of all networks, as {@code NETWORK.pcapng}, and what the parts have kept.
   * The bench goes on as before.
   *
   * @param target made if it does not exist
   * @throws LiminixException if nothing can be saved there; what one part fails to save is logged
   */
  public void saveTo(Path target) {
    try {
      Files.createDirectories(target);
    } catch (IOException e) {
      throw new LiminixException("Cannot make the directory " + target + ": " + e, e);
    }
    captures.forEach(capture -> save(capture.toString(), () -> copy(capture, target)));
    for (AutoCloseable part : parts()) {
      if (part instanceof Evidence evidence) {
        save(evidence.toString(), () -> evidence.saveTo(target));
      }
    }
  }

  private static void copy(Capture capture, Path target) throws IOException {
    capture.flush();
    Path file = capture.path();
    Files.copy(file, target.resolve(file.getFileName()), StandardCopyOption.REPLACE_EXISTING);
  }

  private static void save(String what, Saving saving) {
    try {
      saving.run();
    } catch (IOException | RuntimeException e) {
      log.warn("Could not save what {} has kept: {}", what, e.toString());
    }
  }

  private interface Saving {
    void run() throws IOException;
  }

  /**
   * Stands still until a person lets it go on, so that somebody can join the machines of this bench
   * meanwhile; {@code System.err} says how to do either from another terminal. No deadline passes
   * that is not the caller's own.
   *
   * @throws org.liminix.process.WaitInterruptedException if the thread is interrupted
   */
  public void pause() {
    try (Pause pause = Pause.in(directory.path())) {
      String machines =
          parts().stream()
              .filter(Vm.class::isInstance)
              .map(vm -> "\n    " + ConnectVm.command(((Vm) vm).runDirectory()))
              .collect(Collectors.joining());
      System.err.println(
          "Paused."
              + (machines.isEmpty() ? "" : " To join a machine, in another terminal:" + machines)
              + "\nTo go on:\n    "
              + ConnectVm.goOnCommand(directory.path()));
      pause.await();
    }
  }

  /** Ends everything, last started first. Idempotent. */
  @Override
  public void close() {
    while (true) {
      AutoCloseable part;
      synchronized (parts) {
        part = parts.poll();
      }
      if (part == null) {
        break;
      }
      close(part);
    }
    segments.close();
    directory.close();
  }

  @Override
  public String toString() {
    return "Bench" + parts();
  }
}
