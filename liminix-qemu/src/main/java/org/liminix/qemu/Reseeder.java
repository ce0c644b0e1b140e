package org.liminix.qemu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.HexFormat;

/**
 * A program for Linux guests of each kind that has the kernel draw its random numbers from its
 * entropy pool anew.
 *
 * <p>What is written to {@code /dev/urandom} goes to the pool, but the generator keeps its key for
 * up to a minute (Linux drivers/char/random.c, crng_has_old_seed), so that every restored guest
 * would get the same numbers at first. Only an ioctl replaces the key, and no shell has one. The
 * program calls {@code ioctl(0, RNDRESEEDCRNG)}, which Linux has since 4.14, and {@code exit(0)}.
 */
final class Reseeder {
  private static final int HEADERS_32 = 52 + 32;
  private static final int HEADERS_64 = 64 + 56;
  private static final int BASE = 0x40_0000;
  private static final int ALIGNMENT = 0x1_0000; // the largest page of any of them

  private static final short EXECUTABLE = 2;
  private static final int READ_EXECUTE = 5;

  private Reseeder() {}

  /** An ELF file. */
  static byte[] program(Machine machine) {
    return switch (machine) {
      // addiu v0,0,4054; addiu a0,0,0; lui a1,0x2000; ori a1,a1,0x5207; syscall;
      // addiu v0,0,4001; addiu a0,0,0; syscall
      case MIPS -> mips(ByteOrder.BIG_ENDIAN);
      case MIPSEL -> mips(ByteOrder.LITTLE_ENDIAN);
      // mov r0,#0; mov r1,#0x5200; orr r1,r1,#7; mov r7,#54; svc 0; mov r0,#0; mov r7,#1; svc 0
      case ARM ->
          elf32(
              ByteOrder.LITTLE_ENDIAN,
              40,
              0x0500_0000,
              0xe3a00000,
              0xe3a01c52,
              0xe3811007,
              0xe3a07036,
              0xef000000,
              0xe3a00000,
              0xe3a07001,
              0xef000000);
      // mov x0,#0; mov x1,#0x5207; mov x8,#29; svc 0; mov x0,#0; mov x8,#93; svc 0
      case AARCH64 -> elf64(183, "000080d2e1408ad2a80380d2010000d4000080d2a80b80d2010000d4");
      // xor edi,edi; mov esi,0x5207; mov eax,16; syscall; xor edi,edi; mov eax,60; syscall
      case X86_64, MICROVM -> elf64(62, "31ffbe07520000b8100000000f0531ffb83c0000000f05");
    };
  }

  private static byte[] mips(ByteOrder order) {
    return elf32(
        order,
        8,
        0x5000_1000,
        0x24020fd6,
        0x24040000,
        0x3c052000,
        0x34a55207,
        0x0000000c,
        0x24020fa1,
        0x24040000,
        0x0000000c);
  }

  /** System V ABI 4.1: a header, one program header, the code. */
  private static byte[] elf32(ByteOrder order, int machine, int flags, int... code) {
    int size = HEADERS_32 + code.length * Integer.BYTES;
    byte[] file = new byte[size];
    ByteBuffer elf = start(file, 1, order, machine);
    elf.putInt(BASE + HEADERS_32).putInt(52).putInt(0).putInt(flags);
    elf.putShort((short) 52).putShort((short) 32).putShort((short) 1).position(52);
    elf.putInt(1).putInt(0).putInt(BASE).putInt(BASE).putInt(size).putInt(size);
    elf.putInt(READ_EXECUTE).putInt(ALIGNMENT);
    for (int instruction : code) {
      elf.putInt(instruction);
    }
    return file;
  }

  private static byte[] elf64(int machine, String code) {
    byte[] instructions = HexFormat.of().parseHex(code);
    int size = HEADERS_64 + instructions.length;
    byte[] file = new byte[size];
    ByteBuffer elf = start(file, 2, ByteOrder.LITTLE_ENDIAN, machine);
    elf.putLong(BASE + HEADERS_64).putLong(64).putLong(0).putInt(0);
    elf.putShort((short) 64).putShort((short) 56).putShort((short) 1).position(64);
    elf.putInt(1).putInt(READ_EXECUTE).putLong(0).putLong(BASE).putLong(BASE);
    elf.putLong(size).putLong(size).putLong(ALIGNMENT);
    elf.put(instructions);
    return file;
  }

  private static ByteBuffer start(byte[] file, int bits, ByteOrder order, int machine) {
    ByteBuffer elf = ByteBuffer.wrap(file).order(order);
    boolean big = order == ByteOrder.BIG_ENDIAN;
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', (byte) bits, (byte) (big ? 2 : 1), 1}).position(16);
    return elf.putShort(EXECUTABLE).putShort((short) machine).putInt(1);
  }

  /** A line of shell that sets the guest's clock to this machine's and has it run the program. */
  static String script(Machine machine) {
    byte[] seed = new byte[32];
    new SecureRandom().nextBytes(seed);
    return """
        { date -u -s @%d; echo %s > /dev/urandom; \
        for f in /dev/.reseed /tmp/.reseed; do \
        printf '%s' > $f && chmod 700 $f && $f < /dev/urandom && break; done; r=$?; \
        rm -f /dev/.reseed /tmp/.reseed; } > /dev/null 2>&1; (exit $r)"""
        .formatted(
            Instant.now().getEpochSecond(),
            HexFormat.of().formatHex(seed),
            printfArgument(machine));
  }

  /** The same as the argument of a shell's printf. */
  private static String printfArgument(Machine machine) {
    StringBuilder octal = new StringBuilder();
    for (byte value : program(machine)) {
      octal.append('\\').append(Integer.toOctalString(value & 0xff)); // a backslash ends each
    }
    return octal.toString();
  }
}
