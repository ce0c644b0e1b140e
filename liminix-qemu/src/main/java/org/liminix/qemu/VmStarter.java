package org.liminix.qemu;

import com.google.common.hash.Hashing;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.IntStream;
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
import org.liminix.process.WaitInterruptedException;
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
  private static final int WAITS_OF_A_BOOT = 10;

  private final VmSpec spec;
  private final Segments segments;
  private final Deque<AutoCloseable> resources = new ArrayDeque<>();
  private Optional<AgentSockets> agentSockets = Optional.empty();
  private boolean ownsSegments;
  private boolean boots; // rather than being restored

  VmStarter(VmSpec spec, Segments segments) {
    this.spec = spec;
    this.segments = segments;
  }

  /** Has the machine close the segments when it is closed. */
  VmStarter owningSegments() {
    ownsSegments = true;
    return this;
  }

  /** Boots even what is described as booted once. */
  private VmStarter booting() {
    boots = true;
    return this;
  }

  Vm start() {
    Vm vm;
    try {
      vm = startOrUndo();
    } catch (SpoiledGuestException e) {
      log.warn("{}\nIt boots again.", e.getMessage());
      vm = startOrUndo();
    }
    if (ownsSegments) {
      resources.addLast(segments); // closed last
    }
    return vm;
  }

  private Vm startOrUndo() {
    try {
      return startOrLeak();
    } catch (RuntimeException | Error e) {
      closeAll(resources);
      throw e;
    } catch (ClosedByInterruptException e) {
      closeAll(resources);
      throw new WaitInterruptedException(
          "the start of " + spec.name(), new InterruptedException("while a file was written"));
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
    RunDirectory directory =
        keep(
            spec.runDirectory()
                .map(RunDirectory::at)
                .orElseGet(() -> RunDirectory.create(spec.name())));
    UnixSocket.Listener serial = keep(UnixSocket.listen(directory.socket("serial")));
    UnixSocket.Listener control = keep(UnixSocket.listen(directory.socket("control")));
    if (spec.guestAgent()) {
      agentSockets = Optional.of(keep(AgentSockets.listen(directory)));
    }
    List<QemuCommandLine.NetworkCard> cards = plug(directory);

    Accelerator.Choice acceleration = spec.acceleration();
    QemuCommandLine commandLine =
        new QemuCommandLine(
            program,
            spec,
            acceleration.accelerator(),
            cards,
            new QemuCommandLine.Drives(flash(directory), overlayPaths(directory)));
    Optional<BootedGuest> booted =
        boots ? Optional.empty() : booted(program, commandLine, directory);
    for (Path overlay : overlayPaths(directory)) {
      Files.deleteIfExists(overlay); // of an earlier run in a directory the caller chose
      Qcow2.overlay(overlay, backing(booted, overlay, directory));
    }
    List<String> words = commandLine.supervised(directory, serial.path(), control.path());
    agentSockets.ifPresent(sockets -> words.addAll(sockets.words()));
    if (booted.isPresent()) {
      words.addAll(List.of("-incoming", "defer"));
    }
    keep(Admission.memory(spec.name(), spec.mebibytes(), spec.timeout()));
    try (AutoCloseable turn = Admission.turn(spec.name(), spec.timeout())) {
      return launch(commandLine, words, directory, serial, control, acceleration, booted);
    } catch (RuntimeException | IOException e) {
      throw e;
    } catch (Exception e) {
      throw new VmException("Cannot start " + spec.name() + ": " + e, e);
    }
  }

  private Vm launch(
      QemuCommandLine commandLine,
      List<String> words,
      RunDirectory directory,
      UnixSocket.Listener serial,
      UnixSocket.Listener control,
      Accelerator.Choice acceleration,
      Optional<BootedGuest> booted)
      throws IOException {
    Deadline deadline = Deadline.after(TIMEOUT);
    keep(() -> removeLeftOver(directory)); // after the process has ended
    SupervisedProcess process =
        keep(SupervisedProcess.of(words).directory(directory).logName("qemu.log").start());
    AtomicReference<@Nullable Vm> started = new AtomicReference<>();
    if (booted.isPresent()) {
      requireSound(booted.get()); // while QEMU gets ready
    }
    var unused = process.exit().thenRun(() -> closeListeners(serial, control));
    try {
      // QEMU connects early and then takes its time to greet, in which all else is made.
      Qmp qmp = Qmp.open(spec.name(), keep(accept(control, commandLine, process, deadline)));
      Console console =
          keep(
              Console.over(keep(accept(serial, commandLine, process, deadline)))
                  .name(spec.name())
                  .file(directory.file("console.log"))
                  .timedFile(directory.file("console.txt"))
                  .timeout(spec.timeout())
                  .failOn(spec.failOn())
                  .state(() -> describe(started.get(), process))
                  .open());
      closeListeners(serial, control);
      keep(ConsoleServer.serve(console, directory.socket("console")));
      Vm vm =
          new Vm(
              spec,
              directory,
              commandLine.interactive(),
              process,
              qmp,
              console,
              new Devices(spec, segments, directory, qmp, resources),
              acceleration,
              booted.isPresent(),
              agent(qmp, started, process, deadline),
              resources);
      started.set(vm);
      if (booted.isPresent()) {
        qmp.awaitNegotiated(deadline.remaining());
        goOnFrom(booted.get(), vm, process);
      }
      spec.linksDown().forEach(network -> vm.link(network).down());
      if (spec.machine().isMalta()) {
        MaltaInterrupts.goByLevel(qmp);
      }
      if (spec.paused()) {
        qmp.awaitNegotiated(deadline.remaining());
      } else {
        qmp.execute("cont");
      }
      if (booted.isPresent() && Files.exists(booted.get().file("shell"))) {
        vm.refresh();
      }
      log.info(
          "{} runs in QEMU {} with {}, consoles in {}",
          spec.name(),
          qmp.version(),
          acceleration,
          directory);
      return vm;
    } catch (QmpException e) {
      throw died(commandLine, process, e);
    }
  }

  private Optional<GuestAgent> agent(
      Qmp qmp, AtomicReference<@Nullable Vm> started, SupervisedProcess process, Deadline deadline)
      throws IOException {
    if (agentSockets.isEmpty()) {
      return Optional.empty();
    }
    AgentSockets sockets = agentSockets.get();
    sockets.accept(deadline);
    Supplier<String> state =
        () -> {
          Vm vm = started.get();
          return vm == null ? describe(vm, process) : vm.summary();
        };
    return Optional.of(GuestAgent.open(spec.name(), sockets, qmp, state, process.exit()));
  }

  /** What a QEMU that was killed, or failed, leaves in a directory the caller chose. */
  private static void removeLeftOver(RunDirectory directory) throws IOException {
    for (String name : new String[] {"qmp", "monitor", "pid"}) {
      Files.deleteIfExists(directory.file(name));
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
        "QEMU of %s ended at once, %s%n%sTo try it in a terminal:%n    %s"
            .formatted(
                spec.name(),
                Vm.lastWords(process),
                spec.acceleration().advice().replaceFirst("$", "\n").stripLeading(),
                commandLine.interactive()),
        cause);
  }

  private static String describe(@Nullable Vm vm, SupervisedProcess process) {
    return vm == null ? "QEMU is being started: " + process : vm.describe();
  }

  /** What to go on from, if the machine is one that boots once. */
  private Optional<BootedGuest> booted(
      Path program, QemuCommandLine commandLine, RunDirectory directory) throws IOException {
    if (spec.bootedOnce().isEmpty()) {
      return Optional.empty();
    }
    ReadyAction ready = spec.bootedOnce().get();
    String key = BootedKey.of(program, commandLine.withoutPlaces(directory), spec, ready);
    return Optional.of(
        keep(
            cache()
                .get(
                    key,
                    patience(),
                    target -> {
                      log.info("{} boots once, to be restored from {}", spec.name(), key);
                      VmSpec first = spec.inDirectoryOfItsOwn();
                      try (Vm vm = new VmStarter(first, segments).booting().start()) {
                        ready.accept(vm);
                        vm.leaveStateIn(target);
                      }
                    })));
  }

  private BootedCache cache() {
    return BootedCache.in(spec.cache().orElseGet(BootedCache::ofUser));
  }

  /** With those who boot the same machine: it takes a few waits until that is ready. */
  private Deadline patience() {
    return Deadline.after(spec.timeout().multipliedBy(WAITS_OF_A_BOOT));
  }

  private void requireSound(BootedGuest booted) throws IOException {
    if (booted.isDamaged()) {
      throw spoiled(booted, "its files are not what was written.", null);
    }
  }

  private void goOnFrom(BootedGuest booted, Vm vm, SupervisedProcess process) throws IOException {
    try {
      vm.snapshots().readFrom(booted.file(BootedGuest.STATE));
    } catch (VmException e) {
      String said = (e.getMessage() + "\n" + process.lastOutput()).strip();
      throw spoiled(booted, "this QEMU does not take it:\n" + said.indent(4).stripTrailing(), e);
    }
  }

  private SpoiledGuestException spoiled(BootedGuest booted, String why, @Nullable VmException cause)
      throws IOException {
    cache().discard(booted, patience());
    return new SpoiledGuestException(
        "%s cannot go on from where it was booted once, %s, since %s"
            .formatted(spec.name(), booted.path(), why),
        cause);
  }

  private Optional<Path> flash(RunDirectory directory) throws IOException {
    if (spec.uBoot().isEmpty() || !spec.machine().isMalta()) {
      return Optional.empty();
    }
    Path flash = directory.file("flash");
    MaltaFlash.write(spec.uBoot().get(), spec.machine() == Machine.MIPS, flash);
    return Optional.of(flash);
  }

  /** What this run writes to: the caller's images stay as they are. */
  private List<Path> overlayPaths(RunDirectory directory) {
    return IntStream.range(0, spec.disks().size())
        .mapToObj(disk -> directory.file("disk" + disk + ".qcow2"))
        .toList();
  }

  private Path backing(Optional<BootedGuest> booted, Path overlay, RunDirectory directory) {
    return booted
        .map(guest -> guest.file(String.valueOf(overlay.getFileName())))
        .orElseGet(() -> spec.disks().get(overlayPaths(directory).indexOf(overlay)));
  }

  private List<QemuCommandLine.NetworkCard> plug(RunDirectory directory) {
    List<QemuCommandLine.NetworkCard> cards = new ArrayList<>();
    for (Network network : spec.networks()) {
      Path socket = directory.socket("net-" + cards.size());
      Plug plug = keep(segments.get(network).plug(spec.name(), socket));
      MacAddress address =
          plug instanceof Plug.Multicast && spec.bootedOnce().isEmpty()
              ? MacAddress.random()
              : stableAddress(identity(directory), cards.size());
      cards.add(new QemuCommandLine.NetworkCard("net" + cards.size(), plug, address));
    }
    return cards;
  }

  /**
   * The same in every run, so that leases and captures compare, and different for machines that run
   * at the same time in this JVM, whose run directories differ.
   */
  static MacAddress stableAddress(String identity, int index) {
    long hash =
        Hashing.sha256().hashString(identity + "/" + index, StandardCharsets.UTF_8).asLong();
    // Locally administered, unicast: IEEE 802-2014, 8.2.2.
    return MacAddress.of((hash & 0xfcff_ffff_ffffL) | 0x0200_0000_0000L);
  }

  /** A restored guest goes on with the addresses it was booted with, whatever else runs. */
  private String identity(RunDirectory directory) {
    return spec.bootedOnce().isPresent() ? spec.name() : identityOf(directory);
  }

  static String identityOf(RunDirectory directory) {
    return String.valueOf(directory.path().getFileName());
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

  /**
   * Closes all in the reverse order of their making, whatever goes wrong with one. An interrupt
   * waits, so that it keeps none of them from what it has to wait for.
   */
  static void closeAll(Deque<AutoCloseable> resources) {
    boolean interrupted = Thread.interrupted();
    while (!resources.isEmpty()) {
      AutoCloseable resource = resources.pop();
      try {
        resource.close();
      } catch (Exception | Error e) {
        log.warn("Closing {} failed", resource, e);
      }
      interrupted |= Thread.interrupted();
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
