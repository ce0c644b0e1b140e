package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.liminix.net.Network.ACCESS;
import static org.liminix.net.Network.LAN;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.liminix.net.Network;
import org.liminix.net.Plug;
import org.liminix.net.Segments;
import org.liminix.process.RunDirectory;
import org.liminix.test.ChildJvm;

class BootedKeyTest {
  @TempDir static Path directory;

  private static Path file(String content) {
    try {
      return Files.writeString(directory.resolve(content), content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeEach
  void makeFiles() {
    for (String name : new String[] {"program", "kernel", "initrd", "rootfs", "disk"}) {
      file(name);
    }
  }

  private static VmBuilder machine() {
    return Vm.x86_64()
        .accelerator(Accelerator.TCG)
        .kernel(directory.resolve("kernel"))
        .initrd(directory.resolve("initrd"))
        .rootfs(directory.resolve("rootfs"))
        .disk(directory.resolve("disk"));
  }

  private static String key(VmBuilder builder, ReadyAction ready) throws IOException {
    VmSpec spec = builder.bootedOnce(ready).spec();
    RunDirectory run = RunDirectory.at(directory.resolve("run"));
    List<QemuCommandLine.NetworkCard> cards = new ArrayList<>();
    try (Segments segments = Segments.isolated()) {
      for (Network network : spec.networks()) {
        Plug plug = segments.get(network).plug("machine", run.socket("net" + cards.size()));
        cards.add(
            new QemuCommandLine.NetworkCard(
                "net" + cards.size(), plug, VmStarter.stableAddress(spec.name(), cards.size())));
      }
      QemuCommandLine commandLine =
          new QemuCommandLine(
              directory.resolve("program"),
              spec,
              spec.acceleration().accelerator(),
              cards,
              new QemuCommandLine.Drives(Optional.empty(), List.of(run.file("disk0.qcow2"))));
      return BootedKey.of(
          directory.resolve("program"), commandLine.withoutPlaces(run), spec, ready);
    }
  }

  private static final ReadyAction READY = new Named("ready");

  @Test
  void isTheSameForTheSame() throws IOException {
    assertThat(key(machine().network(LAN), READY)).isEqualTo(key(machine().network(LAN), READY));
  }

  static Stream<UnaryOperator<VmBuilder>> options() {
    return Stream.of(
        machine -> machine.name("other"),
        machine -> machine.memory(128),
        machine -> machine.commandLine("quiet"),
        machine -> machine.network(LAN),
        machine -> machine.network(LAN, ACCESS),
        machine -> machine.network(LAN).linksDown(LAN),
        machine -> machine.disk(file("second disk")),
        machine -> machine.usb(),
        machine -> machine.display(),
        machine -> machine.hotplug(1),
        machine -> machine.hotplug(2),
        machine -> machine.qemuArgument("-rtc", "base=utc"));
  }

  @Test
  void changesWithEveryOption() throws IOException {
    List<String> keys = new ArrayList<>();
    keys.add(key(machine(), READY));
    for (UnaryOperator<VmBuilder> option : options().toList()) {
      keys.add(key(option.apply(machine()), READY));
    }
    assertThat(keys).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @MethodSource("files")
  void changesWithTheContentOfEveryFile(String name) throws IOException {
    String before = key(machine(), READY);
    Files.writeString(directory.resolve(name), "something else");
    assertThat(key(machine(), READY)).isNotEqualTo(before);
  }

  static Stream<String> files() {
    return Stream.of("program", "kernel", "initrd", "rootfs", "disk");
  }

  @Test
  void changesWithThePlaceOfADiskWhichItsOverlayNames() throws IOException {
    Path other = Files.writeString(directory.resolve("moved"), "disk");
    VmBuilder moved =
        Vm.x86_64()
            .accelerator(Accelerator.TCG)
            .kernel(directory.resolve("kernel"))
            .initrd(directory.resolve("initrd"))
            .rootfs(directory.resolve("rootfs"))
            .disk(other);
    assertThat(key(moved, READY)).isNotEqualTo(key(machine(), READY));
  }

  @Test
  void tellsActionsOfTheSameClassApart() throws IOException {
    ReadyAction one = vm -> vm.shell().run("echo one");
    ReadyAction other = vm -> vm.shell().run("echo other");
    assertThat(key(machine(), one)).isNotEqualTo(key(machine(), other));
    assertThat(key(machine(), one)).isEqualTo(key(machine(), one));
    assertThat(key(machine(), Vm::pause)).isNotEqualTo(key(machine(), Vm::reset));
  }

  @Test
  void tellsActionsApartByTheValuesTheyCapture() throws IOException {
    assertThat(key(machine(), running("echo one"))).isNotEqualTo(key(machine(), running("two")));
    assertThat(key(machine(), running("echo one"))).isEqualTo(key(machine(), running("echo one")));
  }

  private static ReadyAction running(String command) {
    return vm -> vm.shell().run(command);
  }

  @Test
  void doesNotDependOnObjectsThatAnActionCaptures() throws IOException {
    assertThat(key(machine(), addingTo(new ArrayList<>())))
        .isEqualTo(key(machine(), addingTo(new ArrayList<>(List.of("something")))));
  }

  private static ReadyAction addingTo(List<String> names) {
    return vm -> names.add(vm.name());
  }

  @Test
  void takesActionsThatAreNoLambdas() throws IOException {
    assertThat(key(machine(), new Named("one"))).isEqualTo(key(machine(), new Named("one")));
    assertThat(key(machine(), new Named("one"))).isNotEqualTo(key(machine(), vm -> {}));
  }

  private record Named(String name) implements ReadyAction {
    @Override
    public void accept(Vm vm) {
      vm.shell().run(name);
    }
  }

  @Test
  void isTheSameInEveryProcessAndChangesWithTheLibrary() throws Exception {
    Path library = directory.resolve("library");
    Path classes = Path.of(Vm.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    assertThat(classes).isDirectory(); // as surefire has it
    try (Stream<Path> files = Files.walk(classes)) {
      for (Path from : files.toList()) {
        Files.copy(from, library.resolve(classes.relativize(from).toString()));
      }
    }
    String unchanged = keyIn(ChildJvm.classPath());
    assertThat(keyIn(ChildJvm.classPath())).isEqualTo(unchanged);
    String copied = library + File.pathSeparator + ChildJvm.classPath();
    assertThat(keyIn(copied)).isEqualTo(unchanged);
    Files.writeString(library.resolve("changed"), "changed");
    assertThat(keyIn(copied)).isNotEqualTo(unchanged);
  }

  private static String keyIn(String classPath) throws Exception {
    try (ChildJvm jvm =
        ChildJvm.run(List.of("-cp", classPath), Map.of(), KeyMain.class, directory.toString())) {
      return jvm.line();
    }
  }

  /** Prints the key of a machine. */
  public static final class KeyMain {
    private KeyMain() {}

    public static void main(String[] arguments) throws IOException {
      directory = Path.of(arguments[0]);
      System.out.println(key(machine(), READY));
    }
  }
}
