package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.liminix.console.Console;

/** Debian's own U-Boot, from flash, with a disk image it reads. */
@Timeout(180)
class UBootIT {
  private static final Duration LONG = Duration.ofSeconds(90);
  private static final int SECTOR = 512;

  @TempDir Path directory;

  enum Board {
    ARM("qemu_arm", Vm::arm, "qemu-system-arm"),
    AARCH64("qemu_arm64", Vm::aarch64, "qemu-system-aarch64");

    private final Path uBoot;

    @SuppressWarnings("ImmutableEnumChecker") // a method reference
    private final Supplier<VmBuilder> machine;

    private final String program;

    Board(String directory, Supplier<VmBuilder> machine, String program) {
      this.uBoot = Path.of("/usr/lib/u-boot", directory, "u-boot.bin");
      this.machine = machine;
      this.program = program;
    }
  }

  @ParameterizedTest
  @EnumSource(Board.class)
  void bootsFromFlashAndReadsItsDisk(Board board) throws IOException {
    assumeUBoot(board.uBoot);
    LiveControlIT.assumeQemu(board.program, "qemu-system-arm");
    byte[] content = contentOfDisk();
    Path disk = Files.write(directory.resolve("disk"), content);

    try (Vm vm =
        board.machine.get().uBoot(board.uBoot).disk(disk).accelerator(Accelerator.TCG).start()) {
      vm.console().expect("Hit any key to stop autoboot", LONG);
      vm.console().send("\n");
      vm.console().expect("=> ", LONG);
      vm.console().sendLine("virtio scan");
      vm.console().expect("=> ", LONG);
      vm.console().sendLine("virtio read 41000000 1 1");
      vm.console().expect("OK", LONG);
      vm.console().sendLine("md.b 41000000 14");
      vm.console().expect("written on the d", LONG);
    }
    assertThat(Files.readAllBytes(disk)).isEqualTo(content);
  }

  /**
   * U-Boot 2023.01 as Debian builds it probes the IDE controller before it looks for drives, finds
   * none to make a block device of, and does not probe again: "ide read" cannot work. That the disk
   * is where U-Boot looks for it is seen by asking the drive by hand what it is (ATA-6, 8.15), at
   * the ports of the primary channel, in PCI I/O space at 0xb8000000.
   */
  @Test
  void givesAMaltaADiskThatItsUBootCanReach() throws IOException {
    Path uBoot = Path.of("/usr/lib/u-boot/maltael/u-boot.bin");
    assumeUBoot(uBoot);
    LiveControlIT.assumeQemu("qemu-system-mipsel", "qemu-system-mips");
    Path disk = Files.write(directory.resolve("disk"), contentOfDisk());
    try (Vm vm = Vm.mipsel().uBoot(uBoot).disk(disk).accelerator(Accelerator.TCG).start()) {
      Console console = vm.console();
      console.expect("maltael # ", LONG);
      String[] registers = {"f6 e0", "f7 ec"}; // the first drive, to identify itself
      for (String register : registers) {
        console.sendLine("mw.b b80001" + register);
        console.expect("maltael # ", LONG);
      }
      for (String word : new String[] {"0040", "0002", "0000", "0010"}) { // a disk, 2 cylinders
        console.sendLine("md.w b80001f0 1");
        console.expect("b80001f0: " + word, LONG);
        console.expect("maltael # ", LONG);
      }
    }
  }

  private static byte[] contentOfDisk() {
    byte[] content = new byte[1 << 20];
    byte[] words = "written on the disk".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(words, 0, content, SECTOR, words.length);
    return content;
  }

  private static void assumeUBoot(Path file) {
    Assumptions.assumeTrue(Files.exists(file), file + " is missing: apt-get install u-boot-qemu");
  }

  @Test
  void padsAMaltasFlashAndSwapsTheWordsOfALittleEndianOne() throws IOException {
    Path code = Files.write(directory.resolve("u-boot.bin"), new byte[] {1, 2, 3, 4, 5, 6});
    Path big = directory.resolve("big");
    Path little = directory.resolve("little");
    MaltaFlash.write(code, true, big);
    MaltaFlash.write(code, false, little);
    assertThat(Arrays.copyOf(Files.readAllBytes(big), 9))
        .containsExactly(1, 2, 3, 4, 5, 6, 0xff, 0xff, 0xff);
    assertThat(Arrays.copyOf(Files.readAllBytes(little), 9))
        .containsExactly(4, 3, 2, 1, 0xff, 0xff, 6, 5, 0xff);
    assertThat(big).hasSize(4 << 20);
  }
}
