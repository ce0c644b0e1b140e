package org.liminix.uboot;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/** Finds the images and configurations in the device tree of a FIT, and verifies their hashes. */
final class FitParser {
  private static final String FORMAT = "FIT";

  private final ImageData file;
  private final long treeSize;

  FitParser(ImageData file, long treeSize) {
    this.file = file;
    this.treeSize = treeSize;
  }

  List<FitImage> images(DeviceTree tree) {
    DeviceTreeNode images =
        tree.node("/images").orElseThrow(() -> bad("/images", 0, "this node is missing"));
    return images.children().stream().map(this::image).toList();
  }

  List<FitConfiguration> configurations(DeviceTree tree, List<FitImage> images) {
    List<String> known = images.stream().map(FitImage::name).toList();
    List<FitConfiguration> configurations = new ArrayList<>();
    for (DeviceTreeNode node :
        tree.node("/configurations").map(DeviceTreeNode::children).orElse(List.of())) {
      String path = "/configurations/" + node.name();
      FitConfiguration configuration = typed(path, 0, () -> FitConfiguration.of(node));
      for (String name : configuration.images()) {
        if (!known.contains(name)) {
          throw bad(path, 0, "names an image \"" + name + "\", which is not there");
        }
      }
      configurations.add(configuration);
    }
    return List.copyOf(configurations);
  }

  Optional<String> defaultConfiguration(DeviceTree tree, List<FitConfiguration> configurations) {
    Optional<String> name =
        tree.property("/configurations", "default")
            .map(p -> typed("/configurations default", p.offset(), p::asString));
    name.ifPresent(
        wanted -> {
          if (configurations.stream().noneMatch(c -> c.name().equals(wanted))) {
            throw bad("/configurations default", 0, "there is no configuration " + wanted);
          }
        });
    return name;
  }

  private FitImage image(DeviceTreeNode node) {
    String path = "/images/" + node.name();
    ImageData data = data(node, path);
    List<FitHash> hashes = new ArrayList<>();
    for (DeviceTreeNode child : node.children()) {
      // hash-1 today, hash@1 in older sources; signatures are not ours to judge.
      if (child.name().startsWith("hash")) {
        hashes.add(hash(child, path + "/" + child.name(), data));
      }
    }
    return new FitImage(
        node.name(),
        text(node, path, "description").orElse(""),
        code(node, path, "type", ImageType.values())
            .orElseThrow(() -> bad(path + " type", 0, "this property is missing")),
        code(node, path, "arch", CpuArchitecture.values()),
        code(node, path, "os", OperatingSystem.values()),
        code(node, path, "compression", Compression.values()).orElse(Compression.NONE),
        address(node, path, "load"),
        address(node, path, "entry"),
        data,
        hashes);
  }

  private ImageData data(DeviceTreeNode node, String path) {
    Optional<DeviceTreeProperty> inside = node.property("data");
    if (inside.isPresent()) {
      return inside.get().asBytes();
    }
    // U-Boot's doc/usage/fit/source_file_format.rst, "External data".
    Optional<DeviceTreeProperty> position = node.property("data-position");
    DeviceTreeProperty start =
        position
            .or(() -> node.property("data-offset"))
            .orElseThrow(
                () -> bad(path + " data", 0, "this image has neither data nor a place for it"));
    long from = number(start, path) + (position.isPresent() ? 0 : ImageData.roundUp(treeSize, 4));
    DeviceTreeProperty size =
        node.property("data-size")
            .orElseThrow(() -> bad(path + " data-size", 0, "this property is missing"));
    long length = number(size, path);
    if (from + length > file.size()) {
      throw bad(
          path + " " + start.name(),
          start.offset(),
          "data of %d bytes at 0x%x reaches beyond the end of the file at 0x%x"
              .formatted(length, from, file.size()));
    }
    return file.slice(from, length);
  }

  private static long number(DeviceTreeProperty property, String path) {
    return typed(path + " " + property.name(), property.offset(), property::asU32);
  }

  private FitHash hash(DeviceTreeNode node, String path, ImageData data) {
    String algorithm =
        text(node, path, "algo")
            .orElseThrow(() -> bad(path + " algo", 0, "this property is missing"));
    DeviceTreeProperty value =
        node.property("value")
            .orElseThrow(() -> bad(path + " value", 0, "this property is missing"));
    if (!FitHash.knows(algorithm)) {
      throw bad(path + " algo", offset(node, "algo"), algorithm + " cannot be verified");
    }
    byte[] actual = FitHash.compute(algorithm, data);
    byte[] stated = value.asBytes().toByteArray();
    if (!Arrays.equals(stated, actual)) {
      throw bad(
          path + " value",
          value.offset(),
          "%s, but the %s of the data is %s; it is damaged"
              .formatted(
                  HexFormat.of().formatHex(stated), algorithm, HexFormat.of().formatHex(actual)));
    }
    return new FitHash(algorithm, HexFormat.of().formatHex(actual));
  }

  private static Optional<String> text(DeviceTreeNode node, String path, String property) {
    return read(node, path, property, DeviceTreeProperty::asString);
  }

  private static Optional<Long> address(DeviceTreeNode node, String path, String property) {
    return read(node, path, property, p -> p.asBytes().size() == 8 ? p.asU64() : p.asU32());
  }

  private static <C extends ImageCode> Optional<C> code(
      DeviceTreeNode node, String path, String property, C[] known) {
    return text(node, path, property)
        .map(
            word ->
                Arrays.stream(known)
                    .filter(code -> code.shortName().equals(word))
                    .findFirst()
                    .orElseThrow(
                        () ->
                            bad(
                                path + " " + property,
                                offset(node, property),
                                '"' + word + "\" is not known to mkimage")));
  }

  private static <T> Optional<T> read(
      DeviceTreeNode node, String path, String property, Function<DeviceTreeProperty, T> as) {
    return node.property(property)
        .map(p -> typed(path + " " + property, p.offset(), () -> as.apply(p)));
  }

  private static long offset(DeviceTreeNode node, String property) {
    return node.property(property).map(DeviceTreeProperty::offset).orElse(0L);
  }

  private static <T> T typed(String field, long offset, Supplier<T> reader) {
    try {
      return reader.get();
    } catch (IllegalStateException e) {
      throw bad(field, offset, String.valueOf(e.getMessage()));
    }
  }

  private static ImageFormatException bad(String field, long offset, String problem) {
    return new ImageFormatException(FORMAT, field, offset, problem);
  }
}
