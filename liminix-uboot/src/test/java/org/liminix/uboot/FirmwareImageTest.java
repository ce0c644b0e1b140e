package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FirmwareImageTest {
  private static final int BLOCK = 0x10000;

  @TempDir Path directory;

  private static ImageData kernel(int size) {
    return UImage.builder()
        .architecture(CpuArchitecture.MIPS)
        .data(ImageData.of(Samples.bytes(size - UImage.HEADER_SIZE)))
        .build()
        .toImageData();
  }

  @ParameterizedTest
  @CsvSource({"100000, 200000", "65536, 131072", "65537, 1"})
  void padsKernelAndRootfsAsLiminixDoesWithDd(int kernelSize, int rootfsSize) throws Exception {
    ImageData kernel = kernel(kernelSize);
    kernel.writeTo(directory.resolve("uimage"));
    Files.write(directory.resolve("rootfs"), Samples.bytes(rootfsSize));
    DebianTool.DD.run(directory, "if=uimage", "of=theirs", "bs=65536", "conv=sync");
    DebianTool.DD.run(
        directory,
        "if=rootfs",
        "of=theirs",
        "bs=65536",
        "conv=sync,nocreat,notrunc",
        "oflag=append");

    FirmwareImage ours = FirmwareImage.of(kernel, ImageData.of(Samples.bytes(rootfsSize)), BLOCK);

    assertThat(ours.toImageData().toByteArray())
        .isEqualTo(Files.readAllBytes(directory.resolve("theirs")));
    assertThat(ours.size()).isEqualTo(Files.size(directory.resolve("theirs")));
  }

  @Test
  void findsKernelAndRootfsAgain() throws Exception {
    Path file = directory.resolve("firmware.bin");
    FirmwareImage written =
        FirmwareImage.of(kernel(100_000), ImageData.of(Samples.bytes(70_000)), BLOCK);
    written.write(file);

    FirmwareImage read = FirmwareImage.read(file, BLOCK);

    assertThat(read.kernel()).isEqualTo(written.kernel());
    assertThat(read.rootfsOffset()).isEqualTo(0x20000);
    assertThat(read.rootfs().slice(0, 70_000)).isEqualTo(written.rootfs());
    assertThat(read.toImageData()).isEqualTo(written.toImageData());
  }

  @Test
  void findsTheRootfsBehindAFit() {
    Fit fit =
        Fit.builder()
            .image(
                FitImage.builder("kernel", ImageType.KERNEL)
                    .data(ImageData.of(Samples.bytes(70_000)))
                    .build())
            .build();
    ImageData rootfs = ImageData.of(Samples.bytes(BLOCK));
    FirmwareImage written = FirmwareImage.of(fit.toImageData(), rootfs, BLOCK);

    FirmwareImage read = FirmwareImage.parse(written.toImageData().toByteBuffer(), BLOCK);

    assertThat(read.kernel()).isEqualTo(fit.toImageData());
    assertThat(read.rootfs()).isEqualTo(rootfs);
  }

  @Test
  void refusesAFileThatIsNoFirmware() {
    assertThatThrownBy(() -> FirmwareImage.parse(ByteBuffer.allocate(BLOCK), BLOCK))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("firmware.bin, kernel at offset 0x0: 0x00000000 begins neither");
    ByteBuffer kernelAlone = kernel(100).paddedTo(BLOCK).toByteBuffer();
    assertThatThrownBy(() -> FirmwareImage.parse(kernelAlone, BLOCK))
        .hasMessageContaining("rootfs at offset 0x10000")
        .hasMessageContaining("erase blocks");
  }

  @ParameterizedTest
  @CsvSource({
    "0, 4096, 65536",
    "1, 4096, 65536",
    "4095, 4096, 65536",
    "4096, 8192, 65536",
    "65536, 69632, 131072"
  })
  void roundsUpAsTheShellFunctionsOfLiminixDo(long size, long page, long largePage) {
    assertThat(FirmwareImage.binsize(size)).isEqualTo(page);
    assertThat(FirmwareImage.binsize64k(size)).isEqualTo(largePage);
  }
}
