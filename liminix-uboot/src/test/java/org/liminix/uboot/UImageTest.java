package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UImageTest {
  private static final Instant TOOL_TIME = Instant.ofEpochSecond(1_700_000_000);

  @TempDir Path directory;

  private static UImage.Builder kernel() {
    return UImage.builder()
        .architecture(CpuArchitecture.MIPS)
        .compression(Compression.LZMA)
        .loadAddress(0x80060000L)
        .entryPoint(0x80060400L)
        .name("MIPS Liminix Linux")
        .timestamp(TOOL_TIME);
  }

  private static byte[] kernelBytes() {
    return kernel().data(ImageData.of(Samples.bytes(5001))).build().toImageData().toByteArray();
  }

  private Path sample(String name, int size) throws Exception {
    return Files.write(directory.resolve(name), Samples.bytes(size));
  }

  private byte[] mkimage(String type, String data) throws Exception {
    Path image = directory.resolve("theirs");
    DebianTool.MKIMAGE.run(
        directory,
        "-A",
        "mips",
        "-O",
        "linux",
        "-T",
        type,
        "-C",
        "lzma",
        "-a",
        "0x80060000",
        "-e",
        "0x80060400",
        "-n",
        "MIPS Liminix Linux",
        "-d",
        data,
        image);
    return Files.readAllBytes(image);
  }

  @Test
  void writesAKernelAsMkimageDoes() throws Exception {
    sample("data", 5001);

    assertThat(kernelBytes()).isEqualTo(mkimage("kernel", "data"));
  }

  @Test
  void writesSeveralFilesAsMkimageDoes() throws Exception {
    sample("kernel", 5001);
    sample("ramdisk", 777);
    sample("dtb", 42);
    UImage image =
        kernel()
            .type(ImageType.MULTI)
            .data(ImageData.of(Samples.bytes(5001)))
            .data(ImageData.of(Samples.bytes(777)))
            .data(ImageData.of(Samples.bytes(42)))
            .build();

    assertThat(image.toImageData().toByteArray()).isEqualTo(mkimage("multi", "kernel:ramdisk:dtb"));
  }

  @Test
  void writesAScriptAsMkimageDoes() throws Exception {
    sample("script", 99);
    UImage image = kernel().type(ImageType.SCRIPT).data(ImageData.of(Samples.bytes(99))).build();

    assertThat(image.toImageData().toByteArray()).isEqualTo(mkimage("script", "script"));
  }

  @Test
  void readsAllFieldsOfWhatMkimageWrote() throws Exception {
    sample("kernel", 5001);
    sample("dtb", 42);

    UImage image = UImage.parse(ByteBuffer.wrap(mkimage("multi", "kernel:dtb")));

    assertThat(image.architecture()).isEqualTo(CpuArchitecture.MIPS);
    assertThat(image.os()).isEqualTo(OperatingSystem.LINUX);
    assertThat(image.type()).isEqualTo(ImageType.MULTI);
    assertThat(image.compression()).isEqualTo(Compression.LZMA);
    assertThat(image.loadAddress()).isEqualTo(0x80060000L);
    assertThat(image.entryPoint()).isEqualTo(0x80060400L);
    assertThat(image.timestamp()).isEqualTo(TOOL_TIME);
    assertThat(image.name()).isEqualTo("MIPS Liminix Linux");
    assertThat(image.parts())
        .containsExactly(ImageData.of(Samples.bytes(5001)), ImageData.of(Samples.bytes(42)));
  }

  @Test
  void rewritesWhatItReadByteForByte() throws Exception {
    sample("kernel", 5001);
    sample("dtb", 42);
    byte[] theirs = mkimage("multi", "kernel:dtb");

    assertThat(UImage.parse(ByteBuffer.wrap(theirs)).toImageData().toByteArray()).isEqualTo(theirs);
  }

  @Test
  void dumpimageExtractsEachFile() throws Exception {
    Path ours = directory.resolve("ours");
    kernel()
        .type(ImageType.MULTI)
        .data(ImageData.of(Samples.bytes(5001)))
        .data(ImageData.of(Samples.bytes(42)))
        .build()
        .write(ours);

    DebianTool.DUMPIMAGE.run(directory, "-T", "multi", "-p", "1", "-o", "second", ours);

    assertThat(directory.resolve("second")).hasBinaryContent(Samples.bytes(42));
    assertThat(DebianTool.DUMPIMAGE.run(directory, "-l", ours))
        .contains("Image 0: 5001 Bytes", "Image 1: 42 Bytes", "MIPS Linux Multi-File Image");
  }

  @Test
  void knowsTheNumbersMkimageKnows() throws Exception {
    sample("data", 8);
    List<String> wrong = new ArrayList<>();
    List<ImageCode> codes = new ArrayList<>(List.of(CpuArchitecture.values()));
    codes.addAll(List.of(OperatingSystem.values()));
    codes.addAll(List.of(Compression.values()));
    for (ImageCode code : codes) {
      String option =
          code instanceof CpuArchitecture ? "-A" : code instanceof Compression ? "-C" : "-O";
      Path image = directory.resolve("code");
      DebianTool.MKIMAGE.run(
          directory,
          "-A",
          "mips",
          "-O",
          "linux",
          "-T",
          "standalone",
          "-C",
          "none",
          option,
          code.shortName(),
          "-d",
          "data",
          image);
      UImage read = UImage.read(image);
      if (!List.of(read.architecture(), read.os(), read.compression()).contains(code)) {
        wrong.add(code + " was read as " + read);
      }
    }

    assertThat(wrong).isEmpty();
  }

  @Test
  void leavesWhatFollowsTheImageAlone() {
    byte[] image = kernelBytes();
    byte[] padded = Arrays.copyOf(image, 0x10000);

    UImage read = UImage.parse(ByteBuffer.wrap(padded));

    assertThat(read.size()).isEqualTo(image.length);
    assertThat(read.toImageData().toByteArray()).isEqualTo(image);
  }

  @Test
  void namesTheFieldThatIsDamaged() {
    assertField(0, "ih_magic");
    assertField(4, "ih_hcrc");
    assertField(16, "ih_hcrc");
    assertField(70, "ih_dcrc");
  }

  private static void assertField(int damaged, String field) {
    byte[] image = kernelBytes();
    image[damaged] ^= 1;
    ImageFormatException refusal =
        catchThrowableOfType(
            ImageFormatException.class, () -> UImage.parse(ByteBuffer.wrap(image)));
    assertThat(refusal.field()).isEqualTo(field);
    assertThat(refusal).hasMessageStartingWith("uImage, " + field + " at offset 0x");
  }

  @Test
  void refusesAnImageThatIsCutShort() {
    ByteBuffer cut = ByteBuffer.wrap(kernelBytes(), 0, 5000);

    assertThatThrownBy(() -> UImage.parse(cut))
        .isInstanceOf(ImageFormatException.class)
        .hasMessage("uImage, data at offset 0x40: needs 5001 bytes, but the image ends at 0x1388");
  }

  @Test
  void refusesASizeTableThatPointsOutside() {
    UImage image = kernel().data(ImageData.of(new byte[] {0, 0, 1, 0, 0, 0, 0, 0, 1})).build();
    byte[] bytes = image.toImageData().toByteArray();
    byte[] multi = withType(bytes, ImageType.MULTI);

    assertThatThrownBy(() -> UImage.parse(ByteBuffer.wrap(multi)))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("size table at offset 0x40: part 0 of 256 bytes");
  }

  private static byte[] withType(byte[] image, ImageType type) {
    image[30] = (byte) type.id();
    CRC32 crc = new CRC32();
    ByteBuffer header = ByteBuffer.wrap(image);
    header.putInt(4, 0);
    crc.update(image, 0, UImage.HEADER_SIZE);
    header.putInt(4, (int) crc.getValue());
    return image;
  }

  @Test
  void writesThroughAChannelThatTakesLittleAtATime() throws Exception {
    ByteBuffer sink = ByteBuffer.allocate(6000);
    WritableByteChannel slow =
        new WritableByteChannel() {
          @Override
          public int write(ByteBuffer source) {
            int taken = Math.min(7, source.remaining());
            for (int i = 0; i < taken; i++) {
              sink.put(source.get());
            }
            return taken;
          }

          @Override
          public boolean isOpen() {
            return true;
          }

          @Override
          public void close() {}
        };

    UImage.parse(ByteBuffer.wrap(kernelBytes())).writeTo(slow);

    assertThat(sink.flip()).isEqualTo(ByteBuffer.wrap(kernelBytes()));
  }

  @Test
  void replacesTheVeryFileItWasReadFrom() throws Exception {
    Path file = Files.write(directory.resolve("image"), kernelBytes());

    UImage.read(file).write(file);

    assertThat(file).hasBinaryContent(kernelBytes());
    assertThat(directory).isDirectoryNotContaining(path -> path.toString().endsWith(".new"));
  }

  @Test
  void refusesMisuseWithTheFix() {
    assertThatThrownBy(() -> UImage.builder().loadAddress(0x1_0000_0000L))
        .hasMessageContaining("loadAddress 0x100000000")
        .hasMessageContaining("use a Fit");
    assertThatThrownBy(() -> kernel().name("again")).hasMessageContaining("name is already");
    assertThatThrownBy(() -> UImage.builder().name("x".repeat(33))).hasMessageContaining("32");
    assertThatThrownBy(() -> kernel().build()).hasMessageContaining("call data");
    assertThatThrownBy(() -> UImage.builder().data(ImageData.of((byte) 1)).build())
        .hasMessageContaining("call architecture");
    assertThatThrownBy(
            () -> kernel().data(ImageData.of((byte) 1)).data(ImageData.of((byte) 2)).build())
        .hasMessageContaining("ImageType.MULTI");
  }

  @Test
  void takesAddressesThatWereSignExtended() {
    UImage image =
        UImage.builder()
            .architecture(CpuArchitecture.MIPS)
            .loadAddress(0xffffffff80060000L)
            .data(ImageData.of((byte) 1))
            .build();

    assertThat(image.loadAddress()).isEqualTo(0x80060000L);
  }

  @Test
  void startsWhereItIsLoadedUnlessToldOtherwise() {
    UImage.Builder builder =
        UImage.builder().architecture(CpuArchitecture.ARM64).data(ImageData.of("kernel"));

    assertThat(builder.loadAddress(0x42000000).build().entryPoint()).isEqualTo(0x42000000);
    assertThat(builder.entryPoint(0x42000040).build().entryPoint()).isEqualTo(0x42000040);
  }
}
