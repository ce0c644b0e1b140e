package org.liminix.qemu;

import java.io.IOException;
import org.liminix.process.RunDirectory;

/**
 * Sets the timer of a restored MIPS processor going again.
 *
 * <p>QEMU's state of a MIPS has the registers Count and Compare but not the timer that compares
 * them (target/mips/sysemu/machine.c, cp0_timer.c): it is armed when the guest writes either, and a
 * restored guest that waits for the next tick never does. A guest saved while its tick was stopped
 * wakes by other interrupts, which is why some do.
 *
 * <p>Stopping and starting the count, by the bit DC of Cause (MIPS32 PRA, 9.20), arms the timer for
 * the moment when Count reaches Compare. For a guest that was saved between that moment and QEMU's
 * noticing it, this is a whole turn of Count away, 27 seconds of a Malta. It is told by Compare
 * behind Count and no timer interrupt pending, and is given a Compare that comes soon. The stub for
 * debuggers does not know these two registers: the processor is made to execute a few instructions
 * that do, while its count is stopped, and then has everything else back as it was.
 */
final class MipsTimer {
  // In the debugger's order (gdb, mips_regnum).
  private static final int K0 = 26;
  private static final int K1 = 27;
  private static final int STATUS = 32;
  private static final int CAUSE = 36;
  private static final int PC = 37;

  /** Status: interrupts enabled, of them the first of software; MIPS32 PRA, 9.19. */
  private static final int IE_IM0 = 1 | 1 << 8;

  /** Status: all else of interrupts (IM), exceptions (ERL, EXL) and modes (KSU). */
  private static final int INTERRUPTS_AND_MODES = 0xff00 | 0x1f;

  private static final int IP0 = 1 << 8; // Cause
  private static final int DC = 1 << 27; // Cause
  private static final int TI = 1 << 30; // Cause

  /** In unmapped memory, where any MIPS can execute: MIPS32 PRA, 4.4. */
  private static final int CODE = 0x80000180;

  private static final int[] PROGRAM = {
    0x401a4800, // mfc0 $k0, $9    Count
    0x401b5800, // mfc0 $k1, $11   Compare
    0x409a5800, // mtc0 $k0, $11
  };

  /** In ticks of Count: 0.1 ms of a Malta. */
  private static final int SOON = 16_000;

  private final GdbStub stub;
  private final boolean bigEndian;

  private MipsTimer(GdbStub stub, boolean bigEndian) {
    this.stub = stub;
    this.bigEndian = bigEndian;
  }

  /** To be called while the machine is stopped; it still is afterwards. */
  static void rearm(Qmp qmp, RunDirectory directory, boolean bigEndian) {
    try (GdbStub stub = GdbStub.open(qmp, directory)) {
      new MipsTimer(stub, bigEndian).rearm();
    } catch (IOException e) {
      throw new VmException("Cannot set the timer of the restored processor going: " + e, e);
    }
  }

  private void rearm() throws IOException {
    String registers = stub.registers();
    int cause = get(registers, CAUSE);
    if ((cause & DC) != 0) {
      return; // the guest has stopped its count
    }
    // In kernel mode, without which neither the stub nor the processor reach unmapped memory. A
    // processor that waits for an interrupt steps only when it has one.
    int status = (get(registers, STATUS) & ~INTERRUPTS_AND_MODES) | IE_IM0;
    String ready = set(set(registers, STATUS, status), PC, CODE);
    stub.setRegisters(set(ready, CAUSE, cause | DC | IP0));
    if ((cause & TI) == 0) {
      String memory = stub.memory(CODE, PROGRAM.length * Integer.BYTES);
      compare();
      stub.setMemory(CODE, memory);
    }
    stub.setRegisters(registers);
  }

  private void compare() throws IOException {
    StringBuilder program = new StringBuilder();
    for (int instruction : PROGRAM) {
      program.append(hex(instruction));
    }
    stub.setMemory(CODE, program.toString());
    stub.step();
    stub.step();
    String read = stub.registers();
    int count = get(read, K0);
    int left = get(read, K1) - count;
    if (left <= 0) {
      stub.setRegisters(set(read, K0, count + SOON));
      stub.step();
    }
  }

  private int get(String registers, int register) {
    int at = register * 2 * Integer.BYTES;
    return inOrder(Integer.parseUnsignedInt(registers.substring(at, at + 2 * Integer.BYTES), 16));
  }

  private String set(String registers, int register, int value) {
    int at = register * 2 * Integer.BYTES;
    return registers.substring(0, at) + hex(value) + registers.substring(at + 2 * Integer.BYTES);
  }

  private String hex(int value) {
    return "%08x".formatted(inOrder(value));
  }

  private int inOrder(int value) {
    return bigEndian ? value : Integer.reverseBytes(value);
  }
}
