package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FitTest {
  private static final String SOURCE =
      """
      /dts-v1/;
      / {
        description = "Kernel and device tree";
        #address-cells = <1>;
        images {
          kernel {
            description = "Vanilla";
            data = /incbin/("kernel");
            type = "kernel";
            arch = "arm64";
            os = "linux";
            compression = "lzma";
            load = <0x41080000>;
            entry = <0x41080040>;
            hash-1 { algo = "crc32"; };
            hash-2 { algo = "sha1"; };
          };
          fdt-1 {
            data = /incbin/("dtb");
            type = "flat_dt";
            arch = "arm64";
            compression = "none";
            hash-1 { algo = "sha256"; };
          };
        };
        configurations {
          default = "conf-1";
          conf-1 { description = "Boot"; kernel = "kernel"; fdt = "fdt-1"; };
        };
      };
      """;

  @TempDir Path directory;

  private static Fit.Builder ours() {
    return Fit.builder()
        .description("Kernel and device tree")
        .timestamp(Instant.ofEpochSecond(1_700_000_000))
        .image(
            FitImage.builder("kernel", ImageType.KERNEL)
                .description("Vanilla")
                .architecture(CpuArchitecture.ARM64)
                .os(OperatingSystem.LINUX)
                .compression(Compression.LZMA)
                .loadAddress(0x41080000)
                .entryPoint(0x41080040)
                .data(ImageData.of(Samples.bytes(5001)))
                .hash("crc32")
                .hash("sha1")
                .build())
        .image(
            FitImage.builder("fdt-1", ImageType.FLAT_DT)
                .architecture(CpuArchitecture.ARM64)
                .data(ImageData.of(Samples.bytes(777)))
                .hash("sha256")
                .build())
        .configuration(FitConfiguration.of("conf-1", "Boot", "kernel").withFdt("fdt-1"))
        .defaultConfiguration("conf-1");
  }

  private Path mkimage(Object... options) throws Exception {
    Files.write(directory.resolve("kernel"), Samples.bytes(5001));
    Files.write(directory.resolve("dtb"), Samples.bytes(777));
    Files.writeString(directory.resolve("fit.its"), SOURCE);
    List<Object> arguments = new ArrayList<>(List.of(options));
    arguments.addAll(List.of("-f", "fit.its", "theirs"));
    DebianTool.MKIMAGE.run(directory, arguments.toArray());
    return directory.resolve("theirs");
  }

  @Test
  void buildsWhatMkimageBuildsButForItsSpareRoom() throws Exception {
    byte[] theirs = Files.readAllBytes(mkimage());
    DeviceTree tree = DeviceTree.parse(ByteBuffer.wrap(theirs));

    assertThat(ours().build().toImageData()).isEqualTo(tree.withSlack(0).toImageData());
  }

  @Test
  void buildsExternalDataAsMkimageDoes() throws Exception {
    byte[] theirs = Files.readAllBytes(mkimage("-E"));
    // Two bytes between the strings and the data are whatever mkimage's memory held.
    ByteBuffer header = ByteBuffer.wrap(theirs);
    int strings = header.getInt(12) + header.getInt(32);
    Arrays.fill(theirs, strings, header.getInt(4), (byte) 0);

    assertThat(ours().externalData().build().toImageData().toByteArray()).isEqualTo(theirs);
  }

  @Test
  void buildsExternalDataAtAPositionAsMkimageDoes() throws Exception {
    assertThat(ours().externalDataAt(0x4000).build().toImageData().toByteArray())
        .isEqualTo(Files.readAllBytes(mkimage("-E", "-p", "0x4000")));
  }

  @Test
  void rewritesWhatMkimageWroteByteForByte() throws Exception {
    for (Object[] options : new Object[][] {{}, {"-E"}, {"-E", "-p", "0x4000"}}) {
      Path theirs = mkimage(options);

      assertThat(Fit.read(theirs).toImageData().toByteArray())
          .isEqualTo(Files.readAllBytes(theirs));
    }
  }

  @Test
  void readsImagesAndConfigurations() throws Exception {
    for (Path theirs : List.of(mkimage(), mkimage("-E"), mkimage("-E", "-p", "0x4000"))) {
      Fit fit = Fit.read(theirs);

      assertThat(fit.images()).isEqualTo(ours().build().images());
      assertThat(fit.configurations()).isEqualTo(ours().build().configurations());
      assertThat(fit.defaultConfiguration().flatMap(FitConfiguration::kernel)).contains("kernel");
      assertThat(fit.description()).isEqualTo("Kernel and device tree");
      assertThat(fit.timestamp()).contains(Instant.ofEpochSecond(1_700_000_000));
    }
  }

  @Test
  void dumpimageExtractsAndListsWhatWeWrote() throws Exception {
    Path file = directory.resolve("ours");
    for (Fit fit : List.of(ours().build(), ours().externalData().build())) {
      fit.write(file);

      DebianTool.DUMPIMAGE.run(directory, "-T", "flat_dt", "-p", "1", "-o", "dtb", file);

      assertThat(directory.resolve("dtb")).hasBinaryContent(Samples.bytes(777));
      assertThat(DebianTool.DUMPIMAGE.run(directory, "-l", file))
          .contains(
              "FIT description: Kernel and device tree",
              "Image 0 (kernel)",
              "Load Address: 0x41080000",
              "Hash value:   " + fit.images().get(1).hashes().get(0).value(),
              "Default Configuration: 'conf-1'");
    }
  }

  @Test
  void namesTheImageWhoseHashIsWrong() throws Exception {
    byte[] file = ours().externalData().build().toImageData().toByteArray();
    file[file.length - 10] ^= 1;

    assertThatThrownBy(() -> Fit.parse(ByteBuffer.wrap(file)))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("FIT, /images/fdt-1/hash-1 value at offset 0x")
        .hasMessageContaining("it is damaged");
  }

  @Test
  void refusesExternalDataBeyondTheEnd() throws Exception {
    byte[] file = ours().externalData().build().toImageData().toByteArray();
    ByteBuffer cut = ByteBuffer.wrap(file, 0, file.length - 100);

    assertThatThrownBy(() -> Fit.parse(cut))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining("/images/fdt-1 data-offset")
        .hasMessageContaining("777 bytes");
  }

  @Test
  void refusesConfigurationsOfImagesThatAreNotThere() {
    Fit.Builder builder = ours().configuration(FitConfiguration.of("conf-2", "", "kernal"));

    assertThatThrownBy(builder::build)
        .hasMessage(
            "Configuration conf-2 names the image kernal, but the images are [kernel, fdt-1]");
    assertThatThrownBy(
            () ->
                Fit.parse(
                    ByteBuffer.wrap(
                        DeviceTree.of(DeviceTreeNode.empty("")).toImageData().toByteArray())))
        .hasMessageContaining("/images")
        .hasMessageContaining("missing");
  }
}
