package org.liminix.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.liminix.net.MacAddress;
import org.liminix.net.Plug;
import org.liminix.process.RunDirectory;

/** The words that start a QEMU, from the QEMU manual's "Invocation". */
final class QemuCommandLine {
  private static final Pattern NEEDS_NO_QUOTES = Pattern.compile("[A-Za-z0-9_@%+=:,./-]+");

  private final List<String> machine = new ArrayList<>();
  private final boolean guestAgent;

  /** A network card: where it is plugged, and its address. */
  record NetworkCard(String id, Plug plug, MacAddress address) {}

  /** The files made for this run: the flash, if any, and an overlay for each disk. */
  record Drives(Optional<Path> flash, List<Path> disks) {}

  QemuCommandLine(
      Path program, VmSpec spec, Accelerator accelerator, List<NetworkCard> cards, Drives drives) {
    Machine profile = spec.machine();
    long rootfsBytes = spec.rootfs().map(QemuCommandLine::size).orElse(0L);
    Machine.Memory memory = profile.memory(spec.mebibytes(), rootfsBytes);

    add(program.toString());
    add("-name", escaped(spec.name()));
    // Without -vga none a Malta gets its Cirrus, which costs a quarter of a second of every start.
    add("-nodefaults", "-no-user-config", "-display", "none", "-vga", "none");
    add("-accel", accelerator.name().toLowerCase(Locale.ROOT));
    add("-M", profile.type(spec.usb()), "-m", Integer.toString(memory.mebibytes()));
    profile.processor(accelerator).ifPresent(processor -> add("-cpu", processor));
    addFirmware(spec, drives);
    spec.kernel().ifPresent(path -> addKernel(spec, path, memory, accelerator));
    spec.initrd().ifPresent(path -> add("-initrd", path.toString()));
    addDisks(spec, drives, memory);
    addDevices(spec);
    for (NetworkCard card : cards) {
      add("-netdev", netdev(card));
      add("-device", networkDevice(profile, card));
    }
    guestAgent = spec.guestAgent();
    if (guestAgent) {
      addAgent(profile);
    }
    machine.addAll(spec.qemuArguments());
  }

  /** After the network cards, whose places on the bus are their names in many guests. */
  private void addAgent(Machine profile) {
    add("-device", profile.serialBus() + ",id=agent-bus");
    addPort(AgentPort.ID, 1, AgentPort.NAME);
    addPort(AgentPrograms.ID, 2, AgentPrograms.NAME);
  }

  private void addPort(String id, int number, String name) {
    add(
        "-device",
        "virtserialport,bus=agent-bus.0,id=%s,chardev=%s,nr=%d,name=%s"
            .formatted(id, id, number, name));
  }

  private void addFirmware(VmSpec spec, Drives drives) {
    spec.uBoot()
        .ifPresent(
            path ->
                drives
                    .flash()
                    .ifPresentOrElse(
                        flash -> add("-drive", "if=pflash,format=raw,file=" + escaped(flash)),
                        () -> add("-bios", path.toString())));
  }

  private void addKernel(VmSpec spec, Path kernel, Machine.Memory memory, Accelerator accelerator) {
    add("-kernel", kernel.toString());
    List<String> arguments = new ArrayList<>(spec.machine().kernelArguments(accelerator));
    arguments.addAll(memory.kernelArguments());
    arguments.addAll(spec.kernelArguments());
    add("-append", String.join(" ", arguments));
  }

  private void addDisks(VmSpec spec, Drives drives, Machine.Memory memory) {
    Machine profile = spec.machine();
    if (spec.rootfs().isPresent() && profile.isMalta()) {
      add("-device", memory.loader(escaped(spec.rootfs().get())));
    } else if (spec.rootfs().isPresent()) {
      add(
          "-drive",
          "if=none,id=rootfs,format=raw,read-only=on,file=" + escaped(spec.rootfs().get()));
      add("-device", profile.diskDevice() + ",drive=rootfs");
    }
    for (int i = 0; i < drives.disks().size(); i++) {
      String id = "disk" + i;
      add(
          "-blockdev",
          "driver=qcow2,node-name=%s,file.driver=file,file.filename=%s"
              .formatted(id, escaped(drives.disks().get(i))));
      String bus = profile.isMalta() ? ",bus=ide." + i / 2 + ",unit=" + i % 2 : "";
      add("-device", profile.diskDevice() + ",drive=" + id + bus);
    }
  }

  private void addDevices(VmSpec spec) {
    Machine profile = spec.machine();
    if (spec.usb()) {
      profile.usbController().ifPresent(controller -> add("-device", controller));
    }
    if (spec.display()) {
      profile.displayDevices().forEach(device -> add("-device", device));
    }
    for (int slot = 0; slot < spec.hotplugSlots(); slot++) {
      add("-device", "pcie-root-port,id=slot%d,chassis=%d,slot=%d".formatted(slot, slot + 1, slot));
    }
  }

  static String networkDevice(Machine profile, NetworkCard card) {
    return profile.networkDevice()
        + ",netdev="
        + card.id()
        + ",mac="
        + card.address()
        // The boot ROM would be for firmware that boots from the network.
        + (profile.hasBootRoms() ? ",romfile=" : "");
  }

  private void add(String... more) {
    machine.addAll(List.of(more));
  }

  /**
   * The words that start the machine under this library. QEMU connects to the sockets given, on
   * which the library listens already, and listens itself on those that are for people.
   */
  List<String> supervised(RunDirectory directory, Path consoleSocket, Path controlSocket) {
    List<String> words = new ArrayList<>(machine);
    // Stopped until the console is connected; the library lets it go over QMP.
    words.addAll(List.of("-S", "-pidfile", directory.file("pid").toString()));
    addMonitor(words, "control", "control", connected("control", controlSocket));
    addMonitor(words, "qmp", "control", listening("qmp", directory));
    addMonitor(words, "monitor", "readline", listening("monitor", directory));
    words.addAll(List.of("-chardev", connected("console", consoleSocket)));
    words.addAll(List.of("-serial", "chardev:console"));
    return words;
  }

  /**
   * The words but for the places of sockets and files that belong to one run: what another run must
   * have in common with this one to take over its state.
   */
  List<String> withoutPlaces(RunDirectory directory) {
    return machine.stream()
        .filter(word -> !word.startsWith("socket,id=") && !word.startsWith("stream,id="))
        .map(word -> word.replace(directory.path().toString(), "RUN"))
        .toList();
  }

  /** What starts the machine in a terminal, quoted for a POSIX shell. */
  String interactive() {
    List<String> words = new ArrayList<>(machine);
    words.addAll(List.of("-serial", "mon:stdio"));
    if (guestAgent) {
      words.addAll(List.of("-chardev", "null,id=" + AgentPort.ID));
      words.addAll(List.of("-chardev", "null,id=" + AgentPrograms.ID));
    }
    return words.stream().map(QemuCommandLine::quoted).collect(Collectors.joining(" "));
  }

  private static void addMonitor(
      List<String> words, String id, String mode, String characterDevice) {
    words.addAll(List.of("-chardev", characterDevice));
    words.addAll(List.of("-mon", "chardev=" + id + ",mode=" + mode));
  }

  /** A character device that QEMU connects to a socket. */
  static String connected(String id, Path socket) {
    return "socket,id=%s,path=%s,server=off".formatted(id, escaped(socket));
  }

  /** A character device at whose socket in the run directory people can join. */
  private static String listening(String id, RunDirectory directory) {
    String path = escaped(directory.socket(id));
    return "socket,id=%s,path=%s,server=on,wait=off".formatted(id, path);
  }

  static String netdev(NetworkCard card) {
    if (card.plug() instanceof Plug.Multicast multicast) {
      return "socket,id=%s,mcast=%s:%d,localaddr=%s"
          .formatted(
              card.id(),
              multicast.group().getAddress().getHostAddress(),
              multicast.group().getPort(),
              multicast.localAddress().getHostAddress());
    }
    Plug.Stream stream = (Plug.Stream) card.plug();
    return "stream,id=%s,server=off,addr.type=unix,addr.path=%s"
        .formatted(card.id(), escaped(stream.socket()));
  }

  private static long size(Path path) {
    try {
      return Files.size(path);
    } catch (IOException e) {
      throw new VmException("Cannot read the size of " + path, e);
    }
  }

  /** Within a value of an option QEMU takes two commas for one. */
  static String escaped(Object value) {
    return value.toString().replace(",", ",,");
  }

  private static String quoted(String word) {
    return NEEDS_NO_QUOTES.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
