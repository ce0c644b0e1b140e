package org.liminix.tftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.liminix.net.DatagramEndpoint;
import org.liminix.net.DatagramHandler;
import org.liminix.net.DatagramHost;
import org.liminix.net.EventLoop;
import org.liminix.net.LinkAddresses;
import org.liminix.net.MacAddress;
import org.liminix.net.NetworkException;
import org.liminix.net.UdpHost;
import org.liminix.process.WaitTimeoutException;
import org.liminix.tftp.internal.AllowList;

/** The builder, the events and the life of a server. */
class TftpServerTest {
  @TempDir Path root;

  @Test
  void awaitsATransferThatIsComplete() {
    try (Bench bench = new Bench(root)) {
      bench.put("uImage", 3000);
      bench.client.fetch("/uImage", "blksize", "1468");
      TftpTransfer transfer = bench.server.awaitTransfer("uImage", Duration.ofSeconds(20));
      assertThat(transfer.state()).isEqualTo(TftpTransfer.State.COMPLETED);
      assertThat(transfer.bytes()).isEqualTo(3000);
      assertThat(transfer.size()).hasValue(3000);
      assertThat(transfer.blockSize()).isEqualTo(1468);
      assertThat(transfer.window()).isEqualTo(1);
      assertThat(transfer.duration()).isPositive();
      assertThat(transfer.bytesPerSecond()).isPositive();
      assertThat(transfer.reason()).isEmpty();
      assertThat(transfer.toString()).contains("reads /uImage").contains("blksize 1468");
      assertThat(bench.server.transfers()).containsExactly(transfer);
    }
  }

  @Test
  void awaitsOneTransferForEachCall() {
    try (Bench bench = new Bench(root)) {
      bench.put("file", 10);
      bench.client.fetch("file");
      bench.server.awaitTransfer("file", Duration.ofSeconds(20));
      assertThatThrownBy(() -> bench.server.awaitTransfer("file", Duration.ZERO))
          .isInstanceOf(WaitTimeoutException.class);
    }
  }

  @Test
  void explainsAWaitInVain() {
    try (Bench bench = new Bench(root)) {
      assertThatThrownBy(() -> bench.server.awaitTransfer("uImage", Duration.ofMillis(1)))
          .hasMessageContaining("uImage")
          .hasMessageContaining("Nobody asked for anything");
      bench.client.read("uimage").receive().isError(1);
      assertThatThrownBy(() -> bench.server.awaitTransfer("uImage", Duration.ofMillis(1)))
          .hasMessageContaining("127.0.0.1 reads uimage: refused: uimage not found");
    }
  }

  @Test
  void endsAWaitWhenItIsClosed() {
    Bench bench = new Bench(root);
    CompletableFuture<TftpTransfer> wait =
        CompletableFuture.supplyAsync(
            () -> bench.server.awaitTransfer("file", Duration.ofMinutes(5)));
    bench.close();
    assertThatThrownBy(() -> wait.get(20, TimeUnit.SECONDS)).hasMessageContaining("closed");
  }

  @Test
  void tellsAListenerWhatHappens() {
    List<String> events = new CopyOnWriteArrayList<>();
    TftpListener listener =
        new TftpListener() {
          @Override
          public void started(TftpTransfer transfer) {
            events.add("started " + transfer.file());
            throw new IllegalStateException("on purpose");
          }

          @Override
          public void ended(TftpTransfer transfer) {
            events.add("ended " + transfer.state());
          }

          @Override
          public void refused(TftpTransfer request) {
            events.add("refused " + request.reason());
          }
        };
    try (Bench bench = new Bench(root, b -> b.listener(listener))) {
      bench.put("file", 10);
      bench.client.fetch("file");
      bench.server.awaitTransfer("file", Duration.ofSeconds(20));
      bench.client.read("none").receive().isError(1);
    }
    assertThat(events).containsExactly("started file", "ended COMPLETED", "refused none not found");
  }

  @Test
  void remembersNoMoreThanItsHistory() {
    try (Bench bench = new Bench(root, b -> b.history(3))) {
      for (int i = 0; i < 10; i++) {
        bench.client.read("none" + i).receive().isError(1);
      }
      bench.client.read("last").receive().isError(1);
      assertThat(bench.server.transfers()).hasSize(3);
    }
  }

  @Test
  void printsNamesFromTheNetworkHarmlessly() {
    try (Bench bench = new Bench(root)) {
      bench.client.read("\u001b[2Jevil\n").receive().isError(1);
      assertThat(bench.server.transfers().toString()).contains("?[2Jevil?");
    }
  }

  @Test
  void closesTwiceAndFreesItsPort() {
    Bench bench = new Bench(root);
    int port = bench.server.port();
    bench.close();
    bench.server.close();
    try (TftpServer again =
        TftpServer.allowAnyone().address("127.0.0.1").port(port).root(root).start()) {
      assertThat(again.port()).isEqualTo(port);
    }
  }

  @Test
  void tellsAClientThatItIsClosing() {
    Bench bench = new Bench(root);
    bench.put("file", 2000);
    bench.client.read("file").receive().isData(1);
    bench.server.close();
    bench.client.receive().isError(0);
    bench.close();
  }

  @Test
  void saysWhichPortIsTaken() {
    try (Bench bench = new Bench(root)) {
      assertThatThrownBy(
              () ->
                  TftpServer.allowAnyone()
                      .address("127.0.0.1")
                      .port(bench.server.port())
                      .root(root)
                      .start())
          .isInstanceOf(NetworkException.class)
          .hasMessageContaining("UDP port " + bench.server.port());
    }
  }

  @Test
  void listensAtAllAddressesUnlessTold() {
    try (TftpServer server = TftpServer.allow("127.0.0.1").root(root).start();
        RawPeer peer = new RawPeer(server.address())) {
      assertThat(server.address().getAddress().isAnyLocalAddress()).isTrue();
      peer.read("none").receive().isError(1);
    }
  }

  @Test
  void servesASecondOfferWithASmallerWindowToAClientThatLostPackets() {
    try (Bench bench = new Bench(root)) {
      bench.put("file", 512 * 200);
      for (int window = 16; window >= 8; window -= 8) {
        assertThat(bench.client.read("file", "windowsize", "16").receive().options())
            .containsEntry("windowsize", "" + window);
        bench.client.ack(0);
        int next = 1;
        while (next <= 201) {
          RawPeer.Reply reply = bench.client.receive();
          if (reply.number() == next && next % 20 != 0) {
            next++;
          } else if (reply.number() == next) {
            bench.client.ack(next - 1); // lost the twentieth block
            reply = bench.client.receive();
            while (reply.number() != next) {
              reply = bench.client.receive();
            }
            next++;
          }
          if (next % window == 1 || next == 202) {
            bench.client.ack(next - 1);
          }
        }
        bench.server.awaitTransfer("file", Duration.ofSeconds(20));
      }
    }
  }

  @Test
  void reducesTheWindowToWhatMayBeInMemory() {
    try (Bench bench = new Bench(root, b -> b.maxWindow(64).maxWindowBytes(100_000))) {
      bench.put("file", 10);
      assertThat(
              bench.client.read("file", "windowsize", "64", "blksize", "65464").receive().options())
          .containsEntry("windowsize", "1");
      bench.client.error(0, "next");
      assertThat(bench.client.read("file", "windowsize", "64").receive().options())
          .containsEntry("windowsize", "64");
    }
  }

  /** However its packets reach the kernel, a client sees the same. */
  @Test
  void sendsTheSameWindowsInEachWay() {
    for (ServerSpec.Windows way : ServerSpec.Windows.values()) {
      try (Bench bench = new Bench(root, builder -> builder.windows(way))) {
        byte[] content = bench.put("image", 1468 * 100 + 7);
        assertThat(bench.client.fetch("image", "blksize", "1468", "windowsize", "16"))
            .isEqualTo(content);
        assertThat(bench.server.awaitTransfer("image", Duration.ofSeconds(5)).window())
            .isEqualTo(16);
      }
    }
  }

  @Test
  void livesOnAnyHostAtPort69AndTellsClientsApartByMac() {
    EventLoop loop = EventLoop.start("segment");
    SegmentHost host = new SegmentHost(UdpHost.at(InetAddress.getLoopbackAddress(), loop));
    try (TftpServer server =
            TftpServer.allow("52:54:00:12:34:56").on(host).file("a", new byte[3000]).start();
        RawPeer peer = new RawPeer(server.address())) {
      assertThat(host.asked).isEqualTo(69);
      host.mac = Optional.of(MacAddress.parse("52:54:00:12:34:57"));
      peer.read("a").receive().isError(2);
      host.mac = Optional.empty();
      peer.read("a").receive().isError(2);
      host.mac = Optional.of(MacAddress.parse("52:54:00:12:34:56"));
      assertThat(peer.read("a", "blksize", "8192").receive().options())
          .as("a block that fits a frame")
          .containsEntry("blksize", "1468");
      peer.error(0, "next");
      assertThat(peer.fetch("a", "windowsize", "4")).hasSize(3000);
      var transfer = peer.read("a").receive().isData(1).source();
      try (RawPeer stranger = new RawPeer(server.address())) {
        stranger.sendTo(transfer, RawPeer.numbered(4, 1, new byte[0]));
        stranger.receive().isError(5);
      }
    } finally {
      loop.close();
    }
  }

  /** A host that grants port 69 to anybody, as those on emulated segments do. */
  private static final class SegmentHost implements DatagramHost, LinkAddresses {
    private final UdpHost machine;
    private volatile int asked = -1;
    private volatile Optional<MacAddress> mac = Optional.empty();

    SegmentHost(UdpHost machine) {
      this.machine = machine;
    }

    @Override
    public DatagramEndpoint bind(int port, DatagramHandler handler) {
      asked = Math.max(asked, port);
      return machine.bind(0, handler);
    }

    @Override
    public EventLoop loop() {
      return machine.loop();
    }

    @Override
    public Optional<MacAddress> linkAddress(InetAddress neighbour) {
      return mac;
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "host",
        "1.2.3",
        "1.2.3.4/33",
        "1.2.3.4/",
        "1.2.3.4/x",
        "10.0.0.1/8",
        "::/129"
      })
  void rejectsWhatIsNoAddress(String entry) {
    assertThatThrownBy(() -> TftpServer.allow(entry))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"" + entry + "\"");
  }

  @Test
  void matchesNetworksBitByBit() throws Exception {
    AllowList list = AllowList.of(List.of("192.168.8.128/25", "10.0.0.0/7", "fd00::/8", "1.2.3.4"));
    for (String inside :
        List.of("192.168.8.128", "192.168.8.255", "11.255.0.1", "fdff::1", "1.2.3.4")) {
      assertThat(list.allows(InetAddress.getByName(inside), mac -> Optional.empty())).isTrue();
    }
    for (String outside :
        List.of("192.168.8.127", "192.168.9.1", "12.0.0.1", "fe00::1", "1.2.3.5")) {
      assertThat(list.allows(InetAddress.getByName(outside), mac -> Optional.empty())).isFalse();
    }
  }

  @Test
  void rejectsMisuseAtOnce() {
    TftpServerBuilder builder = TftpServer.allowAnyone().root(root).port(0).address("127.0.0.1");
    assertThatThrownBy(() -> builder.root(root)).hasMessageContaining("one call of root");
    assertThatThrownBy(() -> builder.strictRoot(root)).hasMessageContaining("one call of root");
    assertThatThrownBy(() -> builder.port(69)).hasMessageContaining("already called");
    assertThatThrownBy(() -> builder.address("::1")).hasMessageContaining("already called");
    assertThatThrownBy(() -> TftpServer.allowAnyone().root(root.resolve("none")))
        .hasMessageContaining("There is no folder");
    assertThatThrownBy(() -> TftpServer.allowAnyone().port(70_000)).hasMessageContaining("70000");
    assertThatThrownBy(() -> TftpServer.allowAnyone().maxBlockSize(4)).hasMessageContaining("4");
    assertThatThrownBy(() -> TftpServer.allowAnyone().maxWindow(0)).hasMessageContaining("0");
    assertThatThrownBy(() -> TftpServer.allowAnyone().start())
        .hasMessageContaining("nothing to serve");
    assertThatThrownBy(() -> TftpServer.allowAnyone().root(root).overwrite().start())
        .hasMessageContaining("writable");
    assertThatThrownBy(() -> TftpServer.allow("52:54:00:12:34:56").root(root).start())
        .hasMessageContaining("MAC");
    assertThatThrownBy(
            () -> TftpServer.allowAnyone().file("a", new byte[0]).file("/a", new byte[0]))
        .hasMessageContaining("already a file a");
  }

  @Test
  void takesTheCommandLineOfTufted() throws Exception {
    Files.writeString(root.resolve("file"), "content");
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(out, true, StandardCharsets.UTF_8);
    try (ProgressReport report = new ProgressReport(stream, true);
        TftpServer server =
            Tufted.start(
                List.of("-a", "127.0.0.1", "-p", "0", "-l", "127.0.0.1", root.toString()), report);
        RawPeer peer = new RawPeer(server.address())) {
      assertThat(peer.fetch("file")).isEqualTo("content".getBytes(StandardCharsets.UTF_8));
      server.awaitTransfer("file", Duration.ofSeconds(20));
    }
    assertThat(out.toString(StandardCharsets.UTF_8))
        .contains("TFTP serving from " + root, "to 127.0.0.1", "127.0.0.1 reads file: 7 B");
  }

  @Test
  void explainsItsCommandLine() {
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), true, StandardCharsets.UTF_8);
    try (ProgressReport report = new ProgressReport(nowhere, false)) {
      for (List<String> wrong :
          List.of(
              List.<String>of(),
              List.of("-x", "y", "dir"),
              List.of("-a", "127.0.0.1"),
              List.of("one", "two"))) {
        assertThatThrownBy(() -> Tufted.start(wrong, report)).hasMessageStartingWith("Usage:");
      }
    }
  }

  @Test
  void leavesNoThreadBehind() throws Exception {
    try (Bench bench = new Bench(root)) {
      bench.put("file", 10);
      bench.client.fetch("file");
    }
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().startsWith("liminix-tftp")) {
        thread.join(TimeUnit.SECONDS.toMillis(20));
        assertThat(thread.isAlive()).as(thread.getName()).isFalse();
      }
    }
  }
}
