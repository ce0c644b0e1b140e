package org.liminix.testkit.internal;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Minimal ELF files with a {@code .modinfo} section, as the kernel's modules have. */
final class Elfs {
  private Elfs() {}

  /** A little-endian 32-bit module, as for mipsel and armhf. */
  static byte[] module(String... modinfo) {
    return module(false, ByteOrder.LITTLE_ENDIAN, modinfo);
  }

  static byte[] module(boolean wide, ByteOrder order, String... modinfo) {
    byte[] info = (String.join("\0", modinfo) + "\0").getBytes(StandardCharsets.UTF_8);
    byte[] names = "\0.modinfo\0.shstrtab\0".getBytes(StandardCharsets.UTF_8);
    int header = wide ? 64 : 52;
    int entry = wide ? 64 : 40;
    int sections = header + info.length + names.length;
    ByteBuffer elf = ByteBuffer.allocate(sections + 3 * entry).order(order);
    elf.put(new byte[] {0x7f, 'E', 'L', 'F'});
    elf.put((byte) (wide ? 2 : 1)).put((byte) (order == ByteOrder.LITTLE_ENDIAN ? 1 : 2));
    if (wide) {
      elf.putLong(40, sections);
    } else {
      elf.putInt(32, sections);
    }
    elf.putShort(wide ? 58 : 46, (short) entry);
    elf.putShort(wide ? 60 : 48, (short) 3);
    elf.putShort(wide ? 62 : 50, (short) 2);
    elf.position(header).put(info).put(names);
    section(elf, wide, sections + entry, 1, header, info.length);
    section(elf, wide, sections + 2 * entry, 10, header + info.length, names.length);
    return elf.array();
  }

  private static void section(
      ByteBuffer elf, boolean wide, int at, int name, int offset, int size) {
    int progbits = 1;
    elf.putInt(at, name).putInt(at + 4, progbits);
    if (wide) {
      elf.putLong(at + 24, offset).putLong(at + 32, size);
    } else {
      elf.putInt(at + 16, offset).putInt(at + 20, size);
    }
  }

  /** What a busybox binary looks like to somebody who searches it for its applets. */
  static byte[] busybox(String... applets) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes("some code\0[\0[[\0".getBytes(StandardCharsets.US_ASCII));
    for (String applet : applets) {
      out.writeBytes((applet + "\0").getBytes(StandardCharsets.US_ASCII));
    }
    out.writeBytes("\0more code".getBytes(StandardCharsets.US_ASCII));
    return out.toByteArray();
  }
}
