package org.liminix.tftp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.common.net.InetAddresses;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is answered with an error, and what is better not answered at all. */
class RefusalBehaviourTest {
  @TempDir Path root;
  private Bench bench;

  @BeforeEach
  void start() {
    bench = new Bench(root);
    bench.put("file", 2000);
  }

  @AfterEach
  void stop() {
    bench.close();
  }

  /** The next thing that comes is the answer to this: so nothing came for what was sent before. */
  private void assertNothingElseCame() {
    bench.client.read("file").receive().isData(1);
    bench.client.error(0, "thanks");
  }

  @Test
  void saysThatAFileIsNotThere() {
    bench.client.read("nothing").receive().isError(1);
  }

  @Test
  void refusesAMissingFileInsteadOfNegotiating() {
    bench.client.read("nothing", "tsize", "0", "blksize", "1468").receive().isError(1);
  }

  @Test
  void refusesToBeWrittenTo() {
    bench.client.write("new").receive().isError(2);
    assertThat(root.resolve("new")).doesNotExist();
  }

  @Test
  void refusesToOverwriteWhatItServes() {
    bench.client.write("file").receive().isError(2);
    assertThat(root.resolve("file")).hasSize(2000);
  }

  @ParameterizedTest
  @ValueSource(strings = {"mail", "binary", "", "octets"})
  void refusesOtherModes(String mode) {
    bench.client.request(RawPeer.RRQ, "file", mode).receive().isError(4);
  }

  @Test
  void refusesAnEmptyName() {
    bench.client.read("").receive().isError(4);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 4, 6, 7, 99, 256, 65535})
  void refusesOperationsThatAreNoRequest(int opcode) {
    bench.client.sendRequest(RawPeer.numbered(opcode, 1, "x\0octet\0".getBytes(US_ASCII)));
    bench.client.receive().isError(4);
  }

  @Test
  void refusesARequestWithoutAMode() {
    bench.client.sendRequest("\0\1file\0".getBytes(US_ASCII)).receive().isError(4);
  }

  @Test
  void refusesARequestWhoseModeDoesNotEnd() {
    bench.client.sendRequest("\0\1file\0octet".getBytes(US_ASCII)).receive().isError(4);
  }

  @Test
  void refusesARequestWhoseNameDoesNotEnd() {
    bench.client.sendRequest("\0\1file".getBytes(US_ASCII)).receive().isError(4);
  }

  @Test
  void neverAnswersAnError() {
    bench.client.sendRequest(RawPeer.numbered(5, 1, "no\0".getBytes(US_ASCII)));
    bench.client.sendRequest(RawPeer.numbered(5, 4, new byte[0]));
    bench.client.sendRequest(new byte[] {0, 5});
    assertNothingElseCame();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void doesNotAnswerWhatHasNoOpcode(int length) {
    bench.client.sendRequest(new byte[length]);
    assertNothingElseCame();
  }

  @Test
  void endsATransferWhenTheClientSendsAnError() throws Exception {
    CompletableFuture<TftpTransfer> ended = new CompletableFuture<>();
    try (Bench listened =
        new Bench(root, b -> b.listener(SilenceBehaviourTest.completing(ended)))) {
      listened.client.read("file").receive().isData(1);
      listened.client.error(3, "disk full");
      TftpTransfer transfer = ended.get(20, TimeUnit.SECONDS);
      assertThat(transfer.state()).isEqualTo(TftpTransfer.State.FAILED);
      assertThat(transfer.error()).contains(TftpError.DISK_FULL);
      assertThat(transfer.reason()).contains("disk full");
      listened.client.ack(1);
      listened.client.read("none").receive().isError(1);
    }
  }

  @Test
  void acceptsThatAClientLooksAtTheSizeAndLeaves() {
    assertThat(bench.client.read("file", "tsize", "0").receive().options())
        .containsEntry("tsize", "2000");
    bench.client.error(0, "TFTP Aborted");
    assertThat(bench.client.fetch("file")).hasSize(2000);
  }

  @Test
  void tellsAStrangerThatHeDoesNotBelongToTheTransfer() {
    var transfer = bench.client.read("file").receive().isData(1).source();
    try (RawPeer stranger = bench.another()) {
      stranger.sendTo(transfer, RawPeer.numbered(4, 1, new byte[0]));
      assertThat(stranger.receive().isError(5).source()).isEqualTo(transfer);
    }
    bench.client.ack(1).receive().isData(2);
  }

  @Test
  void doesNotAnswerAStrangersError() {
    var transfer = bench.client.read("file").receive().isData(1).source();
    try (RawPeer stranger = bench.another()) {
      stranger.sendTo(transfer, RawPeer.numbered(5, 5, "x\0".getBytes(US_ASCII)));
      stranger.sendTo(transfer, RawPeer.numbered(4, 1, new byte[0]));
      stranger.receive().isError(5);
      stranger.read("file").receive().isData(1);
    }
    bench.client.ack(1).receive().isData(2);
  }

  @Test
  void isNotDisturbedByJunkWithinATransfer() {
    bench.client.read("file").receive().isData(1);
    Random random = new Random(1);
    for (int length = 0; length < 600; length += 7) { // no more than the kernel queues
      byte[] junk = new byte[length];
      random.nextBytes(junk);
      if (length > 1) {
        junk[0] = (byte) 0x80; // no opcode there is
      }
      bench.client.send(junk);
    }
    bench.client.send(new byte[] {0, 4}); // half an acknowledgement
    bench.client.send(RawPeer.numbered(3, 1, new byte[512]));
    bench.client.send(RawPeer.requestBytes(RawPeer.RRQ, "file", "octet"));
    RawPeer.Reply reply = bench.client.ack(1).receive();
    while (reply.number() == 1) {
      reply = bench.client.ack(1).receive(); // UDP may have lost the first one among the junk
    }
    reply.isData(2);
  }

  @Test
  void ignoresAcknowledgementsOfBlocksThatWereNotSent() {
    bench.client.read("file").receive().isData(1);
    bench.client.ack(2).ack(3).ack(65535).ack(0).ack(1).receive().isData(2);
  }

  @Test
  void answersARepeatedRequestWithOneTransfer() {
    int first = bench.client.read("file").receive().isData(1).source().getPort();
    RawPeer.Reply again = bench.client.read("file").receive().isData(1);
    assertThat(again.source().getPort()).isEqualTo(first);
    bench.client.ack(1).receive().isData(2);
  }

  @Test
  void startsAnewWhenTheSamePortAsksAgainInMidTransfer() {
    int first = bench.client.read("file").receive().isData(1).source().getPort();
    bench.client.ack(1).receive().isData(2);
    RawPeer.Reply again = bench.client.read("file").receive().isData(1);
    assertThat(again.source().getPort()).isNotEqualTo(first);
    bench.client.ack(1).receive().isData(2);
  }

  @Test
  void goesOnWhenAnOldRequestIsDeliveredOnceMore() {
    var transfer = bench.client.read("file").receive().isData(1).source();
    bench.client.ack(1).receive().isData(2);
    bench.client.read("file");
    var second = bench.client.receive().isData(1).source();
    bench.client.sendTo(second, RawPeer.numbered(5, 5, "unknown\0".getBytes(US_ASCII)));
    bench.client.sendTo(transfer, RawPeer.numbered(4, 2, new byte[0]));
    assertThat(bench.client.receive().isData(3).source()).isEqualTo(transfer);
  }

  /** Asks, and passes over what the server may say again of older transfers meanwhile. */
  private RawPeer.Reply firstBlock(String file, int length) {
    RawPeer.Reply reply = bench.client.read(file).receive();
    while (reply.payload().length != length) {
      reply = bench.client.receive();
    }
    return reply.isData(1);
  }

  @Test
  void completesATransferWhoseLastAcknowledgementTheNextRequestOvertakes() {
    bench.put("script", 10);
    var script = firstBlock("script", 10).source();
    var file = firstBlock("file", 512).source();
    bench.client.sendTo(script, RawPeer.numbered(RawPeer.ACK, 1, new byte[0]));
    assertThat(bench.server.awaitTransfer("script", Duration.ofSeconds(20)).bytes()).isEqualTo(10);
    assertThat(bench.client.ack(1).receive().isData(2).source()).isEqualTo(file);
  }

  @Test
  void remembersOneUnansweredRequestOfAPortBesideTheLatest() {
    bench.client.read("file").receive().isData(1);
    bench.client.ack(1).receive().isData(2);
    for (int i = 0; i < 10; i++) {
      bench.put("file" + i, 10 + i);
      firstBlock("file" + i, 10 + i);
    }
    bench.client.ack(1);
    bench.server.awaitTransfer("file9", Duration.ofSeconds(20));
    assertThat(bench.server.transfers())
        .hasSize(11)
        .extracting(TftpTransfer::state)
        .doesNotContain(TftpTransfer.State.RUNNING);
  }

  @Test
  void servesBackToBackRequestsFromOnePort() {
    for (int i = 0; i < 20; i++) {
      assertThat(bench.client.fetch("file")).hasSize(2000);
    }
  }

  @Test
  void staysUpThroughJunkOfEverySize() {
    Random random = new Random(7);
    try (RawPeer other = bench.another()) {
      for (int length = 0; length < 2000; length += 3) {
        byte[] junk = new byte[length];
        random.nextBytes(junk);
        other.sendRequest(junk);
      }
      other.sendRequest(new byte[65_507]);
      byte[] endless = new byte[65_507];
      Arrays.fill(endless, (byte) 'a');
      endless[0] = 0;
      endless[1] = 1;
      other.sendRequest(endless);
    }
    assertThat(bench.client.fetch("file")).hasSize(2000);
  }

  @Test
  void refusesAClientThatIsNotAllowed() {
    try (TftpServer server =
            TftpServer.allow("192.0.2.1", "10.0.0.0/8")
                .address("127.0.0.1")
                .generate(
                    request -> {
                      throw new AssertionError("asked on behalf of a denied client");
                    })
                .start();
        RawPeer peer = new RawPeer(server.address())) {
      peer.read("file").receive().isError(2);
      peer.write("file").receive().isError(2);
      assertThat(server.transfers())
          .hasSize(2)
          .allSatisfy(
              refused -> {
                assertThat(refused.state()).isEqualTo(TftpTransfer.State.REFUSED);
                assertThat(refused.error()).contains(TftpError.ACCESS_VIOLATION);
                assertThat(refused.reason()).contains("127.0.0.1 is not on the allowlist");
              });
    }
  }

  @Test
  void givesADeniedClientNothingToLearnFromJunk() {
    try (TftpServer server =
            TftpServer.allow("192.0.2.1").address("127.0.0.1").file("a", new byte[1]).start();
        RawPeer peer = new RawPeer(server.address())) {
      peer.sendRequest(new byte[] {0, 9, 1}).sendRequest("\0\1x".getBytes(US_ASCII));
      peer.read("a").receive().isError(2);
    }
  }

  @Test
  void allowsNetworksOfIpv6() {
    InetAddress loopback = InetAddresses.forString("::1");
    try (TftpServer server =
            TftpServer.allow("::/64").address("::1").file("a", new byte[] {42}).start();
        TftpClient client = TftpClient.to(new InetSocketAddress(loopback, server.port())).start()) {
      assertThat(client.get("a")).containsExactly(42);
      assertThat(server.awaitTransfer("a", Duration.ofSeconds(20)).request().client().getAddress())
          .isEqualTo(loopback);
    }
  }
}
