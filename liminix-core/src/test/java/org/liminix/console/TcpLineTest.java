package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.liminix.process.RunDirectory;
import org.liminix.process.SupervisedProcess;
import org.liminix.process.WaitInterruptedException;
import org.liminix.test.SerialBench;

@Timeout(60)
class TcpLineTest {
  private static ServerSocketChannel listen(int backlog) throws Exception {
    return ServerSocketChannel.open()
        .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), backlog);
  }

  private static int port(ServerSocketChannel server) {
    return server.socket().getLocalPort();
  }

  @Test
  void carriesAShellBehindSocat() throws Exception {
    SerialBench.require("socat");
    try (RunDirectory directory = RunDirectory.create("tcp");
        SupervisedProcess socat =
            SupervisedProcess.of(
                    List.of(
                        "socat",
                        "-d",
                        "-d",
                        "tcp-listen:0,bind=127.0.0.1",
                        "exec:/bin/sh,pty,setsid,ctty,stderr"))
                .directory(directory)
                .start();
        TcpLine line = TcpLine.to("127.0.0.1", portOf(socat)).connect();
        Console console = Console.over(line).timeout(Duration.ofSeconds(30)).open()) {
      assertThat(Shell.on(console).open().run("echo $((6 * 7))").output()).isEqualTo("42");
    }
  }

  private static int portOf(SupervisedProcess socat) {
    Pattern listening = Pattern.compile("listening on AF=2 127.0.0.1:(\\d+)");
    Matcher port = listening.matcher(socat.lastOutput());
    while (!port.find()) {
      assertThat(socat.isAlive()).isTrue();
      Thread.onSpinWait();
      port = listening.matcher(socat.lastOutput());
    }
    return Integer.parseInt(port.group(1));
  }

  @Test
  void wakesAReaderWhenItIsClosed() throws Exception {
    try (ServerSocketChannel server = listen(1);
        TcpLine line = TcpLine.to("127.0.0.1", port(server)).connect()) {
      CompletableFuture<Throwable> end = Bytes.endOf(line);
      line.close();
      assertThat(end.get(30, TimeUnit.SECONDS)).isInstanceOf(ClosedChannelException.class);
      assertThat(line.isOpen()).isFalse();
    }
  }

  @Test
  void namesThePortOnWhichNobodyListens() throws Exception {
    // Bound, so that nobody else gets it, and not listening.
    try (SocketChannel taken =
        SocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))) {
      int port = taken.socket().getLocalPort();
      assertThatExceptionOfType(ConsoleException.class)
          .isThrownBy(() -> TcpLine.to("127.0.0.1", port).connect())
          .withMessageContaining("Nobody listens on 127.0.0.1:" + port);
    }
  }

  @Test
  void namesTheHostThatDoesNotExist() {
    String host = "x".repeat(64); // one more than a name may have, which needs no server to say no
    assertThatExceptionOfType(ConsoleException.class)
        .isThrownBy(() -> TcpLine.to(host, 2001).connect())
        .withMessageContaining("no host " + host);
  }

  @Test
  void givesUpAtItsDeadlineAndWhenItIsInterrupted() throws Exception {
    // Whose queue is full swallows what comes, as a firewall does.
    try (ServerSocketChannel server = listen(1)) {
      List<SocketChannel> queued = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        channel.connect(server.getLocalAddress());
        queued.add(channel);
      }
      TcpLine.Builder builder =
          TcpLine.to("127.0.0.1", port(server)).timeout(Duration.ofMillis(100));
      assertThatExceptionOfType(ConsoleTimeoutException.class)
          .isThrownBy(builder::connect)
          .withMessageContaining("127.0.0.1:" + port(server))
          .withMessageContaining("100 ms");

      Thread.currentThread().interrupt();
      assertThatExceptionOfType(WaitInterruptedException.class)
          .isThrownBy(() -> TcpLine.to("127.0.0.1", port(server)).connect());
      assertThat(Thread.interrupted()).isTrue();
      for (SocketChannel channel : queued) {
        channel.close();
      }
    }
  }
}
