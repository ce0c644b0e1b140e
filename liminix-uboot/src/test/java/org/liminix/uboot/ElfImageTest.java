package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ElfImageTest {
  private static final DebianTool MIPS_OBJCOPY =
      new DebianTool("mips-linux-gnu-objcopy", "binutils-mips-linux-gnu");

  @TempDir Path directory;

  private static Path uboot(String board) {
    Path elf = Path.of("/usr/lib/u-boot", board, "uboot.elf");
    assumeTrue(Files.exists(elf), elf + " is missing; apt-get install u-boot-qemu");
    return elf;
  }

  /** Lays bytes out at 0x80100000 with objcopy, a dtb section after them and .bss after that. */
  private Path linked(int sizeOfText) throws Exception {
    Files.write(directory.resolve("text"), Samples.bytes(sizeOfText));
    Files.write(directory.resolve("dtb"), Samples.bytes(100));
    Files.write(directory.resolve("data"), Samples.bytes(300));
    MIPS_OBJCOPY.run(
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
        ".data=0x80100000",
        "--set-start",
        "0x80100400",
        "--add-section",
        ".appended_dtb=dtb",
        "--set-section-flags",
        ".appended_dtb=alloc,load,contents",
        "--change-section-address",
        ".appended_dtb=0x80102000",
        "--add-section",
        ".later=data",
        "--set-section-flags",
        ".later=alloc,load,contents",
        "--change-section-address",
        ".later=0x80104000",
        "--add-section",
        ".notes=data",
        "--set-section-flags",
        ".notes=alloc,load,contents",
        "--change-section-address",
        ".notes=0x80108000",
        "text",
        "linked.elf");
    return directory.resolve("linked.elf");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"maltael", "malta64el", "qemu_arm", "qemu_arm64", "qemu-x86_64", "qemu-riscv64"})
  void makesTheBinaryThatObjcopyMakes(String board) throws Exception {
    Path elf = uboot(board);
    Path theirs = directory.resolve("theirs");
    boolean wide = Files.readAllBytes(elf)[4] == 2;
    DebianTool.OBJCOPY.run(
        directory, "-I", wide ? "elf64-little" : "elf32-little", "-O", "binary", elf, theirs);

    assertThat(ElfImage.read(elf).toBinary().data().toByteArray())
        .isEqualTo(Files.readAllBytes(theirs));
  }

  @Test
  void makesTheBinaryOfABigEndianKernelWithItsNotesStripped() throws Exception {
    Path elf = linked(5000);
    Path theirs = directory.resolve("theirs");
    MIPS_OBJCOPY.run(directory, "-O", "binary", "-R", ".notes", "-S", elf, theirs);

    ElfImage ours = ElfImage.read(elf);
    ElfImage.LoadableBinary binary = ours.withoutSections(ElfImage.KERNEL_NOTES).toBinary();

    assertThat(binary.data().toByteArray()).isEqualTo(Files.readAllBytes(theirs));
    assertThat(binary.loadAddress()).isEqualTo(0x80100000L);
    assertThat(binary.entryPoint()).isEqualTo(0x80100400L);
    assertThat(ours.architecture()).contains(CpuArchitecture.MIPS);
    assertThat(ours.byteOrder()).isEqualTo(ByteOrder.BIG_ENDIAN);
  }

  @Test
  void appendsADeviceTreeAsObjcopyDoes() throws Exception {
    Path elf = linked(5000);
    Path theirs = directory.resolve("theirs");
    Files.write(directory.resolve("dtb"), Samples.bytes(2000));
    MIPS_OBJCOPY.run(directory, "--update-section", ".appended_dtb=dtb", elf, "updated.elf");
    MIPS_OBJCOPY.run(directory, "-O", "binary", "updated.elf", theirs);

    ElfImage ours =
        ElfImage.read(elf).withSection(".appended_dtb", ImageData.of(Samples.bytes(2000)));

    assertThat(ours.toBinary().data().toByteArray()).isEqualTo(Files.readAllBytes(theirs));
  }

  @Test
  void refusesADeviceTreeThatWouldOverwriteWhatFollows() throws Exception {
    ElfImage kernel = ElfImage.read(linked(5000));

    assertThatThrownBy(
            () -> kernel.withSection(".appended_dtb", ImageData.of(Samples.bytes(0x2001))))
        .hasMessageContaining("room for 0x2000 bytes up to .later, but is given 0x2001");
    assertThatThrownBy(
            () ->
                kernel
                    .withoutSections(Set.of(".appended_dtb"))
                    .withSection(".appended_dtb", ImageData.of((byte) 1)))
        .hasMessageContaining("CONFIG_MIPS_ELF_APPENDED_DTB");
  }

  @Test
  void namesTheFieldThatIsDamaged() throws Exception {
    byte[] good = Files.readAllBytes(linked(5000));

    assertDamaged(good, 0, 0, "ELF, e_ident at offset 0x0: 0x00000000 is not 0x7f454c46");
    assertDamaged(good, 4, 0x07020100, "EI_CLASS at offset 0x4: 7 is neither");
    assertDamaged(good, 32, 0x7fff0000, "sh_type at offset 0x7fff0004: needs 4 bytes");
  }

  private static void assertDamaged(byte[] good, int offset, int value, String message) {
    ByteBuffer bad = ByteBuffer.wrap(good.clone()).putInt(offset, value);

    assertThatThrownBy(() -> ElfImage.parse(bad))
        .isInstanceOf(ImageFormatException.class)
        .hasMessageContaining(message);
  }
}
