package org.liminix.testkit.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tukaani.xz.LZMA2Options;
import org.tukaani.xz.XZ;
import org.tukaani.xz.XZOutputStream;

class MipsKernelTest {
  private static final int WRAPPER = 0x80130000;

  // 0x2abcd bytes are three times 64 KiB when rounded up, so the kernel belongs at 0x80100000.
  private final byte[] kernel = new byte[0x2abcd];

  MipsKernelTest() {
    new Random(1).nextBytes(kernel);
  }

  private byte[] wrapper(ByteOrder order, int target) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (XZOutputStream xz = new XZOutputStream(packed, new LZMA2Options(0), XZ.CHECK_CRC32)) {
      xz.write(kernel);
    }
    ByteBuffer elf = ByteBuffer.allocate(128 + packed.size()).order(order);
    byte encoding = (byte) (order == ByteOrder.LITTLE_ENDIAN ? 1 : 2);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F', 1, encoding, 1});
    elf.putInt(24, WRAPPER).putInt(28, 52).putInt(36, 0x70001001);
    elf.putShort(42, (short) 32).putShort(44, (short) 1);
    elf.position(52);
    elf.putInt(1).putInt(96).putInt(WRAPPER).putInt(WRAPPER).putInt(elf.capacity() - 96);
    elf.position(96);
    // lui t9, …; ori t9, t9, …; jalr t9: first to the wrapper's own code, then to the kernel.
    for (int address : new int[] {WRAPPER + 0x1184, target}) {
      elf.putInt(0x3c190000 | address >>> 16).putInt(0x37390000 | (address & 0xffff));
      elf.putInt(0x0320f809);
    }
    elf.position(128);
    elf.put(packed.toByteArray());
    return elf.array();
  }

  @ParameterizedTest
  @ValueSource(strings = {"LITTLE_ENDIAN", "BIG_ENDIAN"})
  void unwrapsAKernelToWhereItBelongsWithItsEntry(String name) throws IOException {
    ByteOrder order = name.equals("BIG_ENDIAN") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;

    byte[] unwrapped = MipsKernel.unwrap(wrapper(order, 0x801274bc)).orElseThrow();

    ElfFile elf = ElfFile.parse(unwrapped);
    assertThat(elf.order()).isEqualTo(order);
    assertThat(elf.entry()).isEqualTo(0x801274bcL);
    ElfFile.Segment segment = elf.loadedSegment().orElseThrow();
    assertThat(segment.address()).isEqualTo(0x80100000L);
    assertThat(Arrays.copyOfRange(unwrapped, segment.offset(), segment.offset() + segment.size()))
        .isEqualTo(kernel);
  }

  @Test
  void leavesAloneWhatItDoesNotUnderstand() throws IOException {
    assertThat(MipsKernel.unwrap("a kernel".getBytes(StandardCharsets.UTF_8))).isEmpty();
    assertThat(MipsKernel.unwrap(Elfs.module("depends="))).isEmpty();
    int outside = 0x70000000;
    assertThat(MipsKernel.unwrap(wrapper(ByteOrder.LITTLE_ENDIAN, outside))).isEmpty();
  }
}
