package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.process.LiminixException;

/** A QEMU that KVM fails, which none does on demand: a script in its place, on another PATH. */
@Timeout(120)
class FailingKvmIT {
  private static final String QEMU = "qemu-system-x86_64";
  private static final Duration LONG = Duration.ofSeconds(60);

  /** The real one, without KVM: the firmware runs, finds nothing to boot and says nothing. */
  private static final String TRANSLATING =
      """
      for word; do
        shift
        case $word in kvm) word=tcg ;; host) word=max ;; esac
        set -- "$@" "$word"
      done
      PATH=${PATH#*:} exec %s "$@"
      """
          .formatted(QEMU);

  @TempDir Path directory;

  @BeforeEach
  void requireKvm() {
    Path device = Path.of("/dev/kvm");
    Assumptions.assumeTrue(
        Files.isReadable(device) && Files.isWritable(device),
        "there is no /dev/kvm that this user may use, so KVM cannot be asked for");
    Assumptions.assumeTrue(
        System.getProperty("os.arch", "").equals("amd64"), "the host is not an x86_64");
    LiveControlIT.assumeQemu(QEMU, "qemu-system-x86");
  }

  @Test
  void isNamedIfItKeepsQemuFromStarting() throws Exception {
    assertThat(saidWith("echo 'failed to initialize kvm: Operation not permitted' >&2\nexit 1\n"))
        .contains(
            "ended at once, with exit status 1",
            "failed to initialize kvm: Operation not permitted",
            "Its accelerator is KVM",
            "accelerator(TCG)");
  }

  @Test
  void isNamedIfQemuDiesLater() throws Exception {
    assertThat(saidWith("echo 'KVM internal error. Suberror: 1' >&2\n" + TRANSLATING, "killed"))
        .contains(
            "killed by signal 9",
            "KVM internal error. Suberror: 1",
            "Its accelerator is KVM",
            "accelerator(TCG)");
  }

  @Test
  void isNamedIfTheGuestStaysSilent() throws Exception {
    assertThat(saidWith(TRANSLATING)).contains("QEMU runs", "Its accelerator is KVM");
  }

  /** What a machine says of itself, whose QEMU is that script. */
  private String saidWith(String script, String... arguments)
      throws IOException, InterruptedException {
    Path program = Files.writeString(directory.resolve(QEMU), "#!/bin/sh\n" + script);
    Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
    Files.write(directory.resolve("disk"), new byte[1 << 20]);
    ProcessBuilder child =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("jdk.module.path", "")
                + File.pathSeparator
                + System.getProperty("java.class.path", "")
                + File.pathSeparator
                + "target/test-classes",
            KvmMain.class.getName(),
            directory.toString(),
            String.join(" ", arguments));
    child.environment().merge("PATH", directory.toString(), (path, own) -> own + ":" + path);
    Process process = child.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    try {
      return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  /** Starts a machine with KVM, kills its QEMU if it is told to, and prints what it is told. */
  public static final class KvmMain {
    private KvmMain() {}

    public static void main(String[] arguments) throws Exception {
      Path disk = Path.of(arguments[0]).resolve("disk");
      try (Vm vm = Vm.x86_64().disk(disk).memory(64).accelerator(Accelerator.KVM).start()) {
        boolean killed = arguments[1].equals("killed");
        if (killed) {
          ProcessHandle.of(vm.pid()).orElseThrow().destroyForcibly();
          vm.exit().get(LONG.toSeconds(), TimeUnit.SECONDS);
        }
        vm.console().expect("never", killed ? LONG : Duration.ofMillis(200));
      } catch (LiminixException e) {
        System.out.println(e.getMessage());
      }
      System.out.flush();
    }
  }
}
