package org.liminix.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.liminix.process.Deadline;
import org.liminix.process.RunDirectory;

/** Saves and restores a machine's memory, devices and disks. One at a time. */
final class Snapshots {
  private static final Duration TIMEOUT = Duration.ofMinutes(2);
  private static final String NODE = "vmstate";

  /** What a snapshot of a machine can take: as much as an image can be, of which none is used. */
  private static final long ROOM = 1L << 36;

  /** MIPS_HFLAG_BMASK_BASE and how its processor state is printed: target/mips/cpu.h, cpu.c. */
  private static final int BRANCH = 0x803800;

  private static final Pattern HIDDEN_FLAGS = Pattern.compile(" ds ([0-9a-f]{4,8}) ");

  private final VmSpec spec;
  private final RunDirectory directory;
  private final Qmp qmp;
  private final AtomicInteger jobs = new AtomicInteger();
  private boolean hasNode; // guarded by this

  Snapshots(VmSpec spec, RunDirectory directory, Qmp qmp) {
    this.spec = spec;
    this.directory = directory;
    this.qmp = qmp;
  }

  synchronized void save(String name) {
    addNode();
    boolean running = state() == RunState.RUNNING;
    stop();
    job("snapshot-save", name);
    if (running) {
      qmp.execute("cont");
    }
  }

  synchronized void restore(String name) {
    if (!hasNode) {
      throw new IllegalStateException(
          "%s has no snapshot %s: take it with snapshot(\"%s\")"
              .formatted(spec.name(), name, name));
    }
    boolean running = state() == RunState.RUNNING;
    qmp.execute("stop");
    job("snapshot-load", name);
    afterRestore();
    if (running) {
      qmp.execute("cont");
    }
  }

  /** Stops it where what is saved is all there is to know. */
  private void stop() {
    qmp.execute("stop");
    while (spec.machine().isMalta() && isInDelaySlot()) {
      qmp.execute("cont");
      qmp.execute("stop");
    }
  }

  /**
   * Whether a MIPS has executed a branch and not yet its delay slot, as it can where a page ends
   * between them. QEMU 7.2 does not restore that: the guest would go on behind the delay slot.
   */
  private boolean isInDelaySlot() {
    String registers = qmp.monitor("info registers");
    Matcher flags = HIDDEN_FLAGS.matcher(registers);
    if (!flags.find()) {
      throw new VmException("QEMU shows the registers of a MIPS without \"ds\":\n" + registers);
    }
    return (Integer.parseUnsignedInt(flags.group(1), 16) & BRANCH) != 0;
  }

  private RunState state() {
    return RunState.of(qmp.execute("query-status").getAsJsonObject().get("status").getAsString());
  }

  private void job(String command, String name) {
    List<String> devices = new ArrayList<>();
    devices.add(NODE);
    for (int disk = 0; disk < spec.disks().size(); disk++) {
      devices.add("disk" + disk);
    }
    qmp.executeJob(
        command + jobs.incrementAndGet(),
        command,
        Map.of("tag", name, "vmstate", NODE, "devices", devices),
        TIMEOUT);
  }

  private void addNode() {
    if (hasNode) {
      return;
    }
    Path file = directory.file("vmstate.qcow2");
    try {
      Files.deleteIfExists(file);
      Qcow2.empty(file, ROOM);
    } catch (IOException e) {
      throw new VmException("Cannot make room for a snapshot of " + spec.name() + ": " + e, e);
    }
    qmp.execute(
        "blockdev-add",
        Map.of(
            "driver",
            "qcow2",
            "node-name",
            NODE,
            "file",
            Map.of("driver", "file", "filename", file.toString())));
    hasNode = true;
  }

  /** Writes memory and devices to a file; the machine is of no more use. */
  void writeTo(Path file) {
    stop();
    migrate("migrate", "exec:cat > " + quoted(file));
  }

  /** Reads them into a machine that was started with {@code -incoming defer}. */
  void readFrom(Path file) {
    migrate("migrate-incoming", "exec:cat " + quoted(file));
    afterRestore();
  }

  private void migrate(String command, String uri) {
    qmp.execute(
        "migrate-set-capabilities",
        Map.of("capabilities", List.of(Map.of("capability", "events", "state", true))));
    // As fast as it goes: this is a file, and the default is meant for networks.
    qmp.execute("migrate-set-parameters", Map.of("max-bandwidth", 1L << 40));
    Deadline deadline = Deadline.after(TIMEOUT);
    try (QmpEvents events = qmp.events()) {
      qmp.execute(command, Map.of("uri", uri));
      String status;
      do {
        status = events.await("MIGRATION", deadline.remaining()).data().get("status").getAsString();
        if (status.equals("failed")) {
          throw new VmException(
              "%s: %s of %s failed: %s"
                  .formatted(spec.name(), command, uri, qmp.execute("query-migrate")));
        }
      } while (!status.equals("completed"));
    }
  }

  private void afterRestore() {
    if (spec.machine().isMalta()) {
      MipsTimer.rearm(qmp, directory, spec.machine() == Machine.MIPS);
    }
  }

  private static String quoted(Path path) {
    return "'" + path.toString().replace("'", "'\\''") + "'";
  }
}
