package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TftpBootScriptTest {
  private static final ImageData ROOTFS =
      ImageData.of(Arrays.copyOf(Samples.bytes(0x8000), 0x345678));

  private static final MemoryMap BOARD =
      MemoryMap.builder()
          .ram(new AddressRange(0x40000000L, 0x8000000))
          .uboot(new AddressRange(0x46000000L, 0x2000000))
          .build();

  @TempDir Path directory;

  private static DeviceTree tree() {
    return DeviceTree.of(
        DeviceTreeNode.empty("")
            .append(
                DeviceTreeProperty.cells("#address-cells", 2),
                DeviceTreeProperty.cells("#size-cells", 2))
            .append(DeviceTreeNode.empty("chosen")));
  }

  private static ImageData uimage(long loadAddress, Compression compression, ImageData data) {
    return UImage.builder()
        .architecture(CpuArchitecture.ARM)
        .compression(compression)
        .loadAddress(loadAddress)
        .data(data)
        .build()
        .toImageData();
  }

  private static ImageData file(TftpBootScript boot, String name) {
    return Objects.requireNonNull(boot.files().get(name), name);
  }

  private static TftpBootScript.Builder builder() {
    return TftpBootScript.builder()
        .serverIp("10.0.0.1")
        .ipAddress("10.0.0.8")
        .loadAddress(0x41000000)
        .commandLine("console=ttyAMA0")
        .rootfs(ROOTFS);
  }

  private static TftpBootScript.Builder withKernel() {
    return builder()
        .deviceTree(tree())
        .kernel(
            KernelFormat.UIMAGE,
            uimage(0x40008000, Compression.NONE, ImageData.of(Samples.bytes(0x200000))));
  }

  @Test
  void laysOutMemoryAndWritesTheScriptAsLiminixDoes() {
    TftpBootScript boot = withKernel().build();

    assertThat(boot.script().text())
        .isEqualTo(
            """
            setenv serverip 10.0.0.1
            setenv ipaddr 10.0.0.8
            tftpboot 0x41000000 result/rootfs; tftpboot 0x41351000 result/image; \
            tftpboot 0x41350000 result/dtb
            bootm 0x41351000 - 0x41350000
            """);
    assertThat(boot.bootargs())
        .isEqualTo(
            "liminix console=ttyAMA0 mtdparts=phram0:3473408(rootfs)"
                + " phram.phram=phram0,1090519040,3473408,65536 root=/dev/mtdblock0");
    assertThat(boot.check(BOARD).problems()).isEmpty();
  }

  @Test
  void givesLinuxTheDeviceTreeThatFdtputWouldMake() throws Exception {
    Path dtb = directory.resolve("dtb");
    tree().write(dtb);
    DebianTool fdtput = DebianTool.FDTPUT;
    fdtput.run(directory, "-p", dtb, "/reserved-memory", "#address-cells", "2");
    fdtput.run(directory, "-p", dtb, "/reserved-memory", "#size-cells", "2");
    fdtput.run(directory, "-p", dtb, "/reserved-memory", "ranges");
    String node = "/reserved-memory/phram-rootfs@41000000";
    fdtput.run(directory, "-p", "-t", "s", dtb, node, "compatible", "phram");
    fdtput.run(directory, "-p", "-t", "lx", dtb, node, "reg", "0", "0x41000000", "0", "0x350000");
    TftpBootScript boot = withKernel().build();
    fdtput.run(directory, "-t", "s", dtb, "/chosen", "bootargs", boot.bootargs());

    DeviceTree ours = DeviceTree.parse(file(boot, "result/dtb").toByteBuffer()).withSlack(0);
    assertThat(ours.toImageData()).isEqualTo(DeviceTree.read(dtb).withSlack(0).toImageData());
  }

  @Test
  void compressesTheRootFilesystemAsLzmaDoes() throws Exception {
    TftpBootScript boot = withKernel().compressRootfs().build();
    ImageData packed = file(boot, "result/rootfs.lz");
    packed.writeTo(directory.resolve("rootfs.lzma"));

    DebianTool.LZMA.run(directory, "-d", "rootfs.lzma");

    assertThat(directory.resolve("rootfs")).hasBinaryContent(ROOTFS.toByteArray());
    long packedSize = FirmwareImage.binsize(packed.size());
    assertThat(boot.script().lines().get(3).text())
        .isEqualTo(
            "lzmadec 0x41350000 0x41000000; bootm 0x%x - 0x%x"
                .formatted(0x41350000 + packedSize + 0x1000, 0x41350000 + packedSize));
    assertThat(boot.check(BOARD).problems()).isEmpty();
  }

  @Test
  void unpacksWhatTheLzmaProgramPacked() throws Exception {
    Files.write(directory.resolve("rootfs"), Samples.bytes(100_000));
    DebianTool.LZMA.run(directory, "-z9", "rootfs");

    assertThat(Lzma.tryDecompress(ImageData.file(directory.resolve("rootfs.lzma"))))
        .contains(ImageData.of(Samples.bytes(100_000)));
  }

  @Test
  void startsEachFormatOfKernelWithItsCommand() {
    Fit fit =
        Fit.builder()
            .image(
                FitImage.builder("kernel", ImageType.KERNEL)
                    .data(ImageData.of(Samples.bytes(100)))
                    .loadAddress(0x40080000)
                    .build())
            .configuration(FitConfiguration.of("conf-1", "", "kernel"))
            .build();
    TftpBootScript boot =
        builder().deviceTree(tree()).kernel(KernelFormat.FIT, fit.toImageData()).build();

    assertThat(boot.script().text()).endsWith("bootm 0x41351000 - 0x41350000\n");
    assertThat(boot.check(BOARD).problems()).isEmpty();
    assertThat(
            builder()
                .deviceTree(tree())
                .kernel(KernelFormat.ZIMAGE, ImageData.of(Samples.bytes(9)))
                .build()
                .script()
                .text())
        .endsWith("bootz 0x41351000 - 0x41350000\n");
  }

  @Test
  void givesLinuxItsInitialRamDisk() {
    TftpBootScript boot = withKernel().initrd(ImageData.of(Samples.bytes(0x1234))).build();

    assertThat(boot.script().text())
        .endsWith(
            """
            tftpboot 0x41000000 result/rootfs; tftpboot 0x41353000 result/image; \
            tftpboot 0x41352000 result/dtb; tftpboot 0x41350000 result/initrd
            bootm 0x41353000 0x41350000:0x1234 0x41352000
            """);
    assertThat(boot.check(BOARD).problems()).isEmpty();
    assertThat(problems(boot.script(), ":0x1234", ":0x1230", boot.files()))
        .containsExactly("the initial RAM disk result/initrd has 0x1234 bytes, not 0x1230");
    assertThat(problems(boot.script(), " 0x41350000:", " 0x41351000:", boot.files()))
        .containsExactly("there is no initial RAM disk at 0x41351000");
  }

  /** What is wrong with a script of which a word is replaced. */
  private static List<String> problems(
      UBootScript script, String word, String replacement, Map<String, ImageData> files) {
    return UBootScript.parse(script.text().replace(word, replacement))
        .check(BOARD, ImageSource.of(files))
        .problems()
        .stream()
        .map(PlanProblem::message)
        .toList();
  }

  @Test
  void givesLinuxItsInitialRamDiskWithoutADeviceTree() {
    assertThat(
            builder()
                .kernel(KernelFormat.ZIMAGE, ROOTFS)
                .initrd(ImageData.of(Samples.bytes(0x1234)))
                .build()
                .script()
                .text())
        .endsWith("bootz 0x41352000 0x41350000:0x1234\n");
  }

  @Test
  void knowsWhereAZImageUnpacksTo() {
    // The header and the table of Debian's armmp kernel, but for the place of the latter.
    ByteBuffer image = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);
    image.putInt(0x24, 0x016f2818).putInt(0x34, 0x45454545).putInt(0x38, 0x100);
    image.position(0x100);
    image.putInt(6).putInt(0x5a534c4b).putInt(0xffc).putInt(0x5e4d4).putInt(0x208000);
    image.putInt(0xffc, 0x13a10b4).rewind();
    Map<String, ImageData> files =
        Map.of("image", ImageData.of(image), "rootfs", ImageData.of(Samples.bytes(100)));
    UBootScript script =
        UBootScript.parse(
            """
            tftpboot 0x45000000 image
            tftpboot ROOTFS rootfs
            bootz 0x45000000
            """);

    assertThat(problems(script, "ROOTFS", "0x41000000", files))
        .containsExactly(
            "the zImage unpacks to 0x40203000..0x41607588, over rootfs, 0x41000000..0x41000064;"
                + " load all beyond that");
    assertThat(problems(script, "ROOTFS", "0x41607588", files)).isEmpty();
    UBootScript wrapped = UBootScript.parse(script.text().replace("bootz", "bootm"));
    ImageData kernel = uimage(0x44000000, Compression.NONE, ImageData.of(image));
    Map<String, ImageData> withHeader = new HashMap<>(files);
    withHeader.put("image", kernel);
    assertThat(problems(wrapped, "ROOTFS", "0x41000000", withHeader))
        .singleElement()
        .asString()
        .startsWith("the zImage unpacks to 0x40203000..0x41607588, over rootfs");
    image.putInt(0x38, 0xff8); // no room for a table
    assertThat(problems(script, "ROOTFS", "0x41000000", files)).isEmpty();
  }

  @Test
  void knowsWhereBootiMovesAKernel() {
    // text_offset, image_size and flags of Linux's Documentation/arm64/booting.rst.
    ByteBuffer image = ByteBuffer.allocate(0x1000).order(ByteOrder.LITTLE_ENDIAN);
    image.putLong(16, 0x180000).putLong(24, 0xa).putInt(56, 0x644d5241);
    Map<String, ImageData> files =
        Map.of("image", ImageData.of(image), "rootfs", ImageData.of(Samples.bytes(100)));
    UBootScript script =
        UBootScript.parse(
            """
            tftpboot 0x41001000 image
            tftpboot ROOTFS rootfs
            booti 0x41001000
            """);

    assertThat(problems(script, "ROOTFS", "0x41200000", files))
        .containsExactly(
            "the kernel is moved to 0x41200000..0x41380000, over rootfs, 0x41200000..0x41200064;"
                + " put that before it");
    assertThat(problems(script, "ROOTFS", "0x41380000", files)).isEmpty();
    image.putLong(24, 2).putLong(8, 0x80000); // relative to the start of RAM
    assertThat(problems(script, "ROOTFS", "0x401fff00", files))
        .singleElement()
        .asString()
        .contains("is moved to 0x40080000..0x40200000");
    image.putLong(16, 0).putLong(8, 0); // too old to say
    assertThat(problems(script, "ROOTFS", "0x41000000", files))
        .singleElement()
        .asString()
        .contains("is moved to 0x40080000..0x41080000");
  }

  @Test
  void setsBootargsItselfOnABoardWithoutDeviceTree() {
    TftpBootScript boot =
        TftpBootScript.builder()
            .serverIp("10.0.0.1")
            .ipAddress("10.0.0.8")
            .loadAddress(0x88000000L)
            .addressing(Addressing.MIPS)
            .rootfs(ROOTFS)
            .commandLine("mem=128M")
            .kernel(
                KernelFormat.UIMAGE,
                uimage(0x80100000L, Compression.NONE, ImageData.of(Samples.bytes(99))))
            .build();

    assertThat(boot.script().text())
        .contains(
            "setenv bootargs 'liminix mem=128M mtdparts=phram0:3473408(rootfs)"
                + " phram.phram=phram0,134217728,3473408,65536 root=/dev/mtdblock0'\n")
        .endsWith("bootm 0x88350000\n");
    MemoryMap board =
        MemoryMap.builder()
            .addressing(Addressing.MIPS)
            .ram(new AddressRange(0x80000000L, 0x10000000))
            .build();
    assertThat(boot.check(board).problems()).isEmpty();
  }

  @Test
  void refusesAKernelThatWouldUnpackOverItsRootFilesystem() {
    ImageData kernel =
        uimage(0x40f00000, Compression.LZMA, Lzma.compress(ImageData.of(new byte[0x200000])));
    TftpBootScript boot = builder().deviceTree(tree()).kernel(KernelFormat.UIMAGE, kernel).build();

    assertThat(boot.check(BOARD).problems())
        .extracting(PlanProblem::message)
        .containsExactly(
            "the kernel unpacks to 0x40f00000..0x41100000, over result/rootfs,"
                + " 0x41000000..0x41345678");
  }

  @Test
  void refusesLoadsThatOverlapEachOther() {
    UBootScript script =
        UBootScript.parse(
            """
            tftpboot 0x41000000 result/rootfs
            tftpboot 0x41300000 result/image
            """);

    assertThat(script.check(BOARD, ImageSource.of(withKernel().build().files())).problems())
        .extracting(PlanProblem::message)
        .containsExactly(
            "result/image, 0x41300000..0x41500040, would overwrite result/rootfs,"
                + " 0x41000000..0x41345678, which line 1 put there");
  }

  @Test
  void refusesAZImageWithTheRootFilesystemRightBehindIt() {
    UBootScript script =
        UBootScript.parse(
            """
            tftpboot 0x41000000 result/image
            tftpboot 0x41300000 result/rootfs
            bootz 0x41000000
            """);

    assertThat(script.check(BOARD, ImageSource.of(withKernel().build().files())).problems())
        .extracting(PlanProblem::message)
        .singleElement()
        .asString()
        .contains("a zImage unpacks into the memory behind it, where result/rootfs is");
  }

  @Test
  void refusesARootFilesystemThatLinuxWouldNotFindOrWouldOverwrite() {
    TftpBootScript boot = withKernel().build();
    UBootScript elsewhere =
        UBootScript.parse(boot.script().text().replace("0x41000000", "0x42000000"));
    assertThat(elsewhere.check(BOARD, ImageSource.of(boot.files())).problems())
        .extracting(PlanProblem::message)
        .containsExactly("phram is to be at 0x41000000..0x41350000, but nothing was loaded there");

    DeviceTree unreserved =
        DeviceTree.parse(file(boot, "result/dtb").toByteBuffer()).withoutNode("/reserved-memory");
    Map<String, ImageData> files =
        Map.of(
            "result/rootfs",
            ROOTFS,
            "result/image",
            file(boot, "result/image"),
            "result/dtb",
            unreserved.toImageData());
    assertThat(boot.script().check(BOARD, ImageSource.of(files)).problems())
        .extracting(PlanProblem::message)
        .containsExactly(
            "the device tree does not reserve 0x41000000..0x41350000, so Linux would overwrite its"
                + " root filesystem");
  }

  @Test
  void followsTheScriptsOfLiminixAsTheyAre() {
    // As the output tftpboot writes it: two spaces here, a space at the end there.
    TftpBootScript boot = withKernel().compressRootfs().build();
    String packedEnd = boot.script().lines().get(3).text().replaceFirst(".*bootm", "bootm");
    String[] addresses = packedEnd.split(" ", -1);
    UBootScript theirs =
        UBootScript.parse(
            """
            setenv serverip 10.0.0.1
            setenv ipaddr 10.0.0.8
            tftpboot 0x41350000 result/rootfs.lz; tftpboot IMAGE result/image; tftpboot DTB result/dtb\040
            lzmadec 0x41350000  0x41000000;  bootm IMAGE - DTB
            """
                .replace("IMAGE", addresses[1])
                .replace("DTB", addresses[3]));

    assertThat(theirs).isEqualTo(boot.script());
    assertThat(theirs.check(BOARD, ImageSource.of(boot.files())).problems()).isEmpty();
  }

  @Test
  void appendsTheDeviceTreeForAnOldUBoot() throws Exception {
    DebianTool objcopy = new DebianTool("mips-linux-gnu-objcopy", "binutils-mips-linux-gnu");
    Files.write(directory.resolve("text"), Samples.bytes(50_000));
    tree().write(directory.resolve("dtb"));
    objcopy.run(
        directory,
        "-I",
        "binary",
        "-O",
        "elf32-tradbigmips",
        "-B",
        "mips",
        "--rename-section",
        ".data=.text,alloc,load,readonly,code,contents",
        "--change-section-address",
        ".data=0x80060000",
        "--set-start",
        "0x80060400",
        "--add-section",
        ".appended_dtb=dtb",
        "--set-section-flags",
        ".appended_dtb=alloc,load,contents",
        "--change-section-address",
        ".appended_dtb=0x80070000",
        "text",
        "vmlinux");
    TftpBootScript boot =
        builder()
            .deviceTree(tree())
            .kernelWithAppendedTree(ElfImage.read(directory.resolve("vmlinux")))
            .build();

    assertThat(boot.script().text()).endsWith("bootm 0x41350000\n");
    assertThat(boot.files()).containsOnlyKeys("result/rootfs", "result/image");
    UImage image = UImage.parse(file(boot, "result/image").toByteBuffer());
    assertThat(image.loadAddress()).isEqualTo(0x80060000L);
    assertThat(image.entryPoint()).isEqualTo(0x80060400L);
    ImageData unpacked = Lzma.tryDecompress(image.parts().get(0)).orElseThrow();
    DeviceTree appended =
        DeviceTree.parse(unpacked.slice(0x10000, unpacked.size() - 0x10000).toByteBuffer());
    assertThat(appended.bootargs()).contains(boot.bootargs());
  }

  @Test
  void writesAllFilesForATftpServer() throws Exception {
    TftpBootScript boot = withKernel().build();

    boot.write(directory.resolve("result"));

    assertThat(
            UBootScript.read(directory.resolve("result/boot.scr"))
                .check(BOARD, ImageSource.directory(directory))
                .problems())
        .isEmpty();
  }

  @Test
  void refusesMisuseWithTheFix() {
    assertThatThrownBy(() -> builder().build()).hasMessageContaining("call kernel");
    assertThatThrownBy(() -> withKernel().kernel(KernelFormat.FIT, ROOTFS))
        .hasMessageContaining("There is a kernel already");
  }
}
