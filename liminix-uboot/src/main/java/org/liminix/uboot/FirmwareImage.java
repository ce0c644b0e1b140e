package org.liminix.uboot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.List;

/**
 * The {@code firmware.bin} of Liminix: a kernel image, then a root filesystem, each filled up with
 * zeros to whole erase blocks, so that Linux can split the flash partition where the kernel ends.
 *
 * <pre>{@code
 * FirmwareImage.of(
 *         ImageData.file(Path.of("uimage")), ImageData.file(Path.of("rootfs")), 0x10000)
 *     .write(Path.of("firmware.bin"));
 * }</pre>
 *
 * <p>Immutable and thread-safe. Rules: Liminix, outputs {@code firmware}, {@code mtdimage} and
 * {@code tftpboot}.
 */
public final class FirmwareImage {
  private static final int PAGE = 0x1000;
  private static final int LARGE_PAGE = 0x10000;
  private static final String FORMAT = "firmware.bin";

  private final ImageData kernel;
  private final ImageData rootfs;
  private final long eraseBlockSize;

  private FirmwareImage(ImageData kernel, ImageData rootfs, long eraseBlockSize) {
    this.kernel = kernel;
    this.rootfs = rootfs;
    this.eraseBlockSize = eraseBlockSize;
  }

  /** A firmware of two parts. */
  public static FirmwareImage of(ImageData kernel, ImageData rootfs, long eraseBlockSize) {
    if (eraseBlockSize <= 0) {
      throw new IllegalArgumentException("An erase block of " + eraseBlockSize + " bytes");
    }
    if (kernel.size() == 0 || rootfs.size() == 0) {
      throw new IllegalArgumentException(
          "The " + (kernel.size() == 0 ? "kernel" : "root filesystem") + " is empty");
    }
    return new FirmwareImage(kernel, rootfs, eraseBlockSize);
  }

  /** Reads a file, which is mapped, not copied. */
  public static FirmwareImage read(Path file, long eraseBlockSize) throws IOException {
    return parse(ImageData.map(file), eraseBlockSize);
  }

  /**
   * Takes a firmware apart. The length of the kernel is that of the uImage or FIT it is, and what
   * follows in whole erase blocks is the root filesystem with its padding.
   *
   * @throws ImageFormatException naming the field that is wrong
   */
  public static FirmwareImage parse(ByteBuffer image, long eraseBlockSize) {
    ImageData whole = ImageData.of(image);
    if (whole.size() < 4) {
      throw new ImageFormatException(FORMAT, "kernel", 0, "there are only " + whole);
    }
    int magic = image.slice().getInt(0);
    long kernelSize;
    if (magic == UImage.MAGIC) {
      kernelSize = UImage.parse(image).size();
    } else if (magic == FlattenedTree.MAGIC) {
      // External data cannot be told from a root filesystem, so Liminix embeds it.
      kernelSize = Fit.parse(image).tree().toImageData().size();
    } else {
      throw new ImageFormatException(
          FORMAT, "kernel", 0, "0x%08x begins neither a uImage nor a FIT".formatted(magic));
    }
    long rootfsAt = ImageData.roundUp(kernelSize, eraseBlockSize);
    if (rootfsAt >= whole.size()) {
      throw new ImageFormatException(
          FORMAT,
          "rootfs",
          rootfsAt,
          "the file of 0x%x bytes ends before its root filesystem; are erase blocks 0x%x bytes?"
              .formatted(whole.size(), eraseBlockSize));
    }
    return of(
        whole.slice(0, kernelSize), whole.slice(rootfsAt, whole.size() - rootfsAt), eraseBlockSize);
  }

  /**
   * The room that Liminix gives an image in memory: whole pages of 4 KiB, and one more where the
   * size is a multiple already.
   */
  public static long binsize(long size) {
    return size + PAGE & -PAGE;
  }

  /** As {@link #binsize}, in steps of 64 KiB: the size of a root filesystem in a phram device. */
  public static long binsize64k(long size) {
    return size + LARGE_PAGE & -LARGE_PAGE;
  }

  /** The kernel image, without padding. */
  public ImageData kernel() {
    return kernel;
  }

  /** The root filesystem; with its padding, if this was read. */
  public ImageData rootfs() {
    return rootfs;
  }

  /** Where the root filesystem begins. */
  public long rootfsOffset() {
    return ImageData.roundUp(kernel.size(), eraseBlockSize);
  }

  /** The size of an erase block in bytes. */
  public long eraseBlockSize() {
    return eraseBlockSize;
  }

  /** The length of the whole in bytes, a multiple of the erase block. */
  public long size() {
    return rootfsOffset() + ImageData.roundUp(rootfs.size(), eraseBlockSize);
  }

  /** The firmware as it stands in a file; shares the bytes of its parts. */
  public ImageData toImageData() {
    return ImageData.concat(
        List.of(kernel.paddedTo(eraseBlockSize), rootfs.paddedTo(eraseBlockSize)));
  }

  /** Writes the firmware. */
  public void writeTo(WritableByteChannel channel) throws IOException {
    toImageData().writeTo(channel);
  }

  /** Writes the firmware to a file, which is created or replaced. */
  public void write(Path file) throws IOException {
    toImageData().writeTo(file);
  }

  @Override
  public String toString() {
    return "FirmwareImage[kernel 0x%x bytes, rootfs 0x%x bytes at 0x%x]"
        .formatted(kernel.size(), rootfs.size(), rootfsOffset());
  }
}
