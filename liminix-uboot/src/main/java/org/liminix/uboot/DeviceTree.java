package org.liminix.uboot;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A device tree, read from and written to the flattened form that {@code dtc} makes and Linux boots
 * with.
 *
 * <pre>{@code
 * DeviceTree dtb =
 *     DeviceTree.read(Path.of("board.dtb"))
 *         .withBootargs("liminix console=ttyS0,115200 root=/dev/mtdblock0")
 *         .withReservedMemory("phram-rootfs", "phram", new AddressRange(0xa00000, 0x400000));
 * dtb.write(Path.of("dtb"));
 * }</pre>
 *
 * <p>Changing one gives another, laid out as {@code fdtput} would have left it; one that is only
 * read and written again keeps every byte.
 *
 * <p>Immutable and thread-safe. Format: Devicetree Specification 0.4, chapter 5, versions 16 and
 * 17.
 */
public final class DeviceTree {
  private static final int DEFAULT_ADDRESS_CELLS = 2;
  private static final int DEFAULT_SIZE_CELLS = 1;

  private final DeviceTreeNode root;
  private final List<AddressRange> memoryReservations;
  private final int bootCpu;
  private final StringTable strings;
  private final int slack;

  /** As it was read: NOPs, spare reservations and all. */
  private final Optional<ImageData> original;

  DeviceTree(
      DeviceTreeNode root,
      List<AddressRange> memoryReservations,
      int bootCpu,
      StringTable strings,
      int slack,
      Optional<ImageData> original) {
    this.root = root;
    this.memoryReservations = List.copyOf(memoryReservations);
    this.bootCpu = bootCpu;
    this.strings = strings;
    this.slack = slack;
    this.original = original;
  }

  /** A tree of one's own making. */
  public static DeviceTree of(DeviceTreeNode root) {
    if (!root.name().isEmpty()) {
      throw new IllegalArgumentException("The root has no name, but is called " + root.name());
    }
    return new DeviceTree(
        root, List.of(), 0, StringTable.EMPTY.withAllOf(root), 0, Optional.empty());
  }

  /** Reads the tree at the start of a file, into memory: trees are small. */
  public static DeviceTree read(Path file) throws IOException {
    return parse(ByteBuffer.wrap(Files.readAllBytes(file)));
  }

  /**
   * Reads the tree at a buffer's position, whose bytes are shared, not copied.
   *
   * @throws ImageFormatException naming the field that is wrong
   */
  public static DeviceTree parse(ByteBuffer image) {
    return FlattenedTree.parse(image);
  }

  /** The root node. */
  public DeviceTreeNode root() {
    return root;
  }

  /** The memory that the boot loader must leave alone, from the header's own list. */
  public List<AddressRange> memoryReservations() {
    return memoryReservations;
  }

  /** The physical id of the processor that boots. */
  public int bootCpu() {
    return bootCpu;
  }

  /** The node at a path such as {@code /soc/serial@1000}; unit addresses may be left out. */
  public Optional<DeviceTreeNode> node(String path) {
    Optional<DeviceTreeNode> node = Optional.of(root);
    for (String name : split(path)) {
      node = node.flatMap(n -> n.child(name));
    }
    return node;
  }

  /** A property of the node at a path. */
  public Optional<DeviceTreeProperty> property(String path, String name) {
    return node(path).flatMap(node -> node.property(name));
  }

  /** The kernel's command line, from {@code /chosen}. */
  public Optional<String> bootargs() {
    return property("/chosen", "bootargs").map(DeviceTreeProperty::asString);
  }

  /** This tree with another command line for the kernel. */
  public DeviceTree withBootargs(String bootargs) {
    return with("/chosen", DeviceTreeProperty.string("bootargs", bootargs));
  }

  /** This tree with a property set in a node, which is made if missing. */
  public DeviceTree with(String path, DeviceTreeProperty property) {
    return edited(
        change(root, split(path), node -> node.with(property)), strings.with(property.name()));
  }

  /** This tree with a node, which is made if missing. */
  public DeviceTree withNode(String path) {
    return edited(change(root, split(path), UnaryOperator.identity()), strings);
  }

  /** This tree without a property. */
  public DeviceTree withoutProperty(String path, String name) {
    return node(path).isEmpty()
        ? this
        : edited(change(root, split(path), node -> node.withoutProperty(name)), strings);
  }

  /** This tree without a node and what is in it. */
  public DeviceTree withoutNode(String path) {
    List<String> names = split(path);
    if (names.isEmpty()) {
      throw new IllegalArgumentException("A device tree cannot lose its root");
    }
    if (node(path).isEmpty()) {
      return this;
    }
    String last = names.get(names.size() - 1);
    return edited(
        change(root, names.subList(0, names.size() - 1), node -> node.withoutChild(last)), strings);
  }

  private DeviceTree edited(DeviceTreeNode newRoot, StringTable newStrings) {
    // Like fdtput, which packs what it has changed.
    return new DeviceTree(newRoot, memoryReservations, bootCpu, newStrings, 0, Optional.empty());
  }

  private static DeviceTreeNode change(
      DeviceTreeNode node, List<String> path, UnaryOperator<DeviceTreeNode> change) {
    return path.isEmpty()
        ? change.apply(node)
        : node.withChild(path.get(0), child -> change(child, path.subList(1, path.size()), change));
  }

  private static List<String> split(String path) {
    if (!path.startsWith("/")) {
      throw new IllegalArgumentException("A path in a device tree begins with /, not: " + path);
    }
    List<String> names = new ArrayList<>(List.of(path.substring(1).split("/", -1)));
    names.removeIf(String::isEmpty);
    return names;
  }

  /**
   * The memory of the board: the {@code reg} of every node whose {@code device_type} is {@code
   * memory}.
   */
  public List<AddressRange> memory() {
    return root.children().stream()
        .filter(
            node ->
                node.property("device_type")
                    .filter(p -> p.asStrings().equals(List.of("memory")))
                    .isPresent())
        .flatMap(node -> ranges(node, root).stream())
        .toList();
  }

  /** What is kept from the kernel's allocator: the {@code reg} of all below /reserved-memory. */
  public List<AddressRange> reservedMemory() {
    return node("/reserved-memory").stream()
        .flatMap(parent -> parent.children().stream().flatMap(n -> ranges(n, parent).stream()))
        .toList();
  }

  /**
   * This tree with a region kept from the kernel's allocator: a node {@code name@address} below
   * {@code /reserved-memory}, which, where it is missing, is made with the root's {@code
   * #address-cells} and {@code #size-cells}, because its {@code ranges} says that both count alike.
   */
  public DeviceTree withReservedMemory(String name, String compatible, AddressRange region) {
    DeviceTree tree = this;
    if (node("/reserved-memory").isEmpty()) {
      tree =
          tree.with(
                  "/reserved-memory",
                  DeviceTreeProperty.cells("#address-cells", addressCells(root)))
              .with("/reserved-memory", DeviceTreeProperty.cells("#size-cells", sizeCells(root)))
              .with("/reserved-memory", DeviceTreeProperty.flag("ranges"));
    }
    DeviceTreeNode parent = tree.node("/reserved-memory").orElseThrow();
    String path = "/reserved-memory/%s@%x".formatted(name, region.start());
    long[] reg =
        LongStream.concat(
                cells(region.start(), addressCells(parent)),
                cells(region.size(), sizeCells(parent)))
            .toArray();
    return tree.with(path, DeviceTreeProperty.string("compatible", compatible))
        .with(path, DeviceTreeProperty.cells("reg", reg));
  }

  private static LongStream cells(long value, int count) {
    if (count < 2 && value > 0xffff_ffffL) {
      throw new IllegalStateException(
          "0x%x does not fit the single cell of this tree's addresses and sizes".formatted(value));
    }
    return IntStream.range(0, count)
        .mapToLong(
            i -> {
              int shift = 32 * (count - 1 - i);
              return shift >= 64 ? 0 : (value >>> shift) & 0xffff_ffffL;
            });
  }

  private static List<AddressRange> ranges(DeviceTreeNode node, DeviceTreeNode parent) {
    List<Long> cells = node.property("reg").map(DeviceTreeProperty::asCells).orElse(List.of());
    int addressCells = addressCells(parent);
    int entry = addressCells + sizeCells(parent);
    if (entry == 0 || cells.size() % entry != 0) {
      throw new IllegalStateException(
          "The reg of %s has %d cells, which is no multiple of the %d that its parent demands"
              .formatted(node.name(), cells.size(), entry));
    }
    List<AddressRange> ranges = new ArrayList<>();
    for (int i = 0; i < cells.size(); i += entry) {
      ranges.add(
          new AddressRange(
              join(cells.subList(i, i + addressCells)),
              join(cells.subList(i + addressCells, i + entry))));
    }
    return ranges;
  }

  private static long join(List<Long> cells) {
    return cells.stream().reduce(0L, (high, low) -> high << 32 | low);
  }

  private static int addressCells(DeviceTreeNode parent) {
    return cellCount(parent, "#address-cells", DEFAULT_ADDRESS_CELLS);
  }

  private static int sizeCells(DeviceTreeNode parent) {
    return cellCount(parent, "#size-cells", DEFAULT_SIZE_CELLS);
  }

  private static int cellCount(DeviceTreeNode parent, String name, int fallback) {
    long count = parent.property(name).map(DeviceTreeProperty::asU32).orElse((long) fallback);
    if (count > 4) {
      throw new IllegalStateException(name + " is " + count + ", which no bus has");
    }
    return (int) count;
  }

  /** The flattened tree; shares the bytes of large properties. */
  public ImageData toImageData() {
    return original.orElseGet(() -> FlattenedTree.flatten(this, strings, slack));
  }

  /** This tree with room for U-Boot to grow it in place, as {@code dtc -p} leaves. */
  public DeviceTree withSlack(int bytes) {
    return new DeviceTree(root, memoryReservations, bootCpu, strings, bytes, Optional.empty());
  }

  /** The unused bytes after the end of the strings. */
  public int slack() {
    return slack;
  }

  /** Writes the flattened tree. */
  public void writeTo(WritableByteChannel channel) throws IOException {
    toImageData().writeTo(channel);
  }

  /** Writes the flattened tree to a file, which is created or replaced. */
  public void write(Path file) throws IOException {
    toImageData().writeTo(file);
  }

  /** Whether nodes, properties and reservations are the same, however they are laid out. */
  @Override
  public boolean equals(Object other) {
    return other instanceof DeviceTree that
        && root.equals(that.root)
        && memoryReservations.equals(that.memoryReservations)
        && bootCpu == that.bootCpu;
  }

  @Override
  public int hashCode() {
    return Objects.hash(root, memoryReservations, bootCpu);
  }

  @Override
  public String toString() {
    return "DeviceTree[" + property("/", "model").map(Object::toString).orElse("no model") + "]";
  }
}
