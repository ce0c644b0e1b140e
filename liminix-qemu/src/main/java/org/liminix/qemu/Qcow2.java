package org.liminix.qemu;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Writes empty disk images in QEMU's qcow2 format (docs/interop/qcow2.txt, version 3), which takes
 * a microsecond and no qemu-img.
 */
final class Qcow2 {
  private static final int MAGIC = 0x514649fb; // "QFI\xfb"
  private static final int CLUSTER_BITS = 16;
  private static final int CLUSTER = 1 << CLUSTER_BITS;
  private static final int HEADER_BYTES = 104;
  private static final int BACKING_FORMAT_EXTENSION = 0xe2792aca;
  private static final long BYTES_PER_L1_ENTRY = (long) CLUSTER * (CLUSTER / Long.BYTES);

  private Qcow2() {}

  /** Whether the file is an image of this format; what is not, QEMU is told to read as it is. */
  static String formatOf(Path image) throws IOException {
    ByteBuffer start = ByteBuffer.allocate(24);
    try (FileChannel channel = FileChannel.open(image)) {
      while (start.hasRemaining() && channel.read(start) >= 0) {
        // a short file is none of ours
      }
    }
    return start.position() == 24 && start.getInt(0) == MAGIC ? "qcow2" : "raw";
  }

  /** How large the disk is that the image holds. */
  static long virtualSize(Path image) throws IOException {
    if (formatOf(image).equals("raw")) {
      return Files.size(image);
    }
    ByteBuffer size = ByteBuffer.allocate(Long.BYTES);
    try (FileChannel channel = FileChannel.open(image)) {
      while (size.hasRemaining() && channel.read(size, 24L + size.position()) >= 0) {
        // the magic number was there, so is this
      }
    }
    return size.getLong(0);
  }

  /** Makes an image that holds what is written to it and otherwise shows another one. */
  static void overlay(Path image, Path backing) throws IOException {
    Path absolute = backing.toAbsolutePath().normalize();
    // Not a whole sector at the end, and QEMU would round down.
    long size = (virtualSize(absolute) + 511) / 512 * 512;
    write(image, size, absolute.toString(), formatOf(absolute));
  }

  /** Makes an image with nothing on it. */
  static void empty(Path image, long size) throws IOException {
    write(image, size, "", "");
  }

  private static void write(Path image, long size, String backing, String format)
      throws IOException {
    byte[] name = backing.getBytes(StandardCharsets.UTF_8);
    if (name.length > 1023) {
      throw new IOException(
          "The path of an image can have 1023 bytes, and " + backing + " has " + name.length);
    }
    int l1Entries = (int) ((size + BYTES_PER_L1_ENTRY - 1) / BYTES_PER_L1_ENTRY);
    int l1Clusters = Math.max(1, (l1Entries * Long.BYTES + CLUSTER - 1) / CLUSTER);
    // Clusters: the header, the refcount table, one refcount block, the L1 table.
    int clusters = 3 + l1Clusters;
    ByteBuffer out = ByteBuffer.allocate(clusters * CLUSTER);
    byte[] formatName = format.getBytes(StandardCharsets.US_ASCII);
    int extensions = format.isEmpty() ? 8 : 8 + 8 + 8;
    out.putInt(MAGIC).putInt(3);
    out.putLong(name.length == 0 ? 0 : HEADER_BYTES + extensions).putInt(name.length);
    out.putInt(CLUSTER_BITS).putLong(size).putInt(0);
    out.putInt(l1Entries).putLong(3L * CLUSTER);
    out.putLong(CLUSTER).putInt(1);
    out.putInt(0).putLong(0); // snapshots
    out.putLong(0).putLong(0).putLong(0); // features
    out.putInt(4).putInt(HEADER_BYTES); // refcounts of 1 << 4 bits
    if (!format.isEmpty()) {
      out.putInt(BACKING_FORMAT_EXTENSION).putInt(formatName.length);
      out.put(formatName).position(HEADER_BYTES + 16);
    }
    out.putLong(0).put(name);
    out.putLong(CLUSTER, 2L * CLUSTER); // the refcount table's only entry
    for (int cluster = 0; cluster < clusters; cluster++) {
      out.putShort(2 * CLUSTER + cluster * Short.BYTES, (short) 1);
    }
    try (FileChannel channel =
        FileChannel.open(image, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      out.position(0);
      while (out.hasRemaining()) {
        channel.write(out);
      }
    }
  }
}
