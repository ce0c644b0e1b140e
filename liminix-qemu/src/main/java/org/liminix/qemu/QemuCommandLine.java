package org.liminix.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.liminix.net.MacAddress;
import org.liminix.net.Plug;
import org.liminix.process.RunDirectory;

/** The words that start a QEMU, from the QEMU manual's "Invocation". */
final class QemuCommandLine {
  private static final Pattern NEEDS_NO_QUOTES = Pattern.compile("[A-Za-z0-9_@%+=:,./-]+");

  private final List<String> machine = new ArrayList<>();

  /** A network card: where it is plugged, and its address. */
  record NetworkCard(String id, Plug plug, MacAddress address) {}

  QemuCommandLine(Path program, VmSpec spec, List<NetworkCard> cards) {
    Machine profile = spec.machine();
    long rootfsBytes = spec.rootfs().map(QemuCommandLine::size).orElse(0L);
    Machine.Memory memory = profile.memory(spec.mebibytes(), rootfsBytes);

    add(program.toString());
    add("-name", escaped(spec.name()));
    // Without -vga none a Malta gets its Cirrus, which costs a quarter of a second of every start.
    add("-nodefaults", "-no-user-config", "-display", "none", "-vga", "none");
    add("-accel", "tcg", "-M", "malta", "-m", Integer.toString(memory.mebibytes()));
    add("-kernel", spec.kernel().toString());
    spec.initrd().ifPresent(path -> add("-initrd", path.toString()));
    spec.rootfs().ifPresent(path -> add("-device", memory.loader(escaped(path))));
    List<String> kernelArguments = new ArrayList<>();
    kernelArguments.add("console=ttyS0");
    kernelArguments.addAll(memory.kernelArguments());
    kernelArguments.addAll(spec.kernelArguments());
    add("-append", String.join(" ", kernelArguments));
    for (NetworkCard card : cards) {
      add("-netdev", netdev(card));
      add("-device", networkDevice(profile, card));
    }
    machine.addAll(spec.qemuArguments());
  }

  /** Without its boot ROM, which only firmware that boots from the network would run. */
  private static String networkDevice(Machine profile, NetworkCard card) {
    return profile.networkDevice()
        + ",netdev="
        + card.id()
        + ",mac="
        + card.address()
        + ",romfile=";
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
    addMonitor(words, "control", "control", connectTo(controlSocket));
    addMonitor(words, "qmp", "control", listenAt(directory.socket("qmp")));
    addMonitor(words, "monitor", "readline", listenAt(directory.socket("monitor")));
    words.addAll(List.of("-chardev", "socket,id=console," + connectTo(consoleSocket)));
    words.addAll(List.of("-serial", "chardev:console"));
    return words;
  }

  /** What starts the machine in a terminal, quoted for a POSIX shell. */
  String interactive() {
    List<String> words = new ArrayList<>(machine);
    words.addAll(List.of("-serial", "mon:stdio"));
    return words.stream().map(QemuCommandLine::quoted).collect(Collectors.joining(" "));
  }

  private static void addMonitor(List<String> words, String id, String mode, String socket) {
    words.addAll(List.of("-chardev", "socket,id=" + id + "," + socket));
    words.addAll(List.of("-mon", "chardev=" + id + ",mode=" + mode));
  }

  private static String connectTo(Path socket) {
    return "path=" + escaped(socket) + ",server=off";
  }

  private static String listenAt(Path socket) {
    return "path=" + escaped(socket) + ",server=on,wait=off";
  }

  private static String netdev(NetworkCard card) {
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
  private static String escaped(Object value) {
    return value.toString().replace(",", ",,");
  }

  private static String quoted(String word) {
    return NEEDS_NO_QUOTES.matcher(word).matches() ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
