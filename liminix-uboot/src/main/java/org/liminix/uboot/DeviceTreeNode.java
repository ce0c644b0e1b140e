package org.liminix.uboot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * A node of a {@link DeviceTree}: a name, properties and child nodes, in the order of the file.
 *
 * <p>Immutable and thread-safe.
 *
 * @param name the name with its unit address, {@code memory@40000000}; empty for the root
 * @param properties the properties
 * @param children the child nodes
 */
public record DeviceTreeNode(
    String name, List<DeviceTreeProperty> properties, List<DeviceTreeNode> children) {

  /** Takes copies of the lists. */
  public DeviceTreeNode {
    properties = List.copyOf(properties);
    children = List.copyOf(children);
  }

  /** A node with nothing in it yet. */
  public static DeviceTreeNode empty(String name) {
    return new DeviceTreeNode(name, List.of(), List.of());
  }

  /** The property of that name. */
  public Optional<DeviceTreeProperty> property(String propertyName) {
    return properties.stream().filter(p -> p.name().equals(propertyName)).findFirst();
  }

  /**
   * The child of that name. A name without a unit address also finds the first child that has one,
   * as in U-Boot's {@code fdt} command.
   */
  public Optional<DeviceTreeNode> child(String childName) {
    int index = indexOfChild(childName);
    return index < 0 ? Optional.empty() : Optional.of(children.get(index));
  }

  private int indexOfChild(String childName) {
    int loose = -1;
    for (int i = 0; i < children.size(); i++) {
      String candidate = children.get(i).name;
      if (candidate.equals(childName)) {
        return i;
      }
      if (loose < 0 && childName.indexOf('@') < 0 && candidate.startsWith(childName + "@")) {
        loose = i;
      }
    }
    return loose;
  }

  /** This node with a property set, in its old place or, if it is new, before all others. */
  DeviceTreeNode with(DeviceTreeProperty property) {
    List<DeviceTreeProperty> changed = new ArrayList<>(properties);
    for (int i = 0; i < changed.size(); i++) {
      if (changed.get(i).name().equals(property.name())) {
        changed.set(i, property);
        return new DeviceTreeNode(name, changed, children);
      }
    }
    // libfdt inserts at the front, and so its users and ours get the same bytes.
    changed.add(0, property);
    return new DeviceTreeNode(name, changed, children);
  }

  /** This node with more of its properties, behind those it has. */
  DeviceTreeNode append(DeviceTreeProperty... more) {
    List<DeviceTreeProperty> all = new ArrayList<>(properties);
    all.addAll(List.of(more));
    return new DeviceTreeNode(name, all, children);
  }

  /** This node with one more child behind those it has. */
  DeviceTreeNode append(DeviceTreeNode child) {
    List<DeviceTreeNode> all = new ArrayList<>(children);
    all.add(child);
    return new DeviceTreeNode(name, properties, all);
  }

  DeviceTreeNode withoutProperty(String propertyName) {
    return new DeviceTreeNode(
        name, properties.stream().filter(p -> !p.name().equals(propertyName)).toList(), children);
  }

  /** This node with a child replaced by what becomes of it; a new child comes before all others. */
  DeviceTreeNode withChild(String childName, UnaryOperator<DeviceTreeNode> change) {
    List<DeviceTreeNode> changed = new ArrayList<>(children);
    int index = indexOfChild(childName);
    if (index < 0) {
      changed.add(0, change.apply(empty(childName)));
    } else {
      changed.set(index, change.apply(changed.get(index)));
    }
    return new DeviceTreeNode(name, properties, changed);
  }

  DeviceTreeNode withoutChild(String childName) {
    List<DeviceTreeNode> changed = new ArrayList<>(children);
    int index = indexOfChild(childName);
    if (index >= 0) {
      changed.remove(index);
    }
    return new DeviceTreeNode(name, properties, changed);
  }
}
