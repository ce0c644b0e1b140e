package org.liminix.testkit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.process.Evidence;
import org.liminix.process.LiminixException;
import org.liminix.process.RunDirectory;
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

  private Bench(RunDirectory directory) {
    this.directory = directory;
    this.segments = Segments.isolated();
  }

  /** An empty bench. */
  public static Bench open() {
    return new Bench(RunDirectory.create("bench"));
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
    for (AutoCloseable part : parts()) {
      if (part instanceof Evidence evidence) {
        save(evidence, target);
      }
    }
  }

  private static void save(Evidence evidence, Path target) {
    try {
      evidence.saveTo(target);
    } catch (IOException | RuntimeException e) {
      log.warn("Could not save what {} has kept: {}", evidence, e.toString());
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
