package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FlashScriptTest {
  private static final AddressRange REGION = new AddressRange(0xbe040000L, 0x3a0000);

  private static final MemoryMap BOARD = Samples.BOARD;

  @TempDir Path directory;

  private static FlashScript.Builder builder(int size) {
    return FlashScript.builder()
        .serverIp("10.0.0.1")
        .ipAddress("10.0.0.8")
        .loadAddress(0x81000000L)
        .firmware(ImageData.of(Samples.bytes(size)));
  }

  private static FlashScript nor() {
    return builder(0x30000).target(FlashTarget.nor(REGION, 0x10000)).build();
  }

  private static List<String> refusals(String script) {
    return refusals(script, 0x30000);
  }

  private static List<String> refusals(String script, int size) {
    return UBootScript.parse(script)
        .check(
            BOARD, ImageSource.of(Map.of("result/firmware.bin", ImageData.of(Samples.bytes(size)))))
        .problems()
        .stream()
        .map(PlanProblem::toString)
        .toList();
  }

  @Test
  void emitsTheCommandsThatLiminixEmits() {
    FlashScript script =
        builder(0x30000)
            .target(FlashTarget.nor(REGION, 0x10000))
            .commandLine("console=ttyS0,115200 root=\"x\"")
            .build();

    assertThat(script.script().text())
        .isEqualTo(
            """
            setenv serverip 10.0.0.1
            setenv ipaddr 10.0.0.8
            tftp 0x81000000 result/firmware.bin
            erase 0xBE040000 +0x3A0000
            cp.b 0x81000000 0xBE040000 ${filesize}
            echo command line was "console=ttyS0,115200 root=\\"x\\""
            """);
    assertThat(script.check(BOARD).problems()).isEmpty();
  }

  @Test
  void emitsTheCommandsOfOtherKindsOfFlash() {
    assertThat(target(FlashTarget.nor(REGION, 0x10000).withProtectOff()))
        .containsExactly(
            "protect off 0xBE040000 +0x3A0000",
            "erase 0xBE040000 +0x3A0000",
            "cp.b 0x81000000 0xBE040000 ${filesize}");
    assertThat(target(FlashTarget.spiNor(new AddressRange(0x50000, 0xfb0000), 0x10000)))
        .containsExactly(
            "sf probe", "sf erase 0x50000 0xFB0000", "sf write 0x81000000 0x50000 ${filesize}");
    assertThat(target(FlashTarget.nand(new AddressRange(0x100000, 0x2000000), 0x20000)))
        .containsExactly(
            "nand erase 0x100000 0x2000000", "nand write 0x81000000 0x100000 ${filesize}");
    assertThat(target(FlashTarget.ubiVolume("ubi", "liminix", 0x2000000)))
        .containsExactly("ubi part ubi", "ubi write 0x81000000 liminix ${filesize}");
    assertThat(target(FlashTarget.mmc(0, 0x800, 0x8000)))
        .containsExactly("mmc dev 0", "mmc write 0x81000000 0x800 0x181");
  }

  /** The lines after the load, of a script that the board allows. */
  private static List<String> target(FlashTarget target) {
    FlashScript script = builder(0x30001).target(target).build();
    assertThat(script.check(BOARD).problems()).isEmpty();
    return script.script().lines().stream().skip(3).map(UBootScript.Line::text).toList();
  }

  @Test
  void staysTheSameScriptWhenPrintedAndParsed() throws Exception {
    nor().write(directory);
    UBootScript read = UBootScript.read(directory.resolve("flash.scr"));

    assertThat(read).isEqualTo(nor().script());
    assertThat(read.check(BOARD, ImageSource.of(nor().files())).problems()).isEmpty();
    assertThat(directory.resolve("firmware.bin")).hasBinaryContent(Samples.bytes(0x30000));
  }

  @Test
  void readsAScriptThatMkimageWrapped() throws Exception {
    nor().script().write(directory.resolve("flash.txt"));
    DebianTool.MKIMAGE.run(
        directory, "-A", "mips", "-T", "script", "-C", "none", "-d", "flash.txt", "flash.scr");

    assertThat(UBootScript.read(directory.resolve("flash.scr"))).isEqualTo(nor().script());
  }

  @Test
  void refusesAnImageThatIsTooLargeAtOnce() {
    assertThatThrownBy(() -> builder(0x3a0001).target(FlashTarget.nor(REGION, 0x10000)).build())
        .hasMessage(
            "A firmware of 0x3a0001 bytes does not fit the 0x3a0000 bytes of its flash region");
  }

  @Test
  void saysWhichLineWouldDestroyTheBootLoader() {
    assertThat(
            refusals(
                """
                tftp 0x81000000 result/firmware.bin
                erase 0xbe000000 +0x400000
                cp.b 0x81000000 0xbe000000 ${filesize}
                """))
        .contains(
            "line 2, erase 0xbe000000 +0x400000: would destroy partition u-boot,"
                + " 0xbe000000..0xbe040000",
            "line 2, erase 0xbe000000 +0x400000: would destroy partition u-boot-env,"
                + " 0xbe3e0000..0xbe400000",
            "line 3, cp.b 0x81000000 0xbe000000 ${filesize}: would overwrite partition u-boot,"
                + " 0xbe000000..0xbe040000");
  }

  @Test
  void seesThroughTheCachedAliasOfTheFlash() {
    assertThat(refusals("tftp 0x81000000 result/firmware.bin; erase 0x9e000000 +0x30000"))
        .anyMatch(r -> r.contains("would destroy partition u-boot,"));
  }

  @Test
  void refusesToEraseBlocksThatAreOnlyPartlyMeant() {
    assertThat(
            refusals(
                """
                tftp 0x81000000 result/firmware.bin
                erase 0xbe048000 +0x30000
                cp.b 0x81000000 0xbe048000 ${filesize}
                """))
        .containsExactly(
            "line 2, erase 0xbe048000 +0x30000: erases whole blocks of 0x10000 bytes, so it would"
                + " erase 0x8000 bytes before 0xbe048000..0xbe078000 and 0x8000 after");
  }

  @Test
  void refusesToEraseMoreThanIsWrittenUnlessItIsThePartition() {
    MemoryMap bare =
        MemoryMap.builder()
            .ram(new AddressRange(0x80000000L, 0x8000000))
            .flash(FlashDevice.nor(new AddressRange(0xbe000000L, 0x400000), 0x10000))
            .build();

    assertThat(nor().check(bare).problems())
        .extracting(PlanProblem::message)
        .containsExactly(
            "would destroy more than the 0x30000 bytes that are written need: 0x3a0000 bytes;"
                + " erase 0xbe040000..0xbe070000, or declare the partition");
  }

  @Test
  void refusesToEraseWhatIsNeverWritten() {
    assertThat(refusals("erase 0xbe040000 +0x10000"))
        .containsExactly(
            "line 1, erase 0xbe040000 +0x10000: would destroy 0xbe040000..0xbe050000 and nothing"
                + " is written there");
  }

  @Test
  void refusesToWriteWhatWasNotErased() {
    assertThat(
            refusals(
                """
                tftp 0x81000000 result/firmware.bin
                erase 0xbe040000 +0x20000
                cp.b 0x81000000 0xbe040000 ${filesize}
                """))
        .anyMatch(r -> r.startsWith("line 3") && r.contains("has not been erased in full"));
  }

  @Test
  void refusesAnImageThatOutgrowsItsPartition() {
    assertThat(
            refusals(
                """
                tftp 0x81000000 result/firmware.bin
                erase 0xbe040000 +0x3a0000
                cp.b 0x81000000 0xbe040000 ${filesize}
                """,
                0x3a0001))
        .contains(
            "line 3, cp.b 0x81000000 0xbe040000 ${filesize}: 0x3a0001 bytes do not fit partition"
                + " firmware, 0xbe040000..0xbe3e0000: 0x3a0000 is left for them",
            "line 3, cp.b 0x81000000 0xbe040000 ${filesize}: would overwrite partition u-boot-env,"
                + " 0xbe3e0000..0xbe400000");
  }

  @Test
  void refusesToLoadOverUBootOrBeyondRam() {
    assertThat(refusals("tftp 0x87ef0000 result/firmware.bin"))
        .containsExactly(
            "line 1, tftp 0x87ef0000 result/firmware.bin: result/firmware.bin,"
                + " 0x87ef0000..0x87f20000, would overwrite U-Boot itself at"
                + " 0x87f00000..0x88000000");
    assertThat(refusals("tftp 0x87fe0000 result/firmware.bin"))
        .anyMatch(r -> r.contains("reaches beyond the RAM at 0x80000000..0x88000000 by 0x10000"));
    assertThat(refusals("tftp 0x1f000000 result/firmware.bin"))
        .anyMatch(r -> r.contains("is no RAM"));
  }

  @Test
  void refusesACopyFromAnAddressWithATypo() {
    assertThat(
            refusals(
                """
                tftp 0x81000000 result/firmware.bin
                erase 0xbe040000 +0x3a0000
                cp.b 0x80100000 0xbe040000 ${filesize}
                """))
        .containsExactly(
            "line 3, cp.b 0x80100000 0xbe040000 ${filesize}: nothing was loaded at 0x80100000, so"
                + " it would write garbage");
  }

  @Test
  void refusesACopyOfLessOrMoreThanWasLoaded() {
    assertThat(
            refusals(
                """
                tftp 0x81000000 result/firmware.bin
                erase 0xbe040000 +0x3a0000
                cp.b 0x81000000 0xbe040000 0x3000
                """))
        .anyMatch(r -> r.contains("would write only 0x3000 of the 0x30000 bytes"));
  }

  @Test
  void refusesWhatItCannotFollow() {
    assertThat(refusals("if test -n $x; then erase all; fi"))
        .singleElement()
        .asString()
        .contains("cannot be told beforehand");
    assertThat(refusals("cp.b 0x81000000 0xbe040000 ${filesize}"))
        .singleElement()
        .asString()
        .contains("${filesize} is not set by any line before it");
    assertThat(refusals("tftp 0x81000000 result/frimware.bin"))
        .singleElement()
        .asString()
        .contains("there is no file result/frimware.bin");
    assertThat(refusals("frobnicate 1")).singleElement().asString().contains("not a command");
    assertThat(refusals("erase 0xbe04000O +0x10000"))
        .singleElement()
        .asString()
        .contains("\"0xbe04000O\" is no hexadecimal number");
    assertThat(refusals("saveenv")).singleElement().asString().contains("stored environment");
    assertThat(refusals("erase all")).singleElement().asString().contains("boot loader");
    assertThat(refusals("nand scrub")).singleElement().asString().contains("may erase all");
  }

  @Test
  void verifyingThrowsAllRefusalsTogether() {
    ScriptPlan plan =
        UBootScript.parse("erase 0xbe000000 +0x10000").check(BOARD, ImageSource.of(Map.of()));

    assertThatThrownBy(plan::verify)
        .isInstanceOf(ScriptRefusedException.class)
        .hasMessageStartingWith("The script is refused; nothing was done:\n  line 1, erase")
        .hasMessageContaining("would destroy partition u-boot")
        .hasMessageContaining("nothing is written there");
  }

  @Test
  void explainsThePlanToScale() {
    assertThat(nor().check(BOARD).explain())
        .contains(
            "line 4   erase  blocks                 NOR flash 0xbe040000..0xbe3e0000, 3.6 MiB")
        .contains("|====" + ".".repeat(60) + "| partition u-boot, ")
        .contains("|....###" + ".".repeat(57) + "| line 5: write result/firm")
        .contains("|...." + "x".repeat(58) + "..|")
        .contains("Nothing speaks against it.");
  }

  @Test
  void drawsThePlanToScale() throws Exception {
    String svg = nor().check(BOARD).toSvg();

    Files.writeString(directory.resolve("plan.svg"), svg);
    new DebianTool("rsvg-convert", "librsvg2-bin").run(directory, "plan.svg", "-o", "plan.png");

    assertThat(directory.resolve("plan.png")).isNotEmptyFile();
    // The firmware partition is 58/64 of the flash, and so is its bar.
    assertThat(svg).containsPattern("class=\"partition\" x=\"83.5\" y=\"[0-9.]+\" width=\"862.8\"");
  }

  @Test
  void refusesAddressesThatAreNone() {
    assertThatThrownBy(() -> FlashScript.builder().serverIp("localhost"))
        .hasMessageContaining("serverIp must be an IPv4 address");
    assertThatThrownBy(() -> FlashScript.builder().ipAddress("10.0.1"))
        .hasMessageContaining("ipAddress must be an IPv4 address");
    assertThatThrownBy(() -> builder(1).build()).hasMessageContaining("call target");
  }
}
