package org.liminix.uboot;

import java.util.Objects;

/**
 * The strings block of a flattened device tree, one {@code char} per byte.
 *
 * <p>It is kept from reading to writing because {@code dtc} and libfdt only ever add to it, so a
 * tree that was read and written again has the same bytes.
 */
final class StringTable {
  static final StringTable EMPTY = new StringTable("");

  private final String block;

  StringTable(String block) {
    this.block = block;
  }

  /** Where a name is found, perhaps as the end of a longer one; -1 if nowhere. */
  int offsetOf(String name) {
    return block.indexOf(name + '\0');
  }

  StringTable with(String name) {
    return offsetOf(name) >= 0 ? this : new StringTable(block + name + '\0');
  }

  /** With the names of all properties of a node and then of its children, as {@code dtc} goes. */
  StringTable withAllOf(DeviceTreeNode node) {
    StringTable table = this;
    for (DeviceTreeProperty property : node.properties()) {
      table = table.with(property.name());
    }
    for (DeviceTreeNode child : node.children()) {
      table = table.withAllOf(child);
    }
    return table;
  }

  String block() {
    return block;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof StringTable that && block.equals(that.block);
  }

  @Override
  public int hashCode() {
    return Objects.hash(block);
  }
}
