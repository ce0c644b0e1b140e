package org.liminix.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.liminix.process.Executable;

/**
 * A guest of 14 instructions for tests that need a machine but no operating system: it says "OK" on
 * the Malta's first serial port and then echoes what it is sent.
 */
final class TinyGuest {
  /** PCI I/O, where port 0x3f8 is the first UART, uncached: Malta User's Manual, memory map. */
  private static final int[] PROGRAM = {
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

  /** Writes it as an ELF file for that machine and describes a machine that boots it. */
  static VmBuilder boots(Path directory, boolean bigEndian) throws IOException {
    Assumptions.assumeTrue(
        Executable.named("qemu-system-mips").lookUp().isPresent(),
        "QEMU is missing: apt-get install qemu-system-mips");
    ByteBuffer elf =
        ByteBuffer.allocate(HEADERS + PROGRAM.length * Integer.BYTES)
            .order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    // ELF header, System V ABI 4.1: 32 bits, executable, MIPS, one program header.
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 1, (byte) (bigEndian ? 2 : 1), 1}).position(16);
    elf.putShort((short) 2).putShort((short) 8).putInt(1).putInt(ENTRY).putInt(52).putInt(0);
    elf.putInt(0x70001000).putShort((short) 52).putShort((short) 32).putShort((short) 1);
    elf.position(52);
    int bytes = PROGRAM.length * Integer.BYTES;
    elf.putInt(1).putInt(HEADERS).putInt(ENTRY).putInt(ENTRY);
    elf.putInt(bytes).putInt(bytes).putInt(5).putInt(4);
    for (int instruction : PROGRAM) {
      elf.putInt(instruction);
    }
    Path kernel = directory.resolve("tiny.elf");
    Files.write(kernel, elf.array());
    return (bigEndian ? Vm.mips() : Vm.mipsel()).kernel(kernel);
  }
}
