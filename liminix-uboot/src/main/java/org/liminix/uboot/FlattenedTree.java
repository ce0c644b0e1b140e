package org.liminix.uboot;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The flattened form of a device tree: Devicetree Specification 0.4, chapter 5. */
final class FlattenedTree {
  static final int MAGIC = 0xd00dfeed;

  private static final String FORMAT = "device tree";
  private static final int HEADER_SIZE = 40;
  private static final int VERSION = 17;
  private static final int LAST_COMPATIBLE_VERSION = 16;

  /** As deep as a tree may be; U-Boot itself stops at 32. */
  private static final int MAX_DEPTH = 64;

  private static final int BEGIN_NODE = 1;
  private static final int END_NODE = 2;
  private static final int PROP = 3;
  private static final int NOP = 4;
  private static final int END = 9;

  /** Values up to this size are copied between the tags rather than written on their own. */
  private static final int SMALL_VALUE = 4096;

  private FlattenedTree() {}

  static DeviceTree parse(ByteBuffer image) {
    FieldReader whole = new FieldReader(FORMAT, image, ByteOrder.BIG_ENDIAN);
    long magic = whole.u32(0, "magic");
    if (magic != (MAGIC & 0xffff_ffffL)) {
      throw whole.bad("magic", 0, "0x%08x is not 0x%08x".formatted(magic, MAGIC));
    }
    long totalSize = whole.u32(4, "totalsize");
    FieldReader in =
        new FieldReader(FORMAT, whole.bytes(0, totalSize, "totalsize"), ByteOrder.BIG_ENDIAN);
    long version = in.u32(20, "version");
    long compatible = in.u32(24, "last_comp_version");
    if (version < LAST_COMPATIBLE_VERSION || compatible > VERSION) {
      throw in.bad(
          "version",
          20,
          "%d (compatible back to %d) is not understood; convert it with dtc -I dtb -O dtb -V 17"
              .formatted(version, compatible));
    }
    long structOffset = in.u32(8, "off_dt_struct");
    if (structOffset % 4 != 0) {
      throw in.bad("off_dt_struct", 8, "0x%x is not aligned to 4".formatted(structOffset));
    }
    long stringsOffset = in.u32(12, "off_dt_strings");
    long stringsSize = in.u32(32, "size_dt_strings");
    String strings =
        StandardCharsets.ISO_8859_1
            .decode(in.bytes(stringsOffset, stringsSize, "off_dt_strings"))
            .toString();
    long structEnd = version >= VERSION ? structOffset + in.u32(36, "size_dt_struct") : totalSize;
    Structure structure = new Structure(in, structOffset, structEnd, strings);
    DeviceTreeNode root = structure.parse();
    List<AddressRange> reservations = reservations(in);
    long used = HEADER_SIZE + 16L * (reservations.size() + 1) + structure.size() + stringsSize;
    return new DeviceTree(
        root,
        reservations,
        (int) in.u32(28, "boot_cpuid_phys"),
        new StringTable(strings),
        (int) Math.max(0, totalSize - used),
        Optional.of(ImageData.of(in.bytes(0, totalSize, "totalsize"))));
  }

  private static List<AddressRange> reservations(FieldReader in) {
    List<AddressRange> reservations = new ArrayList<>();
    long at = in.u32(16, "off_mem_rsvmap");
    while (true) {
      long address = in.i64(at, "memory reservation address");
      long size = in.i64(at + 8, "memory reservation size");
      if (address == 0 && size == 0) {
        return reservations;
      }
      if (address < 0 || size < 0 || address > Long.MAX_VALUE - size) {
        throw in.bad(
            "memory reservation address",
            at,
            "0x%x bytes at 0x%x reach beyond 63-bit addresses".formatted(size, address));
      }
      reservations.add(new AddressRange(address, size));
      at += 16;
    }
  }

  /** The structure block: a sequence of tags. */
  private static final class Structure {
    private final FieldReader in;
    private final long start;
    private final long end;
    private final String strings;
    private long at;

    Structure(FieldReader in, long start, long end, String strings) {
      this.in = in;
      this.start = start;
      this.end = end;
      this.strings = strings;
      this.at = start;
    }

    long size() {
      return at - start;
    }

    DeviceTreeNode parse() {
      Deque<OpenNode> open = new ArrayDeque<>();
      DeviceTreeNode root = null;
      while (true) {
        long tagAt = at;
        int tag = (int) in.u32(advance(4, "tag"), "tag");
        if (tag == NOP) {
          continue;
        }
        if (root != null && tag != END) {
          throw in.bad("tag", tagAt, "%d after the root node; FDT_END is due".formatted(tag));
        }
        switch (tag) {
          case BEGIN_NODE -> {
            if (open.size() == MAX_DEPTH) {
              throw in.bad("FDT_BEGIN_NODE", tagAt, "more than " + MAX_DEPTH + " nodes deep");
            }
            open.push(new OpenNode(nodeName(open.peek())));
          }
          case PROP -> property(inside(open.peek(), "FDT_PROP", tagAt), tagAt);
          case END_NODE -> {
            DeviceTreeNode node = inside(open.peek(), "FDT_END_NODE", tagAt).close();
            open.pop();
            if (open.isEmpty()) {
              root = node;
            } else {
              open.element().children.add(node);
            }
          }
          case END -> {
            if (root == null) {
              throw in.bad("FDT_END", tagAt, "the tree ends inside a node");
            }
            return root;
          }
          default -> throw in.bad("tag", tagAt, "%d is no tag".formatted(tag));
        }
      }
    }

    private OpenNode inside(@Nullable OpenNode node, String tag, long offset) {
      if (node == null) {
        throw in.bad(tag, offset, "outside of any node");
      }
      return node;
    }

    private long advance(long count, String field) {
      long from = at;
      if (count > end - at) {
        throw in.bad(field, at, "the structure block ends at 0x%x".formatted(end));
      }
      at += count;
      return from;
    }

    private void align() {
      at = (at + 3) & ~3L;
    }

    private String nodeName(@Nullable OpenNode parent) {
      long from = at;
      StringBuilder name = new StringBuilder();
      for (int c; (c = in.u8(advance(1, "node name"), "node name")) != 0; ) {
        name.append((char) c);
      }
      align();
      boolean valid = parent == null ? name.isEmpty() : !name.isEmpty() && name.indexOf("/") < 0;
      if (!valid) {
        throw in.bad("node name", from, '"' + name.toString() + "\" is not allowed here");
      }
      if (parent != null && !parent.childNames.add(name.toString())) {
        throw in.bad("node name", from, "a second node \"" + name + '"');
      }
      return name.toString();
    }

    private void property(OpenNode node, long tagAt) {
      long length = in.u32(advance(4, "property length"), "property length");
      long nameOffset = in.u32(advance(4, "property name offset"), "property name offset");
      int nameEnd = nameOffset < strings.length() ? strings.indexOf('\0', (int) nameOffset) : -1;
      if (nameEnd < 0) {
        throw in.bad(
            "property name offset",
            at - 4,
            "0x%x is not in the strings block of 0x%x bytes"
                .formatted(nameOffset, strings.length()));
      }
      String name = strings.substring((int) nameOffset, nameEnd);
      long valueAt = advance(length, "property value");
      ImageData value = ImageData.of(in.bytes(valueAt, length, "property value"));
      align();
      if (!node.propertyNames.add(name)) {
        throw in.bad("FDT_PROP", tagAt, "a second property \"" + name + '"');
      }
      node.properties.add(DeviceTreeProperty.parsed(name, value, valueAt));
    }
  }

  private static final class OpenNode {
    final String name;
    final List<DeviceTreeProperty> properties = new ArrayList<>();
    final Set<String> propertyNames = new HashSet<>();
    final List<DeviceTreeNode> children = new ArrayList<>();
    final Set<String> childNames = new HashSet<>();

    OpenNode(String name) {
      this.name = name;
    }

    DeviceTreeNode close() {
      return new DeviceTreeNode(name, properties, children);
    }
  }

  static ImageData flatten(DeviceTree tree, StringTable preset, int slack) {
    StringTable table = preset.withAllOf(tree.root());
    Output structure = new Output(table);
    structure.node(tree.root());
    ImageData struct = structure.finish();
    byte[] strings = table.block().getBytes(StandardCharsets.ISO_8859_1);

    int reservationSize = 16 * (tree.memoryReservations().size() + 1);
    long structOffset = (long) HEADER_SIZE + reservationSize;
    long stringsOffset = structOffset + struct.size();
    long total = stringsOffset + strings.length + slack;
    if (total > Integer.MAX_VALUE) {
      throw new IllegalStateException(
          "A flattened device tree of " + total + " bytes; keep large data outside of it");
    }
    ByteBuffer head = ByteBuffer.allocate(HEADER_SIZE + reservationSize);
    head.putInt(MAGIC)
        .putInt((int) total)
        .putInt((int) structOffset)
        .putInt((int) stringsOffset)
        .putInt(HEADER_SIZE)
        .putInt(VERSION)
        .putInt(LAST_COMPATIBLE_VERSION)
        .putInt(tree.bootCpu())
        .putInt(strings.length)
        .putInt((int) struct.size());
    tree.memoryReservations().forEach(r -> head.putLong(r.start()).putLong(r.size()));
    return ImageData.concat(
        List.of(
            ImageData.of(head.rewind()), struct, ImageData.of(strings), ImageData.zeros(slack)));
  }

  private static final class Output {
    private final StringTable table;
    private final List<ImageData> done = new ArrayList<>();
    private ByteArrayOutputStream current = new ByteArrayOutputStream();

    Output(StringTable table) {
      this.table = table;
    }

    void node(DeviceTreeNode node) {
      u32(BEGIN_NODE);
      current.writeBytes(node.name().getBytes(StandardCharsets.ISO_8859_1));
      current.write(0);
      pad(node.name().length() + 1);
      for (DeviceTreeProperty property : node.properties()) {
        u32(PROP);
        u32((int) property.asBytes().size());
        u32(table.offsetOf(property.name()));
        value(property.asBytes());
        pad(property.asBytes().size());
      }
      node.children().forEach(this::node);
      u32(END_NODE);
    }

    private void value(ImageData value) {
      if (value.size() <= SMALL_VALUE) {
        current.writeBytes(value.toByteArray());
      } else {
        cut();
        done.add(value);
      }
    }

    private void pad(long size) {
      for (long i = size; i % 4 != 0; i++) {
        current.write(0);
      }
    }

    private void u32(int value) {
      current.writeBytes(ByteBuffer.allocate(4).putInt(0, value).array());
    }

    private void cut() {
      done.add(ImageData.of(current.toByteArray()));
      current = new ByteArrayOutputStream();
    }

    ImageData finish() {
      u32(END);
      cut();
      return ImageData.concat(done);
    }
  }
}
