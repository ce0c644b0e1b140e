package org.liminix.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ClosedChannelException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.process.RunDirectory;
import org.liminix.process.UnixSocket;

@Timeout(60)
class ConsoleServerTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  @TempDir Path directory;

  private RunDirectory run;
  private Peer guest;
  private ConsoleServer server;

  @BeforeEach
  void serve() throws IOException {
    run = RunDirectory.create("served");
    guest = Peer.connect(run.path());
    server = ConsoleServer.serve(guest.console(), run.socket("console"));
  }

  @AfterEach
  void close() throws IOException {
    server.close();
    guest.close();
    run.close();
  }

  private UnixSocket join() throws IOException {
    return UnixSocket.connect(run.file("console"));
  }

  @Test
  void showsTheLastLinesToWhoeverJoins() throws IOException {
    guest.says("Linux boots\r\n\033[1mlogin\033[0m: root\r\n# ");
    guest.console().expect("# ", LONG);
    try (UnixSocket one = join()) {
      assertThat(read(one, "# ")).isEqualTo("Linux boots\r\nlogin: root\r\n# ");
      guest.says("more");
      assertThat(read(one, "more")).isEqualTo("more");
    }
  }

  @Test
  void beginsWithAWholeLine() throws IOException {
    for (int line = 0; line < 1000; line++) {
      guest.says("this is line " + line + "\r\n");
    }
    guest.console().expect("line 999\n", LONG);
    try (UnixSocket one = join()) {
      assertThat(read(one, "line 999\r\n")).startsWith("this is line 7").hasSizeLessThan(5000);
    }
  }

  @Test
  void losesAndRepeatsNothingForThoseWhoJoinWhileItTalks() throws Exception {
    guest.says("0\r\n");
    guest.console().expect("0\n", LONG);
    CompletableFuture<Void> talking =
        CompletableFuture.runAsync(
            () -> {
              try {
                for (int line = 1; line <= 3000; line++) {
                  guest.says(line + "\r\n");
                }
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    for (int person = 0; person < 20; person++) {
      try (UnixSocket one = join()) {
        String heard = read(one, "\r\n3000\r\n");
        int first = Integer.parseInt(heard.substring(0, heard.indexOf('\r')));
        StringBuilder expected = new StringBuilder();
        for (int line = first; line <= 3000; line++) {
          expected.append(line).append("\r\n");
        }
        assertThat(heard).isEqualTo(expected.toString());
      }
    }
    talking.get(30, TimeUnit.SECONDS);
  }

  @Test
  void dropsAPersonWhoDoesNotRead() throws IOException {
    try (UnixSocket asleep = join();
        UnixSocket awake = join()) {
      guest.says("both? ");
      assertThat(read(asleep, "both? ")).isNotEmpty();
      assertThat(read(awake, "both? ")).isNotEmpty();
      byte[] much = new byte[64 << 10];
      for (int i = 0; i < 64; i++) {
        guest.says(much);
        guest.says("part " + i + "\r\n");
        assertThat(read(awake, "part " + i + "\r\n")).isNotEmpty();
      }
      // What the kernel had taken can still be read; then the line is dead.
      assertThat(drain(asleep)).isLessThan(4 << 20);
    }
  }

  @Test
  void holdsUpNobodyForAPersonWhoTypesWhatTheGuestDoesNotTake() throws Exception {
    try (StuckChannel stuck = new StuckChannel();
        Console console = Console.over(stuck).open();
        ConsoleServer stuckServer = ConsoleServer.serve(console, run.socket("stuck"));
        UnixSocket eager = UnixSocket.connect(run.file("stuck"));
        UnixSocket other = UnixSocket.connect(run.file("stuck"))) {
      eager.write(ByteBuffer.wrap(new byte[] {'x'}));
      stuck.typing.await();
      stuck.output.put("still talking");
      assertThat(read(other, "talking")).isEqualTo("still talking");
      stuckServer.close();
    }
  }

  /** A line that takes no input and says what it is given. */
  private static final class StuckChannel implements ByteChannel {
    final CountDownLatch typing = new CountDownLatch(1);
    final BlockingQueue<String> output = new LinkedBlockingQueue<>();
    private final CountDownLatch closed = new CountDownLatch(1);

    @Override
    public int read(ByteBuffer buffer) throws IOException {
      try {
        byte[] bytes = output.take().getBytes(StandardCharsets.US_ASCII);
        buffer.put(bytes);
        return bytes.length == 0 ? -1 : bytes.length;
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }

    @Override
    public int write(ByteBuffer buffer) throws IOException {
      typing.countDown();
      try {
        closed.await();
        throw new ClosedChannelException();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }

    @Override
    public boolean isOpen() {
      return closed.getCount() > 0;
    }

    @Override
    public void close() {
      closed.countDown();
      output.add("");
    }
  }

  @Test
  void hangsUpWhenTheConsoleEndsButNotBeforeItsLastWords() throws IOException {
    try (UnixSocket one = join()) {
      guest.says("Power down.\r\n");
      guest.hangsUp();
      assertThat(readAll(one)).isEqualTo("Power down.\r\n");
    }
    try (UnixSocket late = join()) {
      assertThat(readAll(late)).isEqualTo("Power down.\r\n");
    }
  }

  @Test
  void typesWhatEachOfThemTypes() throws IOException {
    try (UnixSocket one = join();
        UnixSocket other = join()) {
      one.write(ByteBuffer.wrap(new byte[] {'a', (byte) 0xff, 0, '.'}));
      assertThat(guest.hears(".")).isEqualTo("a\uffff\0.");
      other.write(ByteBuffer.wrap(new byte[] {'b', '.'}));
      assertThat(guest.hears(".")).isEqualTo("b.");
    }
  }

  private static String read(UnixSocket socket, String until) throws IOException {
    StringBuilder heard = new StringBuilder();
    while (heard.indexOf(until, Math.max(0, heard.length() - 70_000)) < 0) {
      assertThat(readMore(socket, heard)).as("the line goes on behind " + heard).isTrue();
    }
    return heard.toString();
  }

  private static String readAll(UnixSocket socket) throws IOException {
    StringBuilder heard = new StringBuilder();
    while (readMore(socket, heard)) {}
    return heard.toString();
  }

  private static boolean readMore(UnixSocket socket, StringBuilder heard) throws IOException {
    ByteBuffer chunk = ByteBuffer.allocate(65_536);
    boolean more = socket.read(chunk) >= 0;
    heard.append(StandardCharsets.US_ASCII.decode(chunk.flip()));
    return more;
  }

  private static long drain(UnixSocket socket) {
    long count = 0;
    ByteBuffer chunk = ByteBuffer.allocate(65_536);
    try {
      while (socket.read(chunk.clear()) >= 0) {
        count += chunk.position();
      }
    } catch (IOException e) {
      return count; // reset by the peer
    }
    return count;
  }
}
