package org.liminix.tftp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Reading by RFC 1350 and what the options of RFC 2347 and its companions change. */
class ReadBehaviourTest {
  @TempDir Path root;
  private Bench bench;

  @BeforeEach
  void start() {
    bench = new Bench(root);
  }

  @AfterEach
  void stop() {
    bench.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 511, 512, 513, 1024, 100_000})
  void deliversFilesOfAnySize(int size) {
    byte[] content = bench.put("file", size);
    assertThat(bench.client.fetch("file")).isEqualTo(content);
  }

  @Test
  void sendsAnEmptyLastBlockWhenTheSizeIsAMultipleOfTheBlockSize() {
    bench.put("file", 1024);
    bench.client.read("file").receive().isData(1);
    bench.client.ack(1).receive().isData(2);
    assertThat(bench.client.ack(2).receive().isData(3).payload()).isEmpty();
  }

  @Test
  void answersFromAPortThatIsNotTheOneOfTheRequest() {
    bench.put("file", 10);
    assertThat(bench.client.read("file").receive().source().getPort())
        .isNotEqualTo(bench.server.port());
  }

  @Test
  void givesEachTransferItsOwnPort() {
    bench.put("file", 1000);
    try (RawPeer other = bench.another()) {
      assertThat(bench.client.read("file").receive().source())
          .isNotEqualTo(other.read("file").receive().source());
    }
  }

  @Test
  void keepsOnePortThroughoutATransfer() {
    bench.put("file", 2000);
    var port = bench.client.read("file").receive().source();
    assertThat(bench.client.ack(1).receive().source()).isEqualTo(port);
    assertThat(bench.client.ack(2).receive().source()).isEqualTo(port);
  }

  @ParameterizedTest
  @ValueSource(strings = {"octet", "OCTET", "Octet", "oCtEt"})
  void takesTheModeInAnyCase(String mode) {
    byte[] content = bench.put("file", 700);
    assertThat(bench.client.fetchAs(mode, "file")).isEqualTo(content);
  }

  @ParameterizedTest
  @CsvSource({"'a\nb', 'a\r\nb'", "'\n', '\r\n'", "'no end', 'no end'", "'', ''"})
  void turnsLineFeedsIntoNetworkLineEndsForNetascii(String local, String wire) {
    bench.put("text", local.getBytes(US_ASCII));
    assertThat(new String(bench.client.fetchAs("netascii", "text"), US_ASCII)).isEqualTo(wire);
  }

  @Test
  void followsACarriageReturnWithZeroForNetascii() {
    bench.put("text", "a\rb".getBytes(US_ASCII));
    assertThat(bench.client.fetchAs("netascii", "text")).isEqualTo("a\r\0b".getBytes(US_ASCII));
  }

  @Test
  void splitsALineEndBetweenBlocksOfNetascii() {
    String line = "x".repeat(511) + "\n";
    bench.put("text", line.repeat(3).getBytes(US_ASCII));
    assertThat(new String(bench.client.fetchAs("netascii", "text"), US_ASCII))
        .isEqualTo(line.replace("\n", "\r\n").repeat(3));
  }

  @Test
  void leavesTsizeOfNetasciiUnansweredForItIsNotTheFilesSize() {
    bench.put("text", "a\nb".getBytes(US_ASCII));
    bench.client.request(RawPeer.RRQ, "text", "netascii", "tsize", "0").receive().isData(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {8, 9, 512, 1024, 1428, 1468, 8192, 16384, 65464})
  void grantsEveryBlockSizeOfRfc2348(int size) {
    byte[] content = bench.put("file", 3 * size + 5);
    assertThat(bench.client.read("file", "blksize", "" + size).receive().options())
        .containsExactly(Map.entry("blksize", "" + size));
    bench.client.error(0, "enough");
    try (RawPeer other = bench.another()) {
      assertThat(other.fetch("file", "blksize", "" + size)).isEqualTo(content);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"65465", "65535", "70000", "99999999999999999999999"})
  void answersTooLargeABlockSizeWithTheLargest(String size) {
    bench.put("file", 10);
    assertThat(bench.client.read("file", "blksize", size).receive().options())
        .containsExactly(Map.entry("blksize", "65464"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "7", "-1", "+512", "1468x", "", " 512", "0x200", "five"})
  void ignoresABlockSizeThatIsNone(String size) {
    bench.put("file", 600);
    assertThat(bench.client.read("file", "blksize", size).receive().isData(1).payload())
        .hasSize(512);
  }

  @Test
  void answersTsizeWithTheSizeOfTheFile() {
    bench.put("file", 123_456);
    assertThat(bench.client.read("file", "tsize", "0").receive().options())
        .containsExactly(Map.entry("tsize", "123456"));
  }

  @Test
  void answersTsizeOfAnEmptyFileWithZero() {
    bench.put("file", 0);
    assertThat(bench.client.read("file", "tsize", "0").receive().options())
        .containsExactly(Map.entry("tsize", "0"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"-1", "zero", ""})
  void ignoresATsizeThatIsNoNumber(String size) {
    bench.put("file", 10);
    bench.client.read("file", "tsize", size).receive().isData(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "5", "255"})
  void repeatsTheTimeoutAskedFor(String seconds) {
    bench.put("file", 10);
    assertThat(bench.client.read("file", "timeout", seconds).receive().options())
        .containsExactly(Map.entry("timeout", seconds));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "256", "-5", "1.5", "soon", ""})
  void ignoresATimeoutOutOfRange(String seconds) {
    bench.put("file", 10);
    bench.client.read("file", "timeout", seconds).receive().isData(1);
  }

  @Test
  void answersOnlyWhatItGrantsOfSeveralOptions() {
    bench.put("file", 10);
    assertThat(
            bench
                .client
                .read("file", "blksize", "1024", "timeout", "0", "multicast", "", "tsize", "0")
                .receive()
                .options())
        .containsOnlyKeys("blksize", "tsize");
  }

  @Test
  void putsBlksizeFirstWhateverTheOrderAskedIn() {
    bench.put("file", 10);
    assertThat(
            bench
                .client
                .read("file", "tsize", "0", "timeout", "5", "windowsize", "4", "blksize", "1468")
                .receive()
                .options()
                .keySet())
        .first()
        .isEqualTo("blksize");
  }

  @Test
  void answersUBootsUsualRequest() {
    bench.put("uImage", 3000);
    assertThat(
            bench
                .client
                .read("uImage", "timeout", "5", "tsize", "0", "blksize", "1468")
                .receive()
                .options())
        .containsExactly(
            Map.entry("blksize", "1468"), Map.entry("timeout", "5"), Map.entry("tsize", "3000"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"blksize", "BLKSIZE", "BlkSize"})
  void takesOptionNamesInAnyCaseAndKeepsTheSpelling(String name) {
    bench.put("file", 10);
    assertThat(bench.client.read("file", name, "1024").receive().options())
        .containsExactly(Map.entry(name, "1024"));
  }

  @Test
  void sendsDataAtOnceWhenNoOptionIsKnown() {
    bench.put("file", 10);
    bench.client.read("file", "saveFiles", "1", "x-unknown", "y").receive().isData(1);
  }

  @Test
  void answersAnOptionThatCameTwiceOnce() {
    bench.put("file", 10);
    assertThat(bench.client.read("file", "blksize", "1024", "BLKSIZE", "2048").receive().options())
        .containsExactly(Map.entry("blksize", "1024"));
  }

  @Test
  void ignoresAnOptionWithoutValue() {
    bench.put("file", 10);
    bench.client.read("file", "blksize").receive().isData(1);
  }

  @Test
  void ignoresTheZerosSomeBootRomsFillTheirRequestsWith() {
    bench.put("file", 10);
    byte[] request = RawPeer.requestBytes(RawPeer.RRQ, "file", "octet", "blksize", "1024");
    assertThat(bench.client.sendRequest(java.util.Arrays.copyOf(request, 512)).receive().options())
        .containsExactly(Map.entry("blksize", "1024"));
  }

  @Test
  void waitsForTheAcknowledgementOfItsOackBeforeItSendsData() {
    bench.put("file", 600);
    assertThat(bench.client.read("file", "tsize", "0").receive().options()).isNotEmpty();
    bench.client.ack(7); // of nothing that was sent
    bench.client.ack(0).receive().isData(1);
  }

  @Test
  void rollsTheBlockNumberOverToZero() {
    byte[] content = bench.put("file", 8 * 65_540);
    assertThat(bench.client.fetch("file", "blksize", "8", "windowsize", "16")).isEqualTo(content);
  }

  @Test
  void rollsTheBlockNumberOverInLockStepToo() {
    byte[] content = bench.put("file", 8 * 65_537 + 3);
    assertThat(bench.client.fetch("file", "blksize", "8")).isEqualTo(content);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4, 8, 16})
  void sendsAWindowBeforeItWaits(int window) {
    byte[] content = bench.put("file", 512 * 40 + 17);
    assertThat(bench.client.fetch("file", "windowsize", "" + window)).isEqualTo(content);
  }

  @ParameterizedTest
  @ValueSource(strings = {"17", "64", "65535", "70000"})
  void grantsAtMostSixteenBlocksInAWindow(String window) {
    bench.put("file", 10);
    assertThat(bench.client.read("file", "windowsize", window).receive().options())
        .containsExactly(Map.entry("windowsize", "16"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-4", "many", ""})
  void ignoresAWindowThatIsNone(String window) {
    bench.put("file", 2000);
    bench.client.read("file", "windowsize", window).receive().isData(1);
    bench.client.ack(1).receive().isData(2);
  }

  @Test
  void goesBackToTheGapWithinAWindow() {
    bench.put("file", 512 * 20);
    bench.client.read("file", "windowsize", "8").receive();
    bench.client.ack(0);
    for (int block = 1; block <= 8; block++) {
      bench.client.receive().isData(block);
    }
    bench.client.ack(3); // block 4 got lost
    for (int block = 4; block <= 11; block++) {
      bench.client.receive().isData(block);
    }
  }

  @Test
  void sendsAWholeWindowAgainWhenItsFirstBlockGotLost() {
    bench.put("file", 512 * 20);
    bench.client.read("file", "windowsize", "4").receive();
    bench.client.ack(0);
    for (int block = 1; block <= 4; block++) {
      bench.client.receive().isData(block);
    }
    bench.client.ack(4);
    for (int block = 5; block <= 8; block++) {
      bench.client.receive().isData(block);
    }
    bench.client.ack(4); // block 5 got lost
    for (int block = 5; block <= 8; block++) {
      bench.client.receive().isData(block);
    }
  }

  @Test
  void servesAClientThatAcknowledgesEveryBlockOfAWindow() {
    byte[] content = bench.put("file", 512 * 60 + 1);
    bench.client.read("file", "windowsize", "8").receive();
    bench.client.ack(0);
    byte[] received = new byte[content.length];
    int expected = 1;
    while (expected <= 61) {
      RawPeer.Reply reply = bench.client.receive();
      if (reply.number() == expected) {
        System.arraycopy(
            reply.payload(), 0, received, (expected - 1) * 512, reply.payload().length);
        expected++;
      }
      bench.client.ack(expected - 1);
    }
    assertThat(received).isEqualTo(content);
    assertThat(bench.server.awaitTransfer("file", Duration.ofSeconds(20)).retransmits())
        .as("no storm of repeats")
        .isLessThan(120);
  }

  @Test
  void acceptsAcknowledgementsPaddedToAnEthernetFrame() {
    bench.put("file", 1500);
    bench.client.read("file").receive().isData(1);
    bench.client.send(ByteBuffer.allocate(46).putShort((short) 4).putShort((short) 1).array());
    bench.client.receive().isData(2);
  }

  @Test
  void servesManyClientsAtOnce() {
    byte[] content = bench.put("file", 40_000);
    java.util.stream.IntStream.range(0, 20)
        .parallel()
        .forEach(
            i -> {
              try (RawPeer peer = bench.another()) {
                assertThat(peer.fetch("file", "blksize", "1468")).isEqualTo(content);
              }
            });
  }
}
