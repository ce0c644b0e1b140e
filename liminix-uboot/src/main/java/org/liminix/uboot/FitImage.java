package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One image of a {@link Fit}: a kernel, a device tree, a script…
 *
 * <pre>{@code
 * FitImage kernel =
 *     FitImage.builder("kernel", ImageType.KERNEL)
 *         .architecture(CpuArchitecture.ARM64)
 *         .os(OperatingSystem.LINUX)
 *         .compression(Compression.LZMA)
 *         .loadAddress(0x41080000L)
 *         .entryPoint(0x41080000L)
 *         .data(ImageData.file(Path.of("Image.lzma")))
 *         .hash("crc32")
 *         .hash("sha1")
 *         .build();
 * }</pre>
 *
 * <p>Immutable and thread-safe.
 *
 * @param name the name of its node
 * @param description what {@code bootm} prints; may be empty
 * @param type what it is
 * @param architecture the processor it is for
 * @param os what it runs under or is
 * @param compression how it is compressed
 * @param loadAddress where U-Boot puts it
 * @param entryPoint where execution begins
 * @param data the bytes, shared with the file they come from
 * @param hashes its checksums
 */
public record FitImage(
    String name,
    String description,
    ImageType type,
    Optional<CpuArchitecture> architecture,
    Optional<OperatingSystem> os,
    Compression compression,
    Optional<Long> loadAddress,
    Optional<Long> entryPoint,
    ImageData data,
    List<FitHash> hashes) {

  /** Takes a copy of the list. */
  public FitImage {
    hashes = List.copyOf(hashes);
  }

  /** Starts an image. */
  public static Builder builder(String name, ImageType type) {
    return new Builder(name, type);
  }

  /** As {@code dtc} would compile its source, without the values of the hashes. */
  DeviceTreeNode toNode() {
    List<DeviceTreeProperty> properties = new ArrayList<>();
    if (!description.isEmpty()) {
      properties.add(DeviceTreeProperty.string("description", description));
    }
    properties.add(DeviceTreeProperty.bytes("data", data));
    properties.add(DeviceTreeProperty.string("type", type.shortName()));
    architecture.ifPresent(a -> properties.add(DeviceTreeProperty.string("arch", a.shortName())));
    os.ifPresent(o -> properties.add(DeviceTreeProperty.string("os", o.shortName())));
    properties.add(DeviceTreeProperty.string("compression", compression.shortName()));
    loadAddress.ifPresent(address -> properties.add(address("load", address)));
    entryPoint.ifPresent(address -> properties.add(address("entry", address)));
    DeviceTreeNode node =
        DeviceTreeNode.empty(name).append(properties.toArray(DeviceTreeProperty[]::new));
    for (int i = 0; i < hashes.size(); i++) {
      node =
          node.append(
              DeviceTreeNode.empty("hash-" + (i + 1))
                  .append(DeviceTreeProperty.string("algo", hashes.get(i).algorithm())));
    }
    return node;
  }

  private static DeviceTreeProperty address(String property, long address) {
    return address <= 0xffff_ffffL
        ? DeviceTreeProperty.cells(property, address)
        : DeviceTreeProperty.u64(property, address);
  }

  /** Collects what an image is made of. Not thread-safe. */
  public static final class Builder {
    private final String name;
    private final ImageType type;
    private final Setting<String> description = new Setting<>("description");
    private final Setting<CpuArchitecture> architecture = new Setting<>("architecture");
    private final Setting<OperatingSystem> os = new Setting<>("os");
    private final Setting<Compression> compression = new Setting<>("compression");
    private final Setting<Long> loadAddress = new Setting<>("loadAddress");
    private final Setting<Long> entryPoint = new Setting<>("entryPoint");
    private final Setting<ImageData> data = new Setting<>("data");
    private final List<String> hashes = new ArrayList<>();

    private Builder(String name, ImageType type) {
      if (name.isEmpty() || name.indexOf('/') >= 0 || name.indexOf('\0') >= 0) {
        throw new IllegalArgumentException("Not the name of an image: \"" + name + '"');
      }
      this.name = name;
      this.type = type;
    }

    /** What {@code bootm} prints; nothing by default. */
    public Builder description(String value) {
      description.set(value);
      return this;
    }

    /** The processor. */
    public Builder architecture(CpuArchitecture value) {
      architecture.set(value);
      return this;
    }

    /** The operating system. */
    public Builder os(OperatingSystem value) {
      os.set(value);
      return this;
    }

    /** How the data already is compressed; not at all by default. */
    public Builder compression(Compression value) {
      compression.set(value);
      return this;
    }

    /** Where U-Boot puts it. */
    public Builder loadAddress(long value) {
      loadAddress.set(positive("loadAddress", value));
      return this;
    }

    /** Where execution begins. */
    public Builder entryPoint(long value) {
      entryPoint.set(positive("entryPoint", value));
      return this;
    }

    private static long positive(String setter, long value) {
      if (value < 0) {
        throw new IllegalArgumentException("%s 0x%x is beyond 63 bits".formatted(setter, value));
      }
      return value;
    }

    /** The bytes. */
    public Builder data(ImageData value) {
      data.set(value);
      return this;
    }

    /** A checksum to keep with it, such as {@code crc32} or {@code sha256}; once for each. */
    public Builder hash(String algorithm) {
      if (!FitHash.knows(algorithm)) {
        throw new IllegalArgumentException(
            algorithm + " is no hash; use crc32, md5, sha1, sha256, sha384 or sha512");
      }
      hashes.add(algorithm);
      return this;
    }

    /** The image. */
    public FitImage build() {
      ImageData bytes = data.require("Image " + name + " needs contents");
      return new FitImage(
          name,
          description.orElse(""),
          type,
          architecture.get(),
          os.get(),
          compression.orElse(Compression.NONE),
          loadAddress.get(),
          entryPoint.get(),
          bytes,
          hashes.stream().map(algorithm -> FitHash.of(algorithm, bytes)).toList());
    }
  }
}
