package org.liminix.qemu;

import com.google.common.hash.Hashing;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.liminix.console.Console;
import org.liminix.console.ConsoleServer;
import org.liminix.net.MacAddress;
import org.liminix.net.Network;
import org.liminix.net.Plug;
import org.liminix.net.Segments;
import org.liminix.process.Deadline;
import org.liminix.process.Executable;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.UnixSocket;
import org.liminix.process.WaitTimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts one machine: everything QEMU will connect to is made first, so that no start has to guess
 * when a socket of QEMU's is there, and everything made is undone if a later step fails.
 */
final class VmStarter {
  private static final Logger log = LoggerFactory.getLogger(VmStarter.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(30);

  private final VmSpec spec;
  private final Segments segments;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();

  VmStarter(VmSpec spec, Segments segments) {
    this.spec = spec;
    this.segments = segments;
  }

  /** Has the machine close the segments when it is closed. */
  VmStarter owningSegments() {
    resources.push(segments);
    return this;
  }

  Vm start() {
    try {
      return startOrLeak();
    } catch (RuntimeException | Error e) {
      closeAll(resources);
      throw e;
    } catch (IOException e) {
      closeAll(resources);
      throw new VmException("Cannot start " + spec.name() + ": " + e, e);
    }
  }

  private Vm startOrLeak() throws IOException {
    Path program =
        Executable.named(spec.machine().program())
            .fromDebianPackage(spec.machine().debianPackage())
            .find();
    spec.requireFiles();
    Deadline deadline = Deadline.after(TIMEOUT);
    RunDirectory directory =
        keep(
            spec.runDirectory()
                .map(RunDirectory::at)
                .orElseGet(() -> RunDirectory.create(spec.name())));
    Path consoleSocket = directory.socket("console");
    UnixSocket.Listener serial = keep(UnixSocket.listen(directory.socket("serial")));
    UnixSocket.Listener control = keep(UnixSocket.listen(directory.socket("control")));
    List<QemuCommandLine.NetworkCard> cards = plug(directory);

    QemuCommandLine commandLine = new QemuCommandLine(program, spec, cards);
    SupervisedProcess process =
        keep(
            SupervisedProcess.of(commandLine.supervised(directory, serial.path(), control.path()))
                .directory(directory)
                .logName("qemu.log")
                .start());
    AtomicReference<@Nullable Vm> started = new AtomicReference<>();
    var unused = process.exit().thenRun(() -> closeListeners(serial, control));
    try {
      UnixSocket qmpSocket = accept(control, commandLine, process, deadline);
      Qmp qmp = Qmp.open(spec.name(), qmpSocket, deadline.remaining());
      keep(qmp::close);
      Console console =
          keep(
              Console.over(accept(serial, commandLine, process, deadline))
                  .name(spec.name())
                  .file(directory.file("console.log"))
                  .timeout(spec.timeout())
                  .state(() -> describe(started.get(), process))
                  .open());
      closeListeners(serial, control);
      keep(ConsoleServer.serve(console, consoleSocket));
      Vm vm = new Vm(spec, directory, commandLine.interactive(), process, qmp, console, resources);
      started.set(vm);
      qmp.execute("cont");
      log.info("{} runs in QEMU {}, consoles in {}", spec.name(), qmp.version(), directory);
      return vm;
    } catch (QmpException e) {
      throw died(commandLine, process, e);
    }
  }

  private UnixSocket accept(
      UnixSocket.Listener listener,
      QemuCommandLine commandLine,
      SupervisedProcess process,
      Deadline deadline)
      throws IOException {
    try {
      return listener.accept(deadline);
    } catch (ClosedChannelException e) {
      throw died(commandLine, process, e);
    } catch (WaitTimeoutException e) {
      throw new VmException(
          "QEMU of %s runs but has not connected to %s within %s s; it said:%n%s"
              .formatted(
                  spec.name(),
                  listener.path(),
                  TIMEOUT.toSeconds(),
                  process.lastOutput().indent(4)),
          e);
    }
  }

  private VmException died(
      QemuCommandLine commandLine, SupervisedProcess process, Exception cause) {
    return new VmException(
        "QEMU of %s ended at once, %s%nTo try it in a terminal:%n    %s"
            .formatted(spec.name(), Vm.lastWords(process), commandLine.interactive()),
        cause);
  }

  private static String describe(@Nullable Vm vm, SupervisedProcess process) {
    return vm == null ? "QEMU is being started: " + process : vm.describe();
  }

  private List<QemuCommandLine.NetworkCard> plug(RunDirectory directory) {
    List<QemuCommandLine.NetworkCard> cards = new ArrayList<>();
    for (Network network : spec.networks()) {
      Path socket = directory.socket("net-" + cards.size());
      Plug plug = keep(segments.get(network).plug(spec.name(), socket));
      MacAddress address =
          plug instanceof Plug.Multicast
              ? MacAddress.random()
              : stableAddress(directory, cards.size());
      cards.add(new QemuCommandLine.NetworkCard("net" + cards.size(), plug, address));
    }
    return cards;
  }

  /**
   * The same in every run, so that leases and captures compare, and different for machines that run
   * at the same time in this JVM, whose run directories differ.
   */
  private static MacAddress stableAddress(RunDirectory directory, int index) {
    long hash =
        Hashing.sha256()
            .hashString(directory.path().getFileName() + "/" + index, StandardCharsets.UTF_8)
            .asLong();
    // Locally administered, unicast: IEEE 802-2014, 8.2.2.
    return MacAddress.of((hash & 0xfcff_ffff_ffffL) | 0x0200_0000_0000L);
  }

  private <T extends AutoCloseable> T keep(T resource) {
    resources.push(resource);
    return resource;
  }

  private static void closeListeners(UnixSocket.Listener... listeners) {
    for (UnixSocket.Listener listener : listeners) {
      try {
        listener.close();
      } catch (IOException e) {
        log.debug("Closing {}", listener.path(), e);
      }
    }
  }

  /** Closes all in the reverse order of their making, whatever goes wrong with one. */
  static void closeAll(Deque<AutoCloseable> resources) {
    while (!resources.isEmpty()) {
      AutoCloseable resource = resources.pop();
      try {
        resource.close();
      } catch (Exception e) {
        log.warn("Closing {} failed", resource, e);
      }
    }
  }
}
