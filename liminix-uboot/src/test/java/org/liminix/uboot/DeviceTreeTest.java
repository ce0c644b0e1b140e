package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeviceTreeTest {
  private static final String BOARD =
      """
      /dts-v1/;
      /memreserve/ 0x1000 0x2000;
      / {
        #address-cells = <2>;
        #size-cells = <2>;
        model = "Test board";
        compatible = "test,board", "test,family";
        chosen { bootargs = "console=ttyS0"; stdout-path = "/soc/serial@1000"; };
        memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x8000000>; };
        soc {
          #address-cells = <1>;
          #size-cells = <0>;
          serial@1000 { reg = <0x1000>; clock = <0 24000000>; fifo; mac = [00 11 22 33 44 55]; };
        };
      };
      """;

  @TempDir Path directory;

  private Path compile(String source, Object... options) throws Exception {
    Files.writeString(directory.resolve("board.dts"), source);
    Object[] arguments = new Object[options.length + 5];
    System.arraycopy(options, 0, arguments, 0, options.length);
    System.arraycopy(
        new Object[] {"-O", "dtb", "-o", "board.dtb", "board.dts"},
        0,
        arguments,
        options.length,
        5);
    DebianTool.DTC.run(directory, arguments);
    return directory.resolve("board.dtb");
  }

  private DeviceTree board() throws Exception {
    return DeviceTree.read(compile(BOARD));
  }

  @Test
  void readsEveryTypeOfProperty() throws Exception {
    DeviceTree tree = board();

    assertThat(tree.bootargs()).contains("console=ttyS0");
    assertThat(tree.property("/", "compatible").orElseThrow().asStrings())
        .containsExactly("test,board", "test,family");
    DeviceTreeNode serial = tree.node("/soc/serial").orElseThrow();
    assertThat(serial.name()).isEqualTo("serial@1000");
    assertThat(serial.property("reg").orElseThrow().asU32()).isEqualTo(0x1000);
    assertThat(serial.property("clock").orElseThrow().asU64()).isEqualTo(24_000_000);
    assertThat(serial.property("fifo")).isPresent();
    assertThat(serial.property("mac").orElseThrow().asBytes().toByteArray())
        .containsExactly(0, 0x11, 0x22, 0x33, 0x44, 0x55);
    assertThat(tree.memoryReservations()).containsExactly(new AddressRange(0x1000, 0x2000));
    assertThat(tree.memory()).containsExactly(new AddressRange(0x40000000, 0x8000000));
  }

  @Test
  void refusesToReadAPropertyAsWhatItIsNot() throws Exception {
    DeviceTreeProperty mac = board().property("/soc/serial", "mac").orElseThrow();

    assertThatThrownBy(mac::asCells)
        .hasMessage("Property mac = [00 11 22 33 44 55] does not hold 32-bit cells");
    assertThatThrownBy(mac::asString).hasMessageContaining("strings");
  }

  @Test
  void rewritesWhatDtcWroteByteForByte() throws Exception {
    for (Path dtb : List.of(compile(BOARD), compile(BOARD, "-p", "500"))) {
      byte[] theirs = Files.readAllBytes(dtb);

      assertThat(flattenedAnew(DeviceTree.read(dtb)).toByteArray()).isEqualTo(theirs);
    }
  }

  @Test
  void readsATreeWithSpareReservationsAsTheSameTree() throws Exception {
    DeviceTree plain = board();

    assertThat(DeviceTree.read(compile(BOARD, "-R", "4"))).isEqualTo(plain);
  }

  private static ImageData flattenedAnew(DeviceTree tree) {
    return tree.withSlack(tree.slack()).toImageData();
  }

  @Test
  void keepsEveryByteOfATreeThatIsNotChanged() throws Exception {
    Path odd = compile(BOARD, "-R", "4", "-p", "100");

    assertThat(DeviceTree.read(odd).toImageData().toByteArray()).isEqualTo(Files.readAllBytes(odd));
  }

  @Test
  void readsVersion16AsTheSameTree() throws Exception {
    DeviceTree current = board();

    assertThat(DeviceTree.read(compile(BOARD, "-V", "16"))).isEqualTo(current);
  }

  @Test
  void changesATreeAsFdtputDoes() throws Exception {
    Path dtb = compile(BOARD);
    DeviceTree ours =
        DeviceTree.read(dtb)
            .withBootargs("liminix root=/dev/mtdblock0")
            .with("/chosen", DeviceTreeProperty.string("linux,note", "a new name"))
            .with("/soc/serial@1000", DeviceTreeProperty.cells("reg", 0x2000, 1))
            .withNode("/soc/flash@0")
            .withoutProperty("/soc/serial@1000", "fifo");

    fdtput("-t", "s", dtb, "/chosen", "bootargs", "liminix root=/dev/mtdblock0");
    fdtput("-t", "s", dtb, "/chosen", "linux,note", "a new name");
    fdtput("-t", "lx", dtb, "/soc/serial@1000", "reg", "2000", "1");
    fdtput("-c", dtb, "/soc/flash@0");
    fdtput("-d", dtb, "/soc/serial@1000", "fifo");

    assertSameLayout(ours, dtb);
  }

  @Test
  void reservesMemoryAsLiminixDoesWithFdtput() throws Exception {
    Path dtb = compile(BOARD);
    DeviceTree ours =
        DeviceTree.read(dtb)
            .withReservedMemory("phram-rootfs", "phram", new AddressRange(0x40100000, 0x30000));

    fdtput("-p", dtb, "/reserved-memory", "#address-cells", "2");
    fdtput("-p", dtb, "/reserved-memory", "#size-cells", "2");
    fdtput("-p", dtb, "/reserved-memory", "ranges");
    String node = "/reserved-memory/phram-rootfs@40100000";
    fdtput("-p", "-t", "s", dtb, node, "compatible", "phram");
    fdtput("-p", "-t", "lx", dtb, node, "reg", "0", "0x40100000", "0", "0x30000");

    assertSameLayout(ours, dtb);
    assertThat(ours.reservedMemory()).containsExactly(new AddressRange(0x40100000, 0x30000));
  }

  /** Equal bytes but for the padding of values, where libfdt leaves whatever stood there before. */
  private static void assertSameLayout(DeviceTree ours, Path theirs) throws Exception {
    assertThat(ours.toImageData()).isEqualTo(flattenedAnew(DeviceTree.read(theirs)));
    assertThat(theirs).hasSize(ours.toImageData().size());
  }

  private void fdtput(Object... arguments) throws Exception {
    DebianTool.FDTPUT.run(directory, arguments);
  }

  @Test
  void countsCellsAsTheReservedMemoryThatIsThereDoes() throws Exception {
    DeviceTree tree =
        DeviceTree.read(
                compile(
                    """
                    /dts-v1/;
                    / {
                      #address-cells = <2>;
                      #size-cells = <2>;
                      reserved-memory {
                        #address-cells = <1>;
                        #size-cells = <1>;
                        ranges;
                        secure@1000 { reg = <0x1000 0x2000>; no-map; };
                      };
                    };
                    """))
            .withReservedMemory("phram-rootfs", "phram", new AddressRange(0x100000, 0x30000));

    assertThat(tree.property("/reserved-memory/phram-rootfs", "reg").orElseThrow().asCells())
        .containsExactly(0x100000L, 0x30000L);
    assertThat(tree.reservedMemory())
        .containsExactlyInAnyOrder(
            new AddressRange(0x1000, 0x2000), new AddressRange(0x100000, 0x30000));
  }

  @Test
  void refusesAnAddressThatItsCellsCannotHold() throws Exception {
    DeviceTree tree =
        DeviceTree.of(
            DeviceTreeNode.empty("")
                .append(
                    DeviceTreeProperty.cells("#address-cells", 1),
                    DeviceTreeProperty.cells("#size-cells", 1)));

    assertThatThrownBy(
            () -> tree.withReservedMemory("x", "phram", new AddressRange(0x1_0000_0000L, 1)))
        .hasMessageContaining("0x100000000 does not fit the single cell");
  }

  @Test
  void aTreeMadeFromScratchIsTheOneDtcCompiles() throws Exception {
    DeviceTree ours =
        DeviceTree.of(
            DeviceTreeNode.empty("")
                .append(
                    DeviceTreeProperty.cells("#address-cells", 1),
                    DeviceTreeProperty.string("model", "Handmade"))
                .append(
                    DeviceTreeNode.empty("leds")
                        .append(
                            DeviceTreeProperty.flag("model-ok"),
                            DeviceTreeProperty.u64("big", 0x1_0000_0002L))));
    Path theirs =
        compile(
            """
            /dts-v1/;
            / {
              #address-cells = <1>;
              model = "Handmade";
              leds { model-ok; big = <1 2>; };
            };
            """);

    assertThat(ours.toImageData().toByteArray()).isEqualTo(Files.readAllBytes(theirs));
  }

  @Test
  void namesTheFieldThatIsDamaged() throws Exception {
    byte[] good = Files.readAllBytes(compile(BOARD));

    assertDamaged(good, 0, 0, "device tree, magic at offset 0x0: 0x00000000 is not 0xd00dfeed");
    assertDamaged(good, 4, 0x7fffffff, "device tree, totalsize at offset 0x0: needs 2147483647");
    assertDamaged(good, 8, 0x39, "off_dt_struct at offset 0x8: 0x39 is not aligned to 4");
    assertDamaged(good, 12, 0x7fffffff, "off_dt_strings at offset 0x7fffffff: needs");
    assertDamaged(good, 20, 3, "version at offset 0x14: 3 (compatible back to 16)");
    assertDamaged(good, 36, 8, "the structure block ends at");
    int struct = ByteBuffer.wrap(good).getInt(8);
    assertDamaged(good, struct, 7, "tag at offset 0x%x: 7 is no tag".formatted(struct));
    assertDamaged(good, struct, 2, "FDT_END_NODE at offset 0x%x: outside".formatted(struct));
    assertDamaged(
        good, struct + 16, 0x1000, "property name offset at offset 0x%x".formatted(struct + 16));
  }

  private static void assertDamaged(byte[] good, int offset, int value, String message) {
    ByteBuffer bad = ByteBuffer.wrap(good.clone()).putInt(offset, value);

    assertThatThrownBy(() -> DeviceTree.parse(bad))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining(message);
  }
}
