package org.liminix.uboot;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whatever the text, the parser of scripts either understands it, and then can print it again, or
 * throws its own exception; and no script makes the checker fail. Run with {@code JAZZER_FUZZ=1}
 * and one method to search for more.
 */
class ScriptFuzzTest {
  private static final MemoryMap BOARD = Samples.BOARD;

  private static final ImageSource FILES =
      ImageSource.of(Map.of("f", ImageData.of(Samples.bytes(0x30000))));

  @MethodSource("scripts")
  @FuzzTest(maxDuration = "2m")
  void script(byte[] data) {
    UBootScript script;
    try {
      script = UBootScript.decode(data);
    } catch (ScriptFormatException | ImageFormatException refused) {
      return;
    }
    assertThat(UBootScript.parse(script.text())).isEqualTo(script);
    for (UBootScript.Line line : script.lines()) {
      for (UBootCommand command : line.commands()) {
        assertThat(UBootScript.parse(command.toString()).lines())
            .singleElement()
            .satisfies(again -> assertThat(again.commands()).hasSize(1))
            .satisfies(
                again -> assertThat(again.commands().get(0).words()).isEqualTo(command.words()));
      }
    }
    ScriptPlan plan = script.check(BOARD, FILES);
    assertThat(plan.explain()).isNotEmpty();
    assertThat(plan.toSvg()).isNotEmpty();
  }

  static Stream<byte[]> scripts() {
    return Stream.concat(
        Stream.of(
                """
                setenv serverip 10.0.0.1 # who serves
                tftp 0x81000000 f
                protect off 0xbe040000 +0x30000 && erase 0xbe040000 +0x30000
                cp.b 0x81000000 0xbe040000 ${filesize}; echo "a \\"b\\"" 'c;d'$x
                """,
                """
                tftpboot 0x81000000 10.0.0.1:f; sf probe; sf erase 0x50000 +0x30000
                sf write 0x81000000 0x50000 $filesize; sf update 81000000 0 30000
                nand erase.part firmware; nand erase 0 0x40000; nand write 0x81000000 0 0x30000
                ubi part u; ubi write 0x81000000 liminix 0x30000; mmc dev 0; mmc write 81000000 800 180
                """,
                """
                tftpboot 0x81000000 f
                lzmadec 0x81000000 0x82000000; setenv bootargs 'phram.phram=p,0x81000000,16Mi'
                setenv loadaddr 82000000; tftpboot f; bootm 0x81000000 - 0x82000000 || reset
                """)
            .map(text -> text.getBytes(StandardCharsets.UTF_8)),
        Stream.of(
            UBootScript.parse("echo hello")
                .toImage(CpuArchitecture.MIPS, "s")
                .toImageData()
                .toByteArray()));
  }

  @MethodSource("outputs")
  @FuzzTest(maxDuration = "2m")
  void output(byte[] data) {
    String output = new String(data, StandardCharsets.UTF_8);
    List<String> lines = new UBootResult("any", UBootOutput.status(""), output).lines();
    Map<String, String> environment = UBootOutput.environment(lines);
    assertThat(environment.keySet()).allMatch(name -> !name.isEmpty() && name.indexOf('=') < 0);
    UBootOutput.crc32(output)
        .ifPresent(crc -> assertThat(output).contains("==> %08x".formatted(crc)));
    UBootOutput.loadedSize(output).ifPresent(size -> assertThat(size).isNotNegative());
  }

  static Stream<byte[]> outputs() {
    return Stream.of(
            "bootargs=console=ttyS0\nscript=echo a\necho b\n\nEnvironment size: 62/65532 bytes",
            "crc32 for 81000000 ... 8100ffff ==> 0d968558",
            "Loading: ####\ndone\nBytes transferred = 65536 (10000 hex)")
        .map(text -> text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void noDamagedByteMakesAParserFailInAnotherWay() {
    scripts().forEach(seed -> damaged(seed).forEach(this::script));
    outputs().forEach(seed -> damaged(seed).forEach(this::output));
  }

  private static Stream<byte[]> damaged(byte[] seed) {
    Random random = new Random(seed.length);
    return random
        .ints(300, 0, seed.length)
        .mapToObj(
            at -> {
              byte[] bad = seed.clone();
              String telling = "\\'\"#;&|$ {}\n\t\r9f+-:";
              bad[at] =
                  random.nextInt(8) == 0
                      ? (byte) random.nextInt()
                      : (byte) telling.charAt(random.nextInt(telling.length()));
              return bad;
            });
  }
}
