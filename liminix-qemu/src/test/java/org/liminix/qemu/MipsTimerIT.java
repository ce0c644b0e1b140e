package org.liminix.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.primitives.Ints;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class MipsTimerIT {
  /** A turn of Count takes 26.8 seconds. */
  private static final Duration LESS_THAN_A_TURN = Duration.ofSeconds(20);

  /** Where the processor takes interrupts: MIPS32 PRA, 6.2.1. */
  private static final int ENTRY = 0x80000180;

  /**
   * Leaves Compare behind Count without an interrupt, as where QEMU has not noticed yet that the
   * time has come, and says "O". Interrupts come here, too: that of the timer goes on to {@link
   * #TICK}, behind what waits for it.
   */
  private static final int[] LATE = {
    0x3c08b800, //       lui   $t0, 0xb800
    0x350803f8, //       ori   $t0, $t0, 0x03f8    first serial port
    0x40096800, //       mfc0  $t1, $13            Cause
    0x3c0a4000, //       lui   $t2, 0x4000         TI
    0x012a4824, //       and   $t1, $t1, $t2
    0x1520001a, //       bne   $t1, $zero, tick
    0x3c090800, //       lui   $t1, 0x0800         DC
    0x40896800, //       mtc0  $t1, $13
    0x40094800, //       mfc0  $t1, $9             Count
    0x2529fc18, //       addiu $t1, $t1, -1000
    0x40895800, //       mtc0  $t1, $11            Compare
    0x40806800, //       mtc0  $zero, $13
    0x240a004f, //       addiu $t2, $zero, 'O'
    0xa10a0000, //       sb    $t2, 0($t0)
    0x3c0b1234, //       lui   $t3, 0x1234
  };

  private static final int[] WAITING = {
    0x34098001, //       ori   $t1, $zero, 0x8001  IM7, IE
    0x40896000, //       mtc0  $t1, $12            Status
    0x42000020, // idle: wait
    0x1000fffe, //       b     idle
    0x00000000, //       nop
  };

  private static final int[] LOOPING_IN_USER_MODE = {
    0x40802800, //       mtc0  $zero, $5           PageMask: 4 KiB
    0x3c090040, //       lui   $t1, 0x0040
    0x40895000, //       mtc0  $t1, $10            EntryHi: 0x00400000
    0x2409001f, //       addiu $t1, $zero, 0x1f
    0x40891000, //       mtc0  $t1, $2             EntryLo0: the first page of memory
    0x24090001, //       addiu $t1, $zero, 1
    0x40891800, //       mtc0  $t1, $3             EntryLo1: none
    0x40800000, //       mtc0  $zero, $0           Index
    0x42000002, //       tlbwi
    0x3c090040, //       lui   $t1, 0x0040
    0x352901f8, //       ori   $t1, $t1, user
    0x40897000, //       mtc0  $t1, $14            EPC
    0x34098013, //       ori   $t1, $zero, 0x8013  IM7, user mode, EXL, IE
    0x40896000, //       mtc0  $t1, $12            Status
    0x42000018, //       eret
    0x1000ffff, // user: b     user
    0x00000000, //       nop
  };

  /** Says "T" if the registers are what they were. */
  private static final int[] TICK = {
    0x3c091234, // tick: lui   $t1, 0x1234
    0x152b0005, //       bne   $t1, $t3, lost
    0x240a0054, //       addiu $t2, $zero, 'T'
    0xa10a0000, //       sb    $t2, 0($t0)
    0x40095800, //       mfc0  $t1, $11
    0x40895800, //       mtc0  $t1, $11
    0x42000018, //       eret
    0x240a0058, // lost: addiu $t2, $zero, 'X'
    0x1000fffa, //       b     two instructions after tick
    0x00000000, //       nop
  };

  private static int[] late(boolean user) {
    int[] rest = user ? LOOPING_IN_USER_MODE : WAITING;
    return Ints.concat(LATE, Arrays.copyOf(rest, LOOPING_IN_USER_MODE.length), TICK);
  }

  /** The start of a page less one instruction, after which QEMU may stop. */
  private static final int END_OF_PAGE = 0x80100ffc;

  /** A loop with its branch at the end of a page and its delay slot on the next. */
  private static final int[] SPLIT = {
    0x1000ffff, // loop: b     loop
    0x25290001, //       addiu $t1, $t1, 1
    0x3c08b800, //       lui   $t0, 0xb800
    0x350803f8, //       ori   $t0, $t0, 0x03f8
    0x240a0058, //       addiu $t2, $zero, 'X'
    0xa10a0000, //       sb    $t2, 0($t0)
    0x1000fffb, //       b     two instructions after loop
    0x00000000, //       nop
  };

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"false, false", "false, true", "true, false", "true, true"})
  void ticksAfterARestoreThoughItsTimeHadComeBefore(boolean bigEndian, boolean user)
      throws IOException {
    try (Vm vm = TinyGuest.boots(directory, bigEndian, ENTRY, late(user)).start()) {
      vm.console().expect("O");
      vm.snapshot("late");
      vm.restore("late");
      vm.console().expect("T", LESS_THAN_A_TURN);
      vm.restore("late");
      vm.console().expect("T", LESS_THAN_A_TURN);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void goesOnBetweenABranchAndItsDelaySlot(boolean bigEndian) throws IOException {
    try (Vm vm = TinyGuest.boots(directory, bigEndian, END_OF_PAGE, SPLIT).start()) {
      for (int round = 0; round < 20; round++) {
        vm.snapshot("anywhere" + round);
        vm.restore("anywhere" + round);
      }
      assertThat(vm.console().expectQuiet(Duration.ofMillis(100))).isEmpty();
    }
  }
}
