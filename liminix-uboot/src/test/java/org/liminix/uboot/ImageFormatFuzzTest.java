package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever the bytes, a parser either understands them, and then can write them again, or throws an
 * {@link ImageFormatException}. Run with {@code JAZZER_FUZZ=1} and one method to search for more.
 */
class ImageFormatFuzzTest {
  @MethodSource("uImages")
  @FuzzTest(maxDuration = "2m")
  void uImage(byte[] data) {
    attempt(
        () -> {
          UImage image = UImage.parse(ByteBuffer.wrap(data));
          assertThat(image.toImageData()).isEqualTo(ImageData.of(data).slice(0, image.size()));
        });
  }

  static Stream<byte[]> uImages() {
    UImage.Builder multi = UImage.builder().architecture(CpuArchitecture.MIPS).name("seed");
    return Stream.of(
        multi
            .type(ImageType.MULTI)
            .data(ImageData.of(Samples.bytes(5)))
            .data(ImageData.of(Samples.bytes(40)))
            .build()
            .toImageData()
            .toByteArray());
  }

  @MethodSource("trees")
  @FuzzTest(maxDuration = "2m")
  void deviceTree(byte[] data) {
    attempt(
        () -> {
          DeviceTree tree = DeviceTree.parse(ByteBuffer.wrap(data));
          ByteBuffer again = tree.withSlack(0).toImageData().toByteBuffer();
          assertThat(DeviceTree.parse(again)).isEqualTo(tree);
        });
  }

  static Stream<byte[]> trees() {
    return Stream.of(
        DeviceTree.of(
                DeviceTreeNode.empty("")
                    .append(
                        DeviceTreeProperty.cells("#address-cells", 1),
                        DeviceTreeProperty.cells("#size-cells", 1)))
            .withBootargs("console=ttyS0")
            .withReservedMemory("phram", "phram", new AddressRange(0x1000, 0x2000))
            .toImageData()
            .toByteArray());
  }

  @MethodSource("fits")
  @FuzzTest(maxDuration = "2m")
  void fit(byte[] data) {
    attempt(
        () ->
            assertThat(Fit.parse(ByteBuffer.wrap(data)).toImageData())
                .isEqualTo(ImageData.of(data)));
  }

  static Stream<byte[]> fits() {
    return Stream.of(seedFit().build(), seedFit().externalData().build())
        .map(fit -> fit.toImageData().toByteArray());
  }

  private static Fit.Builder seedFit() {
    return Fit.builder()
        .image(
            FitImage.builder("k", ImageType.KERNEL)
                .data(ImageData.of(Samples.bytes(20)))
                .loadAddress(0x1000)
                .hash("crc32")
                .build())
        .configuration(FitConfiguration.of("c", "", "k"));
  }

  @MethodSource("elves")
  @FuzzTest(maxDuration = "2m")
  void elf(byte[] data) {
    attempt(
        () -> {
          ElfImage image = ElfImage.parse(ByteBuffer.wrap(data));
          try {
            image.toBinary();
          } catch (IllegalStateException e) {
            assertThat(e).hasMessageMatching("Section .* at 0x.*|This ELF file has nothing.*");
          }
        });
  }

  static Stream<byte[]> elves() {
    ByteBuffer elf = ByteBuffer.allocate(0x200);
    elf.putInt(0x7f454c46).put((byte) 1).put((byte) 2).put((byte) 1);
    elf.putShort(18, (short) 8).putInt(24, 0x80100000);
    elf.putInt(28, 52).putShort(42, (short) 32).putShort(44, (short) 1);
    elf.putInt(52, 1).putInt(56, 0x180).putInt(60, 0x80100000).putInt(64, 0x100000);
    elf.putInt(68, 0x40).putInt(72, 0x40);
    elf.putInt(32, 0x80).putShort(46, (short) 40).putShort(48, (short) 2).putShort(50, (short) 1);
    elf.putInt(0x80 + 4, 1).putInt(0x80 + 8, 2).putInt(0x80 + 12, 0x80100000);
    elf.putInt(0x80 + 16, 0x180).putInt(0x80 + 20, 0x40);
    elf.putInt(0x80 + 40 + 4, 3).putInt(0x80 + 40 + 16, 0x1c0).putInt(0x80 + 40 + 20, 8);
    return Stream.of(elf.array());
  }

  @MethodSource("firmwares")
  @FuzzTest(maxDuration = "2m")
  void firmware(byte[] data) {
    attempt(
        () -> {
          FirmwareImage image = FirmwareImage.parse(ByteBuffer.wrap(data), 64);
          assertThat(image.size()).isGreaterThanOrEqualTo(data.length);
        });
  }

  static Stream<byte[]> firmwares() {
    return Stream.concat(uImages(), fits())
        .map(kernel -> FirmwareImage.of(ImageData.of(kernel), ImageData.of(kernel), 64))
        .map(firmware -> firmware.toImageData().toByteArray());
  }

  private static void attempt(Runnable parsing) {
    try {
      parsing.run();
    } catch (ImageFormatException refused) {
      assertThat(refused.field()).isNotEmpty();
    }
  }

  @Test
  void noDamagedByteMakesAParserFailInAnotherWay() {
    uImages().forEach(seed -> damage(seed, this::uImage));
    trees().forEach(seed -> damage(seed, this::deviceTree));
    fits().forEach(seed -> damage(seed, this::fit));
    elves().forEach(seed -> damage(seed, this::elf));
    firmwares().forEach(seed -> damage(seed, this::firmware));
  }

  private static void damage(byte[] seed, Consumer<byte[]> parser) {
    Random random = new Random(seed.length);
    byte[] telling = {0, 1, 4, 0x7f, -1, (byte) random.nextInt()};
    for (int i = 0; i < seed.length; i++) {
      for (byte value : telling) {
        byte[] bad = seed.clone();
        bad[i] = value;
        parser.accept(bad);
      }
      parser.accept(Arrays.copyOf(seed, i));
    }
  }
}
