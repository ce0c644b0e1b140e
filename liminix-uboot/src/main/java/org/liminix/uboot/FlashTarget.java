package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;

/**
 * Where in which kind of flash a firmware goes, and with which commands.
 *
 * <pre>{@code
 * FlashTarget.nor(new AddressRange(0xbfc50000L, 0xfb0000), 0x10000).withProtectOff();
 * FlashTarget.spiNor(new AddressRange(0x50000, 0xfb0000), 0x10000);
 * FlashTarget.ubiVolume("ubi", "liminix", 0x4000000);
 * }</pre>
 *
 * <p>Immutable and thread-safe.
 */
public final class FlashTarget {
  private static final int MMC_BLOCK = 512;

  private final FlashDevice.Kind kind;
  private final AddressRange range;
  private final long eraseBlockSize;
  private final List<String> before;
  private final String place;

  private FlashTarget(
      FlashDevice.Kind kind,
      AddressRange range,
      long eraseBlockSize,
      List<String> before,
      String place) {
    if (eraseBlockSize <= 0 || range.size() == 0 || range.size() % eraseBlockSize != 0) {
      throw new IllegalArgumentException(
          "A flash region of 0x%x bytes is not made of erase blocks of 0x%x"
              .formatted(range.size(), eraseBlockSize));
    }
    this.kind = kind;
    this.range = range;
    this.eraseBlockSize = eraseBlockSize;
    this.before = List.copyOf(before);
    this.place = place;
  }

  /** Parallel NOR flash at addresses of the processor. */
  public static FlashTarget nor(AddressRange addresses, long eraseBlockSize) {
    return new FlashTarget(
        FlashDevice.Kind.NOR, addresses, eraseBlockSize, List.of(), hex(addresses.start()));
  }

  /** Serial NOR flash on the default bus, at offsets of the chip. */
  public static FlashTarget spiNor(AddressRange offsets, long eraseBlockSize) {
    return new FlashTarget(
        FlashDevice.Kind.SPI_NOR,
        offsets,
        eraseBlockSize,
        List.of("sf probe"),
        hex(offsets.start()));
  }

  /** NAND flash, at offsets of the chip; U-Boot skips bad blocks. */
  public static FlashTarget nand(AddressRange offsets, long eraseBlockSize) {
    return new FlashTarget(
        FlashDevice.Kind.NAND, offsets, eraseBlockSize, List.of(), hex(offsets.start()));
  }

  /** A UBI volume in a partition. */
  public static FlashTarget ubiVolume(String partition, String volume, long size) {
    return new FlashTarget(
        FlashDevice.Kind.UBI,
        new AddressRange(0, size),
        1,
        List.of("ubi part " + partition),
        volume);
  }

  /** A card or eMMC, from one of its blocks of 512 bytes on. */
  public static FlashTarget mmc(int device, long firstBlock, long blocks) {
    return new FlashTarget(
        FlashDevice.Kind.MMC,
        new AddressRange(firstBlock * MMC_BLOCK, blocks * MMC_BLOCK),
        MMC_BLOCK,
        List.of("mmc dev " + device),
        hex(firstBlock));
  }

  /** This target with {@code protect off} before it is erased. */
  public FlashTarget withProtectOff() {
    if (kind != FlashDevice.Kind.NOR) {
      throw new IllegalStateException("protect is a command for parallel NOR flash, not " + kind);
    }
    if (!before.isEmpty()) {
      throw new IllegalStateException("withProtectOff has been called already");
    }
    return new FlashTarget(
        kind,
        range,
        eraseBlockSize,
        List.of("protect off %s +%s".formatted(place, hex(range.size()))),
        place);
  }

  AddressRange range() {
    return range;
  }

  FlashDevice.Kind kind() {
    return kind;
  }

  private static String hex(long value) {
    return "0x%X".formatted(value);
  }

  /** The commands that erase and write, after the image was loaded. */
  List<String> commands(long loadAddress, long imageSize) {
    String from = hex(loadAddress);
    String size = hex(range.size());
    List<String> lines = new ArrayList<>(before);
    switch (kind) {
      case NOR -> {
        lines.add("erase %s +%s".formatted(place, size));
        lines.add("cp.b %s %s ${filesize}".formatted(from, place));
      }
      case SPI_NOR -> {
        lines.add("sf erase %s %s".formatted(place, size));
        lines.add("sf write %s %s ${filesize}".formatted(from, place));
      }
      case NAND -> {
        lines.add("nand erase %s %s".formatted(place, size));
        lines.add("nand write %s %s ${filesize}".formatted(from, place));
      }
      case UBI -> lines.add("ubi write %s %s ${filesize}".formatted(from, place));
      case MMC ->
          lines.add(
              "mmc write %s %s %s"
                  .formatted(
                      from, place, hex(ImageData.roundUp(imageSize, MMC_BLOCK) / MMC_BLOCK)));
    }
    return lines;
  }
}
