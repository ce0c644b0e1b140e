package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a board has where: RAM, U-Boot's own part of it, and flash.
 *
 * <pre>{@code
 * MemoryMap board =
 *     MemoryMap.builder()
 *         .addressing(Addressing.MIPS)
 *         .ram(new AddressRange(0x80000000L, 0x10000000))
 *         .uboot(new AddressRange(0x8ff00000L, 0x100000))
 *         .flash(nor)
 *         .build();
 * }</pre>
 *
 * <p>U-Boot's {@code bdinfo} and {@code flinfo} print these addresses. Immutable and thread-safe.
 */
public final class MemoryMap {
  private final Addressing addressing;
  private final List<AddressRange> ram;
  private final List<AddressRange> uboot;
  private final List<FlashDevice> flash;

  private MemoryMap(Builder builder) {
    this.addressing = builder.addressing.orElse(Addressing.FLAT);
    this.ram = List.copyOf(builder.ram);
    this.uboot = List.copyOf(builder.uboot);
    this.flash = List.copyOf(builder.flash);
  }

  /** Starts a map. */
  public static Builder builder() {
    return new Builder();
  }

  /** How addresses relate to physical ones. */
  public Addressing addressing() {
    return addressing;
  }

  /** The banks of RAM. */
  public List<AddressRange> ram() {
    return ram;
  }

  /** Where in RAM U-Boot itself lives, with its stack and heap. */
  public List<AddressRange> uboot() {
    return uboot;
  }

  /** Flash, cards and volumes. */
  public List<FlashDevice> flash() {
    return flash;
  }

  Optional<FlashDevice> flash(FlashDevice.Kind kind) {
    return flash.stream().filter(device -> device.kind() == kind).findFirst();
  }

  /** The parallel flash at an address, if that is not RAM. */
  Optional<FlashDevice> norAt(long address) {
    long physical = addressing.physical(address);
    return flash.stream()
        .filter(device -> device.kind() == FlashDevice.Kind.NOR)
        .filter(
            device -> addressing.physical(device.range()).contains(new AddressRange(physical, 0)))
        .findFirst();
  }

  /** Collects the parts of a board. Not thread-safe. */
  public static final class Builder {
    private final Setting<Addressing> addressing = new Setting<>("addressing");
    private final List<AddressRange> ram = new ArrayList<>();
    private final List<AddressRange> uboot = new ArrayList<>();
    private final List<FlashDevice> flash = new ArrayList<>();

    private Builder() {}

    /** How addresses relate to physical ones; flat by default. */
    public Builder addressing(Addressing value) {
      addressing.set(value);
      return this;
    }

    /** A bank of RAM. */
    public Builder ram(AddressRange bank) {
      ram.add(bank);
      return this;
    }

    /** A part of RAM that U-Boot occupies, with its stack and heap. */
    public Builder uboot(AddressRange region) {
      uboot.add(region);
      return this;
    }

    /** A flash chip, card or volume. */
    public Builder flash(FlashDevice device) {
      flash.add(device);
      return this;
    }

    /** The map. */
    public MemoryMap build() {
      if (ram.isEmpty()) {
        throw new IllegalStateException("A board has RAM; call ram with what bdinfo prints");
      }
      return new MemoryMap(this);
    }
  }
}
