package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A set of images of a {@link Fit} that boot together.
 *
 * <pre>{@code
 * FitConfiguration.of("conf-1", "Linux with its device tree", "kernel").withFdt("fdt-1");
 * }</pre>
 *
 * <p>Immutable and thread-safe.
 *
 * @param name the name of its node
 * @param description what {@code bootm} prints; may be empty
 * @param kernel the name of the image to start
 * @param fdt the names of the device tree and of the overlays to apply to it
 * @param ramdisk the name of the initial ramdisk
 * @param loadables the names of whatever else is loaded
 */
public record FitConfiguration(
    String name,
    String description,
    Optional<String> kernel,
    List<String> fdt,
    Optional<String> ramdisk,
    List<String> loadables) {

  /** Takes copies of the lists. */
  public FitConfiguration {
    fdt = List.copyOf(fdt);
    loadables = List.copyOf(loadables);
  }

  /** A configuration of a kernel alone. */
  public static FitConfiguration of(String name, String description, String kernel) {
    return new FitConfiguration(
        name, description, Optional.of(kernel), List.of(), Optional.empty(), List.of());
  }

  /** This configuration with a device tree, and overlays for it. */
  public FitConfiguration withFdt(String... images) {
    return new FitConfiguration(name, description, kernel, List.of(images), ramdisk, loadables);
  }

  /** This configuration with an initial ramdisk. */
  public FitConfiguration withRamdisk(String image) {
    return new FitConfiguration(name, description, kernel, fdt, Optional.of(image), loadables);
  }

  static FitConfiguration of(DeviceTreeNode node) {
    return new FitConfiguration(
        node.name(),
        node.property("description").map(DeviceTreeProperty::asString).orElse(""),
        node.property("kernel").map(DeviceTreeProperty::asString),
        names(node, "fdt"),
        node.property("ramdisk").map(DeviceTreeProperty::asString),
        names(node, "loadables"));
  }

  private static List<String> names(DeviceTreeNode node, String property) {
    return node.property(property).map(DeviceTreeProperty::asStrings).orElse(List.of());
  }

  List<String> images() {
    List<String> all = new ArrayList<>(fdt);
    kernel.ifPresent(all::add);
    ramdisk.ifPresent(all::add);
    all.addAll(loadables);
    return all;
  }

  DeviceTreeNode toNode() {
    DeviceTreeNode node = DeviceTreeNode.empty(name);
    if (!description.isEmpty()) {
      node = node.append(DeviceTreeProperty.string("description", description));
    }
    if (kernel.isPresent()) {
      node = node.append(DeviceTreeProperty.string("kernel", kernel.get()));
    }
    if (!fdt.isEmpty()) {
      node = node.append(DeviceTreeProperty.strings("fdt", fdt));
    }
    if (ramdisk.isPresent()) {
      node = node.append(DeviceTreeProperty.string("ramdisk", ramdisk.get()));
    }
    if (!loadables.isEmpty()) {
      node = node.append(DeviceTreeProperty.strings("loadables", loadables));
    }
    return node;
  }
}
