package org.liminix.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The content of a Malta's flash as QEMU wants it (hw/mips/malta.c): 4 MiB, and in the byte order
 * of the big-endian board, so that the little-endian one needs every 32-bit word swapped.
 */
final class MaltaFlash {
  static final int BYTES = 4 << 20;

  private MaltaFlash() {}

  /** Writes the flash that boots this U-Boot; what U-Boot leaves free is erased. */
  static void write(Path uBoot, boolean bigEndian, Path flash) throws IOException {
    byte[] code = Files.readAllBytes(uBoot);
    if (code.length > BYTES) {
      throw new VmException(
          "%s has %d bytes and a Malta's flash %d: give the u-boot.bin that is built for it"
              .formatted(uBoot, code.length, BYTES));
    }
    byte[] content = Arrays.copyOf(code, BYTES);
    Arrays.fill(content, code.length, BYTES, (byte) 0xff);
    if (!bigEndian) {
      for (int i = 0; i < BYTES; i += Integer.BYTES) {
        swap(content, i, i + 3);
        swap(content, i + 1, i + 2);
      }
    }
    Files.write(flash, content);
  }

  private static void swap(byte[] bytes, int one, int other) {
    byte kept = bytes[one];
    bytes[one] = bytes[other];
    bytes[other] = kept;
  }
}
