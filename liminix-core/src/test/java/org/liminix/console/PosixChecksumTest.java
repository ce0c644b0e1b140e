package org.liminix.console;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PosixChecksumTest {
  /** The sums are those of GNU cksum 9.1. */
  @ParameterizedTest
  @CsvSource({"'',4294967295 0", "123456789,930766865 9", "firmware.bin,699056318 12"})
  void isWhatCksumPrints(String content, String line) {
    assertThat(PosixChecksum.line(content.getBytes(US_ASCII))).isEqualTo(line);
  }
}
