package org.liminix.uboot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A flattened image tree: several images, their hashes, and the configurations they boot in.
 *
 * <pre>{@code
 * Fit fit =
 *     Fit.builder()
 *         .description("Kernel and device tree")
 *         .image(kernel)
 *         .image(fdt)
 *         .configuration(FitConfiguration.of("conf-1", "Boot", "kernel").withFdt("fdt-1"))
 *         .defaultConfiguration("conf-1")
 *         .build();
 * fit.write(Path.of("uimage"));
 *
 * ImageData dtb = Fit.read(Path.of("uimage")).image("fdt-1").orElseThrow().data();
 * }</pre>
 *
 * <p>Hashes are verified when one is read and computed when one is built. Reading and writing again
 * keeps every byte, including what this class has no accessor for, such as signatures.
 *
 * <p>Immutable and thread-safe. Format: U-Boot's {@code doc/usage/fit/source_file_format.rst}.
 */
public final class Fit {
  private final DeviceTree tree;
  private final ImageData tail;
  private final List<FitImage> images;
  private final List<FitConfiguration> configurations;
  private final Optional<String> defaultConfiguration;

  private Fit(DeviceTree tree, ImageData treeBytes, ImageData tail) {
    this.tree = tree;
    this.tail = tail;
    FitParser parser = new FitParser(ImageData.concat(List.of(treeBytes, tail)), treeBytes.size());
    this.images = parser.images(tree);
    this.configurations = parser.configurations(tree, images);
    this.defaultConfiguration = parser.defaultConfiguration(tree, configurations);
  }

  /** Starts a new one. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Reads a whole file, which is mapped, not copied: replace that file while the image is in use,
   * if you must, but do not overwrite it.
   */
  public static Fit read(Path file) throws IOException {
    return parse(ImageData.map(file));
  }

  /**
   * Reads the bytes between a buffer's position and its limit, which are shared, not copied.
   *
   * @throws ImageFormatException naming the node or field that is wrong
   */
  public static Fit parse(ByteBuffer image) {
    DeviceTree tree = DeviceTree.parse(image);
    ImageData whole = ImageData.of(image);
    long treeSize = image.slice().getInt(4);
    return new Fit(tree, whole.slice(0, treeSize), whole.slice(treeSize, whole.size() - treeSize));
  }

  /** What the whole is for. */
  public String description() {
    return tree.property("/", "description").map(DeviceTreeProperty::asString).orElse("");
  }

  /** When it was made, to the second. */
  public Optional<Instant> timestamp() {
    return tree.property("/", "timestamp").map(p -> Instant.ofEpochSecond(p.asU32()));
  }

  /** All images. */
  public List<FitImage> images() {
    return images;
  }

  /** The image of that name. */
  public Optional<FitImage> image(String name) {
    return images.stream().filter(image -> image.name().equals(name)).findFirst();
  }

  /** All configurations. */
  public List<FitConfiguration> configurations() {
    return configurations;
  }

  /** The configuration that {@code bootm} takes unless told otherwise. */
  public Optional<FitConfiguration> defaultConfiguration() {
    return defaultConfiguration.flatMap(
        name -> configurations.stream().filter(c -> c.name().equals(name)).findFirst());
  }

  /** The device tree that holds all this. */
  public DeviceTree tree() {
    return tree;
  }

  /** The whole file; shares the bytes of the images. */
  public ImageData toImageData() {
    return ImageData.concat(List.of(tree.toImageData(), tail));
  }

  /** Writes the whole file. */
  public void writeTo(WritableByteChannel channel) throws IOException {
    toImageData().writeTo(channel);
  }

  /** Writes the whole file, which is created or replaced. */
  public void write(Path file) throws IOException {
    toImageData().writeTo(file);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Fit that && toImageData().equals(that.toImageData());
  }

  @Override
  public int hashCode() {
    return tree.hashCode();
  }

  @Override
  public String toString() {
    return "Fit[" + description() + ", " + images.stream().map(FitImage::name).toList() + "]";
  }

  /** Collects images and configurations. Not thread-safe. */
  public static final class Builder {
    private static final int ALIGNMENT = 4;

    private final Setting<String> description = new Setting<>("description");
    private final Setting<Instant> timestamp = new Setting<>("timestamp");
    private final Setting<Long> external = new Setting<>("externalData");
    private final Setting<String> defaultConfiguration = new Setting<>("defaultConfiguration");
    private final Map<String, FitImage> images = new LinkedHashMap<>();
    private final Map<String, FitConfiguration> configurations = new LinkedHashMap<>();

    private Builder() {}

    /** What the whole is for; {@code mkimage} insists on it. */
    public Builder description(String value) {
      description.set(value);
      return this;
    }

    /** When it was made; the epoch by default, so that builds are reproducible. */
    public Builder timestamp(Instant value) {
      timestamp.set(value);
      return this;
    }

    /** One more image. */
    public Builder image(FitImage image) {
      if (images.putIfAbsent(image.name(), image) != null) {
        throw new IllegalStateException("There is an image " + image.name() + " already");
      }
      return this;
    }

    /** One more configuration. */
    public Builder configuration(FitConfiguration configuration) {
      if (configurations.putIfAbsent(configuration.name(), configuration) != null) {
        throw new IllegalStateException(
            "There is a configuration " + configuration.name() + " already");
      }
      return this;
    }

    /** The configuration to boot; the first by default. */
    public Builder defaultConfiguration(String name) {
      defaultConfiguration.set(name);
      return this;
    }

    /** Puts the images right behind the tree rather than inside it, as {@code mkimage -E}. */
    public Builder externalData() {
      external.set(0L);
      return this;
    }

    /** Puts the images at an offset in the file, as {@code mkimage -E -p}. */
    public Builder externalDataAt(long position) {
      if (position <= 0 || position % ALIGNMENT != 0) {
        throw new IllegalArgumentException(
            "externalDataAt must be a positive multiple of 4, not " + position);
      }
      external.set(position);
      return this;
    }

    /** The image tree. */
    public Fit build() {
      if (images.isEmpty()) {
        throw new IllegalStateException("A FIT holds at least one image; call image");
      }
      checkReferences();
      // The order of these edits is mkimage's, and so then are the bytes.
      DeviceTree tree =
          DeviceTree.of(source())
              .with(
                  "/",
                  DeviceTreeProperty.cells(
                      "timestamp", timestamp.orElse(Instant.EPOCH).getEpochSecond()));
      for (FitImage image : images.values()) {
        for (int i = 0; i < image.hashes().size(); i++) {
          byte[] sum = FitHash.compute(image.hashes().get(i).algorithm(), image.data());
          tree =
              tree.with(
                  "/images/%s/hash-%d".formatted(image.name(), i + 1),
                  DeviceTreeProperty.bytes("value", ImageData.of(sum)));
        }
      }
      return external.isSet()
          ? withExternalData(tree, external.orElse(0L))
          : new Fit(tree, tree.toImageData(), ImageData.empty());
    }

    private void checkReferences() {
      defaultConfiguration
          .get()
          .filter(name -> !configurations.containsKey(name))
          .ifPresent(
              name -> {
                throw new IllegalStateException(
                    "defaultConfiguration is %s, but the configurations are %s"
                        .formatted(name, configurations.keySet()));
              });
      for (FitConfiguration configuration : configurations.values()) {
        for (String name : configuration.images()) {
          if (!images.containsKey(name)) {
            throw new IllegalStateException(
                "Configuration %s names the image %s, but the images are %s"
                    .formatted(configuration.name(), name, images.keySet()));
          }
        }
      }
    }

    private DeviceTreeNode source() {
      DeviceTreeNode imagesNode = DeviceTreeNode.empty("images");
      for (FitImage image : images.values()) {
        imagesNode = imagesNode.append(image.toNode());
      }
      DeviceTreeNode root =
          DeviceTreeNode.empty("")
              .append(
                  DeviceTreeProperty.string("description", description.orElse("FIT")),
                  DeviceTreeProperty.cells("#address-cells", 1))
              .append(imagesNode);
      if (configurations.isEmpty()) {
        return root;
      }
      String first = configurations.keySet().iterator().next();
      DeviceTreeNode configurationsNode =
          DeviceTreeNode.empty("configurations")
              .append(DeviceTreeProperty.string("default", defaultConfiguration.orElse(first)));
      for (FitConfiguration configuration : configurations.values()) {
        configurationsNode = configurationsNode.append(configuration.toNode());
      }
      return root.append(configurationsNode);
    }

    private Fit withExternalData(DeviceTree whole, long position) {
      DeviceTree tree = whole;
      List<ImageData> tail = new ArrayList<>();
      long at = 0;
      for (FitImage image : images.values()) {
        String path = "/images/" + image.name();
        DeviceTreeProperty place =
            position == 0
                ? DeviceTreeProperty.cells("data-offset", at)
                : DeviceTreeProperty.cells("data-position", position + at);
        tree =
            tree.withoutProperty(path, "data")
                .with(path, place)
                .with(path, DeviceTreeProperty.cells("data-size", image.data().size()));
        tail.add(image.data().paddedTo(ALIGNMENT));
        at = ImageData.roundUp(at + image.data().size(), ALIGNMENT);
      }
      // mkimage -E rounds the tree itself up, so that the data that follows is aligned.
      long packed = tree.toImageData().size();
      tree = tree.withSlack((int) (ImageData.roundUp(packed, ALIGNMENT) - packed));
      long treeSize = tree.toImageData().size();
      if (position != 0 && position < treeSize) {
        throw new IllegalStateException(
            "externalDataAt 0x%x lies inside the tree, which is 0x%x bytes long; move it up"
                .formatted(position, treeSize));
      }
      if (position != 0) {
        tail.add(0, ImageData.zeros(position - treeSize));
      }
      return new Fit(tree, tree.toImageData(), ImageData.concat(tail));
    }
  }
}
