package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Each refusal names the line and what would be destroyed, and nothing else is refused with it. */
class ScriptCheckerTest {
  private static final MemoryMap BOARD = Samples.BOARD;

  private static final MemoryMap BARE =
      MemoryMap.builder().ram(new AddressRange(0x80000000L, 0x8000000)).build();

  private static final String LOAD = "tftp 0x81000000 image\n";

  private static final Map<String, ImageData> FILES =
      Map.of(
          "image",
          ImageData.of(Samples.bytes(0x30000)),
          "small",
          ImageData.of(Samples.bytes(0x100)),
          "large",
          ImageData.of(Samples.bytes(0x50000)),
          "kernel",
          uimage(0x80060000L, 0x1000),
          "high",
          uimage(0x87fff000L, 0x2000),
          "over",
          uimage(0x87e80000L, 0x90000),
          "far",
          Fit.builder()
              .image(
                  FitImage.builder("kernel", ImageType.KERNEL)
                      .data(ImageData.of(Samples.bytes(100)))
                      .loadAddress(1L << 60)
                      .build())
              .configuration(FitConfiguration.of("conf-1", "", "kernel"))
              .build()
              .toImageData(),
          "tree",
          DeviceTree.of(DeviceTreeNode.empty("")).toImageData());

  private static ImageData uimage(long address, int size) {
    return UImage.builder()
        .architecture(CpuArchitecture.MIPS)
        .type(ImageType.KERNEL)
        .loadAddress(address)
        .entryPoint(address)
        .name("kernel")
        .data(ImageData.of(Samples.bytes(size)))
        .build()
        .toImageData();
  }

  private static List<String> refusals(MemoryMap board, String script) {
    return UBootScript.parse(script).check(board, ImageSource.of(FILES)).problems().stream()
        .map(PlanProblem::toString)
        .toList();
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        // The image fits.
        refused(
            LOAD + "nand erase 0x20e0000 0x40000\nnand write 0x81000000 0x20e0000 $filesize",
            "line 3, nand write 0x81000000 0x20e0000 $filesize: 0x30000 bytes do not fit partition"
                + " firmware, 0x100000..0x2100000: 0x20000 is left"),
        refused(
            "tftp 0x81000000 large; ubi part u\nubi write 0x81000000 liminix 0x50000",
            "line 2, ubi write 0x81000000 liminix 0x50000: 0x0..0x50000 reaches beyond the liminix,"
                + " 0x0..0x40000, by 0x10000 bytes"),
        refused(
            LOAD + "cp.b 0x81000000 0xbe3f0000 $filesize",
            "line 2, cp.b 0x81000000 0xbe3f0000 $filesize: 0xbe3f0000..0xbe420000 reaches beyond"
                + " the NOR flash, 0xbe000000..0xbe400000, by 0x20000 bytes"),
        // The erase range is aligned and covers what is written and nothing more.
        refused(
            LOAD + "sf probe; sf erase 0x50000 0x2f000\nsf write 0x81000000 0x50000 $filesize",
            "line 2, sf erase 0x50000 0x2f000: erases whole blocks of 0x10000 bytes, so it would"
                + " erase 0x0 bytes before 0x50000..0x7f000 and 0x1000 after"),
        refused(
            LOAD + "nand erase 0x2100000 0x20000\nnand write 0x81000000 0x2100000 0x30000",
            "line 3, nand write 0x81000000 0x2100000 0x30000: 0x2100000..0x2130000 has not been"
                + " erased in full"),
        refused(
            LOAD + "nand erase 0x2100000 0x80000\nnand write 0x81000000 0x2100000 0x30000",
            "line 2, nand erase 0x2100000 0x80000: would destroy more than the 0x30000 bytes that"
                + " are written need: 0x80000 bytes; erase 0x2100000..0x2140000"),
        refused(
            "nand erase.part firmware",
            "line 1, nand erase.part firmware: would destroy 0x100000..0x2100000 and nothing is"
                + " written there"),
        // Load regions: each other, U-Boot, the end of RAM.
        refused(
            LOAD + "tftp 0xa1020000 small",
            "line 2, tftp 0xa1020000 small: small, 0xa1020000..0xa1020100, would overwrite image,"
                + " 0x81000000..0x81030000, which line 1 put there"),
        refused(
            "tftp 0x87f80000 small",
            "line 1, tftp 0x87f80000 small: small, 0x87f80000..0x87f80100, would overwrite U-Boot"
                + " itself at 0x87f00000..0x88000000"),
        refused(
            BARE,
            "tftp 0x87ffff80 small",
            "line 1, tftp 0x87ffff80 small: small, 0x87ffff80..0x88000080, reaches beyond the RAM"
                + " at 0x80000000..0x88000000 by 0x80 bytes"),
        refused(
            "tftp 0x90000000 small",
            "line 1, tftp 0x90000000 small: small, 0x90000000..0x90000100, is no RAM"),
        refused(
            "tftp 0x81000000 over\nbootm 0x81000000",
            "line 2, bootm 0x81000000: over, unpacked, 0x87e80000..0x87f10000, would overwrite"
                + " U-Boot itself"),
        refused(
            BARE,
            "tftp 0x81000000 high\nbootm 0x81000000",
            "line 2, bootm 0x81000000: high, unpacked, 0x87fff000..0x88001000, reaches beyond the"
                + " RAM"),
        refused(
            "tftp 0x81000000 far\nbootm 0x81000000",
            "line 2, bootm 0x81000000: far is to unpack to 0x1000000000000000, which is no RAM"),
        // The environment and the boot loader.
        refused(
            LOAD + "mmc dev 0; mmc write 0x81000000 0 0x180",
            "line 2, mmc write 0x81000000 0 0x180: would overwrite partition mbr, 0x0..0x100000"),
        refused(
            "protect off 0xbe030000 0xbe04ffff",
            "line 1, protect off 0xbe030000 0xbe04ffff: would lay open partition u-boot,"
                + " 0xbe000000..0xbe040000"),
        refused("protect off all", "line 1, protect off all: would lay the boot loader open"),
        refused("erase all", "line 1, erase all: would erase the boot loader with all the rest"),
        refused("saveenv", "line 1, saveenv: would overwrite the stored environment"),
        // What would do something else than it says.
        refused("erase 1:0-3", "line 1, erase 1:0-3: which sectors these are depends on the chip"),
        refused("erase 0x80000000 +10000", "there is no flash at 0x80000000"),
        refused("erase 0xbe050000 0xbe04ffff", "0xbe04ffff, where it ends, is before 0xbe050000"),
        refused("sf erase 0x50000 0x30000", "sf probe must come first"),
        refused(BARE, "sf probe; sf erase 0 0x10000", "this board has no SPI NOR flash"),
        refused("sf probe; sf lock 0 1", "sf lock is not known here"),
        refused(BARE, "nand erase 0 0x20000", "this board has no NAND flash"),
        refused("nand erase.part kernel", "there is no partition kernel"),
        refused("nand scrub", "nand scrub is not known here, and may erase all"),
        refused(LOAD + "ubi write 0x81000000 liminix 1000", "ubi part must come first"),
        refused(
            "tftp 0x81000000 small\nubi part u; ubi write 0x81000000 data 100",
            "volume data is not one that may be written"),
        refused("ubi remove data", "ubi remove may destroy volumes that are in use"),
        refused(
            "mmc dev 100000000; mmc write 0x81000000 800 1", "this board has no MMC 4294967296"),
        refused("mmc erase 0 1", "mmc erase is not known here"),
        refused(
            "mmc dev 0; mmc write 0x81000000 800 1",
            "nothing was loaded at 0x81000000, so it would write garbage"),
        refused(
            LOAD + "mmc write 0x81000100 800 1",
            "0x81000100 is in the middle of image, which begins at 0x81000000"),
        refused(
            LOAD + "mmc write 0x81000000 800 181",
            "would write 0x30200 bytes, but image has only 0x30000; the rest is garbage"),
        refused(
            LOAD + "mmc write 0x81000000 800 17f",
            "would write only 0x2fe00 of the 0x30000 bytes of image"),
        refused("lzmadec 0x81000000 0x82000000", "nothing was loaded at 0x81000000 to unpack"),
        refused(LOAD + "lzmadec 0x81000000 0x82000000", "image is not LZMA"),
        refused("bootm 0x81000000", "there is no kernel at 0x81000000 to start"),
        refused(LOAD + "bootm 0x81000000", "image is neither a uImage nor a FIT"),
        refused(
            "tftp 0x81000000 kernel\nbootm 0x81000000 - 0x82000000",
            "there is no device tree at 0x82000000"),
        refused(
            "tftp 0x81000000 kernel; tftp 0x80060800 small\nbootm 0x81000000",
            "the kernel unpacks to 0x80060000..0x80061000, over small, 0x80060800..0x80060900"),
        refused(
            "tftp 0x81000000 kernel; tftp 0x81001100 small\nbootz 0x81000000",
            "a zImage unpacks into the memory behind it, where small is"),
        refused(
            phram("64Ki") + "tftp 0x81000000 kernel\nbootm 0x81000000",
            "phram is to be at 0x2000000..0x2010000, but nothing was loaded there"),
        refused(
            phram("64Ki") + "tftp 0x81000000 kernel; tftp 0x82000000 image\nbootm 0x81000000",
            "phram has 0x10000 bytes, but image has 0x30000"),
        refused(
            phram("256Ki")
                + "tftp 0x81000000 kernel; tftp 0x82000000 image; tftp 0x83000000 tree;"
                + " bootm 0x81000000 - 0x83000000",
            "the device tree does not reserve 0x2000000..0x2040000"),
        // What cannot be followed.
        refused("tftp small", "the load address is whatever the board's loadaddr says"),
        refused("tftp 0x81000000 smal", "there is no file smal to load"),
        refused("tftp 0x1000000000000 small", "is beyond the memory of any board"),
        refused("setenv", "setenv lacks a name"),
        refused("erase 0xbe050000 $x", "${x} is not set by any line before it"),
        refused("run bootcmd", "what this runs cannot be told beforehand"),
        refused("true || reset", "what comes after || runs only sometimes"),
        refused("frob 1", "frob is not a command whose effects are known here"));
  }

  private static String phram(String size) {
    return "setenv bootargs phram.phram=root,0x02000000," + size + ",65536\n";
  }

  private static Arguments refused(String script, String refusal) {
    return refused(BOARD, script, refusal);
  }

  private static Arguments refused(MemoryMap board, String script, String refusal) {
    return Arguments.of(board, script, refusal);
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("refused")
  void saysWhichLineWouldDestroyWhat(MemoryMap board, String script, String refusal) {
    assertThat(refusals(board, script)).singleElement().asString().contains(refusal);
  }

  @Test
  void letsPassWhatDestroysNothing() {
    assertThat(
            refusals(
                BOARD,
                LOAD
                    + """
                    protect off 0xbe040000 +0x30000; erase 0xbe040000 0xbe06ffff
                    cp.b 0x81000000 0xbe040000 $filesize; protect on all
                    tftp 0x81000000 image; sf probe; sf update 0x81000000 0x50000 $filesize
                    tftp 0x81000000 image; nand erase.part firmware
                    nand write 0x81000000 firmware $filesize
                    tftp 0x81000000 image; mmc dev 0; mmc write 0x81000000 800 180
                    setenv bootargs phram.phram=root,0x02000000,256Ki,65536
                    tftp 0x81000000 kernel; tftp 0x82000000 image; bootm 0x81000000
                    """))
        .isEmpty();
  }
}
