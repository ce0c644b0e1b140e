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

/** Debian's own U-Boot, from flash, with a disk image it reads. */
@Timeout(180)
class UBootIT {
  private static final Duration LONG = Duration.ofSeconds(90);
  private static final int SECTOR = 512;

  @TempDir Path directory;

  enum Board {
    MALTA("maltael", Vm::mipsel, "qemu-system-mipsel", "qemu-system-mips", "ide read", 0x81000000L),
    ARM("qemu_arm", Vm::arm, "qemu-system-arm", "qemu-system-arm", "virtio read", 0x41000000L),
    AARCH64(
        "qemu_arm64",
        Vm::aarch64,
        "qemu-system-aarch64",
        "qemu-system-arm",
        "virtio read",
        0x41000000L);

    private final Path uBoot;

    @SuppressWarnings("ImmutableEnumChecker") // a method reference
    private final Supplier<VmBuilder> machine;

    private final String program;
    private final String debianPackage;
    private final String read;
    private final String prompt;
    private final String address;

    Board(
        String directory,
        Supplier<VmBuilder> machine,
        String program,
        String debianPackage,
        String read,
        long address) {
      this.uBoot = Path.of("/usr/lib/u-boot", directory, "u-boot.bin");
      this.machine = machine;
      this.program = program;
      this.debianPackage = debianPackage;
      this.read = read;
      this.prompt = directory.equals("maltael") ? "maltael # " : "=> ";
      this.address = Long.toHexString(address);
    }
  }

  @ParameterizedTest
  @EnumSource(Board.class)
  void bootsFromFlashAndReadsItsDisk(Board board) throws IOException {
    Assumptions.assumeTrue(
        Files.exists(board.uBoot), "U-Boot is missing: apt-get install u-boot-qemu");
    LiveControlIT.assumeQemu(board.program, board.debianPackage);
    byte[] content = new byte[1 << 20];
    byte[] words = "written on the disk".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(words, 0, content, SECTOR, words.length);
    Path disk = Files.write(directory.resolve("disk"), content);

    try (Vm vm =
        board.machine.get().uBoot(board.uBoot).disk(disk).accelerator(Accelerator.TCG).start()) {
      if (board == Board.MALTA) {
        // Debian's build for the Malta leaves the PCI bars of its IDE alone and so finds no disk.
        vm.console().expect("Flash: 4 MiB", LONG);
        vm.console().expect(board.prompt, LONG);
        vm.console().sendLine("md.l be000000 1");
        vm.console().expect("be000000: ", LONG);
        return;
      } else {
        vm.console().expect("Hit any key to stop autoboot", LONG);
        vm.console().send("\n");
        vm.console().expect(board.prompt, LONG);
      }
      if (board.read.startsWith("virtio")) {
        vm.console().sendLine("virtio scan");
        vm.console().expect(board.prompt, LONG);
      }
      vm.console().sendLine(board.read + " " + board.address + " 1 1");
      vm.console().expect("OK", LONG);
      vm.console().sendLine("md.b " + board.address + " 14");
      vm.console().expect("written on the d", LONG);
    }
    assertThat(Files.readAllBytes(disk)).isEqualTo(content);
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
