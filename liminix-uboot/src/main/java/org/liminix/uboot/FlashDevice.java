package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A flash chip, an MMC card or a UBI volume, and what must not be touched on it.
 *
 * <pre>{@code
 * FlashDevice nor =
 *     FlashDevice.nor(new AddressRange(0xbe000000L, 0x400000), 0x10000)
 *         .withProtected("u-boot", new AddressRange(0, 0x40000))
 *         .withPartition("firmware", new AddressRange(0x40000, 0x3a0000))
 *         .withProtected("u-boot-env", new AddressRange(0x3e0000, 0x20000));
 * }</pre>
 *
 * <p>Immutable and thread-safe.
 */
public final class FlashDevice {
  private static final int MMC_BLOCK = 512;

  /** What U-Boot drives a device with. */
  public enum Kind {
    /** Parallel NOR in the address space: {@code erase}, {@code cp.b}, {@code protect}. */
    NOR,
    /** Serial NOR: {@code sf}. */
    SPI_NOR,
    /** NAND: {@code nand}. */
    NAND,
    /** A card or eMMC: {@code mmc}. */
    MMC,
    /** A UBI volume: {@code ubi}. */
    UBI
  }

  /**
   * A part of a device.
   *
   * @param name its name
   * @param range where it is, from the start of the device
   * @param writable whether a script may touch it
   */
  public record Partition(String name, AddressRange range, boolean writable) {}

  private final Kind kind;
  private final String name;
  private final long base;
  private final long size;
  private final long eraseBlockSize;
  private final List<Partition> partitions;

  private FlashDevice(
      Kind kind,
      String name,
      long base,
      long size,
      long eraseBlockSize,
      List<Partition> partitions) {
    if (size <= 0 || eraseBlockSize <= 0 || size % eraseBlockSize != 0) {
      throw new IllegalArgumentException(
          "%s: a size of 0x%x is not a multiple of the erase block of 0x%x"
              .formatted(name, size, eraseBlockSize));
    }
    this.kind = kind;
    this.name = name;
    this.base = base;
    this.size = size;
    this.eraseBlockSize = eraseBlockSize;
    this.partitions = List.copyOf(partitions);
  }

  /** Parallel NOR flash at addresses that the processor sees. */
  public static FlashDevice nor(AddressRange where, long eraseBlockSize) {
    return new FlashDevice(
        Kind.NOR, "NOR flash", where.start(), where.size(), eraseBlockSize, List.of());
  }

  /** The serial NOR flash that {@code sf probe} finds. */
  public static FlashDevice spiNor(long size, long eraseBlockSize) {
    return new FlashDevice(Kind.SPI_NOR, "SPI NOR flash", 0, size, eraseBlockSize, List.of());
  }

  /** NAND flash. */
  public static FlashDevice nand(long size, long eraseBlockSize) {
    return new FlashDevice(Kind.NAND, "NAND flash", 0, size, eraseBlockSize, List.of());
  }

  /** The MMC device of a number. */
  public static FlashDevice mmc(int number, long size) {
    return new FlashDevice(Kind.MMC, "MMC " + number, 0, size, MMC_BLOCK, List.of());
  }

  /** A UBI volume that a script may write. */
  public static FlashDevice ubiVolume(String volume, long size) {
    return new FlashDevice(Kind.UBI, volume, 0, size, 1, List.of());
  }

  /** This device with a partition that a script may write. */
  public FlashDevice withPartition(String partition, AddressRange range) {
    return with(new Partition(partition, range, true));
  }

  /** This device with a partition that no script may touch: the boot loader, its environment. */
  public FlashDevice withProtected(String partition, AddressRange range) {
    return with(new Partition(partition, range, false));
  }

  private FlashDevice with(Partition partition) {
    if (partition.range().end() > size) {
      throw new IllegalArgumentException(
          "Partition %s, %s, reaches beyond the 0x%x bytes of the %s"
              .formatted(partition.name(), partition.range(), size, name));
    }
    for (Partition other : partitions) {
      if (other.range().overlaps(partition.range()) || other.name().equals(partition.name())) {
        throw new IllegalArgumentException(
            "Partition %s, %s, overlaps %s, %s"
                .formatted(partition.name(), partition.range(), other.name(), other.range()));
      }
    }
    List<Partition> more = new ArrayList<>(partitions);
    more.add(partition);
    more.sort((a, b) -> Long.compare(a.range().start(), b.range().start()));
    return new FlashDevice(kind, name, base, size, eraseBlockSize, more);
  }

  /** What drives it. */
  public Kind kind() {
    return kind;
  }

  /** What messages call it; of a UBI volume, its name. */
  public String name() {
    return name;
  }

  /** The addresses that its commands take. */
  public AddressRange range() {
    return new AddressRange(base, size);
  }

  /** The size of an erase block in bytes; of a card, of a sector. */
  public long eraseBlockSize() {
    return eraseBlockSize;
  }

  /** Its partitions, ordered by offset. */
  public List<Partition> partitions() {
    return partitions;
  }

  Optional<Partition> partition(String wanted) {
    return partitions.stream().filter(p -> p.name().equals(wanted)).findFirst();
  }

  /** The addresses of a partition. */
  AddressRange addresses(Partition partition) {
    return new AddressRange(base + partition.range().start(), partition.range().size());
  }

  /** Whether its blocks must be erased before they are written. */
  boolean needsErase() {
    return kind == Kind.NOR || kind == Kind.SPI_NOR || kind == Kind.NAND;
  }
}
