package org.liminix.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.liminix.process.Executable;

/** Guests of a few instructions, for tests that need a Malta but no operating system. */
final class TinyGuest {
  /**
   * Says "OK" on the first serial port and then echoes what it is sent.
   *
   * <p>PCI I/O, where port 0x3f8 is the first UART, uncached: Malta User's Manual, memory map.
   */
  private static final int[] ECHO = {
    0x3c08b800, //       lui   $t0, 0xb800
    0x350803f8, //       ori   $t0, $t0, 0x03f8
    0x2409004f, //       addiu $t1, $zero, 'O'
    0xa1090000, //       sb    $t1, 0($t0)
    0x2409004b, //       addiu $t1, $zero, 'K'
    0xa1090000, //       sb    $t1, 0($t0)
    0x2409000a, //       addiu $t1, $zero, '\n'
    0xa1090000, //       sb    $t1, 0($t0)
    0x91090005, // loop: lbu   $t1, 5($t0)   line status
    0x31290001, //       andi  $t1, $t1, 1   data ready
    0x1120fffd, //       beq   $t1, $zero, loop
    0x00000000, //       nop
    0x91090000, //       lbu   $t1, 0($t0)
    0xa1090000, //       sb    $t1, 0($t0)
    0x1000fff9, //       b     loop
    0x00000000, //       nop
  };

  private static final int ENTRY = 0x80100000;
  private static final int HEADERS = 52 + 32;

  private TinyGuest() {}

  /** Describes a machine that says "OK" and echoes. Skips the test where there is no QEMU. */
  static VmBuilder boots(Path directory, boolean bigEndian) throws IOException {
    return boots(directory, bigEndian, ENTRY, ECHO);
  }

  /** Writes a program as an ELF file for that machine and describes a machine that boots it. */
  static VmBuilder boots(Path directory, boolean bigEndian, int entry, int... program)
      throws IOException {
    Assumptions.assumeTrue(
        Executable.named("qemu-system-mips").lookUp().isPresent(),
        "QEMU is missing: apt-get install qemu-system-mips");
    ByteBuffer elf =
        ByteBuffer.allocate(HEADERS + program.length * Integer.BYTES)
            .order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    // ELF header, System V ABI 4.1: 32 bits, executable, MIPS, one program header.
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 1, (byte) (bigEndian ? 2 : 1), 1}).position(16);
    elf.putShort((short) 2).putShort((short) 8).putInt(1).putInt(entry).putInt(52).putInt(0);
    elf.putInt(0x70001000).putShort((short) 52).putShort((short) 32).putShort((short) 1);
    elf.position(52);
    int bytes = program.length * Integer.BYTES;
    elf.putInt(1).putInt(HEADERS).putInt(entry).putInt(entry);
    elf.putInt(bytes).putInt(bytes).putInt(5).putInt(4);
    for (int instruction : program) {
      elf.putInt(instruction);
    }
    Path kernel = directory.resolve("tiny.elf");
    Files.write(kernel, elf.array());
    return (bigEndian ? Vm.mips() : Vm.mipsel()).kernel(kernel);
  }
}
